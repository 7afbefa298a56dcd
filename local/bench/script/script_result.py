"""The table's rows about PhotoSync compared with the script."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from local.bench.measuring.conditions import LATENCY
from local.bench.measuring.ledger import BYTES, DIGEST, FILES, GRAPH, PROFILES, UPLOADS
from local.bench.measuring.rows import Row

CHANGED_OF = 20  # one user in this many
# Kinds besides the ledger's: the items of batches counted one by one, and all storage calls.
REQUESTS, STORAGE = "request to Graph", "storage"
_KINDS = {
    GRAPH: "Graph calls",
    UPLOADS: "uploads",
    PROFILES: "PeopleManager",
    FILES: "other file calls",
    DIGEST: "digests",
}


@dataclass(frozen=True)
class Bout:
    """The work of one of the two for some users, from its first request to its last answer."""

    users: int
    seconds: float
    calls: Counter[str]
    busiest: int  # SharePoint calls in any one minute
    wrong: int

    def __str__(self) -> str:
        return f"{self.users:,} users, {self.users // CHANGED_OF} changed"


@dataclass(frozen=True)
class Script:
    """The script for a few users and for more: what grows with them, and what does not."""

    fewer: Bout
    more: Bout
    lines: int

    @property
    def described(self) -> str:
        return f"the script, {self.lines} lines of code besides its imports"

    @property
    def seconds_a_user(self) -> float:
        return (self.more.seconds - self.fewer.seconds) / (self.more.users - self.fewer.users)

    def calls(self, users: int) -> Counter[str]:
        """The cost of *users* users; one-time calls stay one-time."""
        times = (users - self.more.users) / (self.more.users - self.fewer.users)
        fewer, more = self.fewer.calls, self.more.calls
        return Counter({kind: round(n + times * (n - fewer[kind])) for kind, n in more.items()})


def beside_rows(photosync: Bout, script: Script) -> Iterator[Row]:
    """The same users."""
    yield Row(
        "script",
        f"{photosync}: time",
        photosync.seconds,
        "s",
        goal_ratio=1.0,
        floor=script.more.seconds,
        floor_is=script.described,
        note=f"{LATENCY['graph']} ms Graph, {LATENCY['sharepoint']} ms SharePoint; calls to "
        f"SharePoint in the busiest minute: {photosync.busiest}, the script's "
        f"{script.more.busiest}",
    )
    yield from _counts(photosync, script)
    yield Row(
        "script",
        f"{photosync}: wrong pictures",
        photosync.wrong,
        "",
        goal=0,
        note=f"after the script: {script.more.wrong}",
    )


def beyond_rows(photosync: Bout, script: Script) -> Iterator[Row]:
    """More users than the script was run for."""
    yield Row(
        "script",
        f"{photosync}: time",
        photosync.seconds,
        "s",
        note=f"calls to SharePoint in the busiest minute: {photosync.busiest}; the script takes "
        f"{script.seconds_a_user:.2f} s a user, one after another; below, its counts are those of "
        f"{script.more.users} users, and for each beyond them what each beyond "
        f"{script.fewer.users} cost",
    )
    yield from _counts(photosync, script)
    yield Row("script", f"{photosync}: wrong pictures", photosync.wrong, "", goal=0)


def _counts(photosync: Bout, script: Script) -> Iterator[Row]:
    calls, ours = script.calls(photosync.users), photosync.calls
    beside = functools.partial(Row, "script", floor_is=script.described)
    for kind, what in _KINDS.items():
        if ours[kind] or calls[kind]:
            yield beside(
                f"{photosync}: {what}",
                ours[kind],
                "",
                floor=calls[kind],
                goal_ratio=1.0,
            )
    yield beside(
        f"{photosync}: bytes",
        ours[BYTES] / 1e6,
        "MB",
        floor=calls[BYTES] / 1e6,
        goal_ratio=1.0,
        note="to and from Microsoft 365",
    )
    yield beside(
        f"{photosync}: Graph requests, each item of a batch",
        ours[REQUESTS],
        "",
        floor=calls[REQUESTS],
        note="the script makes no batches, and asks for everybody's photo and not for its etag",
    )
    yield beside(
        f"{photosync}: storage calls",
        ours[STORAGE],
        "",
        floor=calls[STORAGE],
        note="states, messages and locks, the host's included; but not its polls, which come "
        "whether anything happens or not. The script remembers nothing",
    )
