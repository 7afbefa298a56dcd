"""The result of a burst, and its rows of the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from local.bench.burst.burst_plan import Scale
from local.bench.burst.graph_poster import Answer
from local.bench.measuring.conditions import GRAPH_WAITS
from local.bench.measuring.ledger import (
    AT_ONCE,
    BLOB,
    FOR_UPKEEP,
    GRAPH,
    HOST,
    PROFILES,
    QUEUE,
    UPLOADS,
)
from local.bench.measuring.rows import Row

# The most calls for a message about any user, and the most extra calls for a changed photo.
_GOALS = ((GRAPH, 1, 2), (BLOB, 1, 2), (UPLOADS, 0, 3), (PROFILES, 0, 2))


@dataclass(frozen=True)
class Storm:
    """
    The result of a burst.

    Times are in seconds from the first POST; `storage` is how much of `drained` Azurite's one
    thread was busy.
    """

    scale: Scale
    entries: int
    answers: list[Answer]
    unaccepted: int
    last: float
    drained: float
    storage: float
    calls: Counter[str]
    wrong: int

    @property
    def messages(self) -> int:
        """
        Messages about a user.

        Each is sent once, by the host or by the app itself, and deleted once by the host. So is
        each bundle, which here only a POST creates.
        """
        return (self.calls[HOST] + self.calls[QUEUE]) // 2 - self.calls[FOR_UPKEEP]

    @property
    def put_off(self) -> int:
        """Messages that replaced others; the app also sends the messages of a bundle."""
        return self.calls[QUEUE] - self.calls[AT_ONCE]

    @property
    def again(self) -> int:
        """POSTs that Graph had to repeat; each may have stored everything twice."""
        return sum(not answer.accepted for answer in self.answers)

    @property
    def unseen(self) -> int:
        """Entries, one per user in each POST, for which nobody called Graph and read the state."""
        seen = min(self.messages, self.calls[GRAPH], self.calls[BLOB]) - self.put_off
        return max(0, self.entries - seen)


def result_rows(subject: str, storm: Storm) -> Iterator[Row]:
    """A burst's rows of the table."""
    scale = storm.scale
    yield Row(subject, "POSTs never accepted", storm.unaccepted, "", goal=0, note=str(scale))
    note = f"of {storm.entries:,}, one a user in each POST"
    yield Row(subject, "entries never looked at", storm.unseen, "", goal=0, note=note)
    late = sum(answer.seconds > GRAPH_WAITS for answer in storm.answers)
    slowest = max(answer.seconds for answer in storm.answers)
    note = (
        f"of {scale.items_a_post} items; {storm.again} had to be posted again; {late} were "
        f"answered only after the {GRAPH_WAITS:g} s that Graph waits at first (here it waits on, "
        f"so that nothing comes twice), the slowest after {slowest:.1f} s"
    )
    yield Row(subject, "POSTs, those again included", len(storm.answers), "", note=note)
    since = "first message" if scale.worked_off_meanwhile else "last POST"
    yield Row(
        subject,
        "queue empty after",
        storm.drained,
        "s",
        floor=storm.storage,
        floor_is="what of it Azurite's only thread was at work, on a queue that long",
        note=f"the last POST was accepted after {storm.last:.1f} s; {storm.messages:,} messages, "
        f"worked off from the {since} on; all of it shares this machine",
    )
    entries = storm.entries + storm.again * scale.items_a_post
    for kind, each, once in _GOALS:
        # A run that loses the race for a claim has tried to write it, and queues a new message.
        goal = each * (entries + 2 * storm.put_off) + once * scale.changed
        yield Row(subject, f"{kind} calls", storm.calls[kind], "", goal=goal)
    note = f"{scale.changed} of {scale.users:,} photos changed in the meantime"
    yield Row(subject, "wrong pictures at the end", storm.wrong, "", goal=0, note=note)
