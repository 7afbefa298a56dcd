"""
A burst: ten notifications for each of five hundred users in fifteen seconds, through the webhook.

Those of one user are spread over the whole time, so that hardly any two are in one POST and nearly
each needs its own message. One user in ten gets another photo at some moment in that time. The
webhook and the copying run on separate instances, as on Flex Consumption.

Azurite does all its work on one thread, and searches all messages whenever it hands one out or
deletes one. So the seconds for which that thread is busy are the floor.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psutil

from local.bench.burst.graph_poster import Answer, GraphPoster
from local.bench.burst.instance import WITHOUT_COPYING, instance
from local.bench.measuring.conditions import SETTINGS
from local.bench.measuring.judge import Judge
from local.bench.measuring.ledger import BLOB, DELAYED, GRAPH, PROCESSED, PROFILES, UPLOADS
from local.bench.measuring.rows import Row
from local.bench.measuring.settled_tenant import SettledTenant, SettledUser
from local.cloud.stack import Stack
from local.soak.pictures import pictures

# Notifications for each user.
_EACH = 10
_POSTERS = 64
_ALL_PROCESSED = 600.0
# A message whose delivery was cut off on a busy machine returns after a minute instead of ten.
_SETTINGS = {**SETTINGS, "LOCAL_HOST_LOCK_SECONDS": "60"}
# The most calls for a message about any user, and the most extra calls for a changed photo.
_GOALS = ((GRAPH, 1, 2), (BLOB, 1, 2), (UPLOADS, 0, 3), (PROFILES, 0, 2))


@dataclass(frozen=True)
class Scale:
    """The size of a burst; one user in ten gets another photo."""

    users: int = 500
    seconds: float = 15
    items_a_post: int = 25

    @property
    def changed(self) -> int:
        return self.users // 10

    def __str__(self) -> str:
        items = self.users * _EACH
        return f"{items:,} notifications for {self.users:,} users in {self.seconds:g} s"


class Post(NamedTuple):
    """The users whose photo changes just before a POST, and the users that its items are about."""

    changed: list[SettledUser]
    about: list[SettledUser]


@dataclass(frozen=True)
class BurstResult:
    """
    The result of a burst; `entries` counts each user once per POST.

    Times are in seconds from the first POST; `storage` is how much of `drained` Azurite's one
    thread was busy.
    """

    scale: Scale
    entries: int
    answers: list[Answer]
    drained: float
    storage: float
    calls: Counter[str]
    wrong: int

    @property
    def unseen(self) -> int:
        """Entries without a processed message, a call to Graph and a read of the state."""
        seen = min(self.calls[kind] for kind in (PROCESSED, GRAPH, BLOB)) - self.calls[DELAYED]
        return max(0, self.entries - seen)


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """One burst, processed from the first message on."""
    scale = Scale()
    settings = {**_SETTINGS, **WITHOUT_COPYING}
    with Stack(folder, settings=settings, log_storage=True, storage_on_disk=True) as stack:
        tenant = SettledTenant(stack, pictures(12))
        tenant.add_users(scale.users)
        say(str(scale))
        return list(rows_of(played(tenant, scale)))


def played(tenant: SettledTenant, scale: Scale) -> BurstResult:
    """Post at the pace of *scale*, wait until no message is left, and check every picture."""
    plan = posts(tenant.users, scale)
    azurite = tenant.stack.storage_process
    with instance(tenant.stack, "copying", _SETTINGS):
        mark, began, worked = tenant.ledger.mark(), time.monotonic(), _busy_seconds(azurite)
        answers = _post(tenant, plan, scale.seconds / len(plan))
        tenant.quiet(seconds=_ALL_PROCESSED, pause=1)
        drained, storage = time.monotonic() - began, _busy_seconds(azurite) - worked
    calls, wrong = tenant.ledger.since(mark), Judge(tenant.admin, tenant.photos).wrong()
    entries = sum(len({user.id for user in post.about}) for post in plan)
    return BurstResult(scale, entries, answers, drained, storage, calls, len(wrong))


def posts(users: Sequence[SettledUser], scale: Scale) -> list[Post]:
    """All POSTs in order; after each photo change at least one notification follows."""
    rng = random.Random(1)
    items = list(users) * _EACH
    rng.shuffle(items)
    # How many notifications each of these users gets while still having the old photo.
    early = {user.id: rng.randrange(_EACH) for user in users[: scale.changed]}
    found: list[Post] = []
    for start in range(0, len(items), scale.items_a_post):
        post = Post([], items[start : start + scale.items_a_post])
        for user in post.about:
            if early.get(user.id) == 0:
                post.changed.append(user)
            if user.id in early:
                early[user.id] -= 1
        found.append(post)
    return found


def _post(tenant: SettledTenant, plan: Sequence[Post], pause: float) -> list[Answer]:
    """Send all POSTs, one every *pause* seconds."""
    began, poster = time.monotonic(), GraphPoster(tenant.at)
    with ThreadPoolExecutor(_POSTERS, thread_name_prefix="graph") as pool:
        posted = []
        for number, post in enumerate(plan):
            # The pace of the plan: Graph does not wait for an answer either.
            time.sleep(max(0.0, began + number * pause - time.monotonic()))
            for user in post.changed:
                tenant.change(user, notify=False)
            posted.append(pool.submit(poster.post, [user.id for user in post.about]))
        return [each.result() for each in posted]


def _busy_seconds(process: int) -> float:
    """CPU seconds of a process's busiest thread, the one in which Node.js runs JavaScript."""
    return max(each.user_time + each.system_time for each in psutil.Process(process).threads())


def rows_of(result: BurstResult) -> Iterator[Row]:
    """A burst's rows of the table."""
    scale, calls = result.scale, result.calls
    refused = sum(not answer.accepted for answer in result.answers)
    slowest = max(answer.seconds for answer in result.answers)
    note = f"{scale}; of {len(result.answers)} POSTs, the slowest answered after {slowest:.1f} s"
    yield Row("POSTs that were not accepted", refused, goal=0, note=note)
    note = f"of {result.entries:,}, one per user in each POST"
    yield Row("entries that were not processed", result.unseen, goal=0, note=note)
    yield Row(
        "queue empty after",
        result.drained,
        "s",
        floor=result.storage,
        floor_is="how much of that time Azurite's only thread was busy",
        note=f"{calls[PROCESSED]:,} messages; everything shares this machine",
    )
    for kind, each, once in _GOALS:
        # A run that loses the race for a claim has tried to write it, and queues a new message.
        goal = each * (result.entries + 2 * calls[DELAYED]) + once * scale.changed
        yield Row(f"{kind} calls", calls[kind], goal=goal)
    note = f"{scale.changed} of {scale.users:,} photos changed meanwhile"
    yield Row("wrong pictures at the end", result.wrong, goal=0, note=note)
