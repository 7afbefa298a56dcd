"""
A burst: ten notifications for each of two thousand users in a minute, through the webhook.

Those of one user are strewn over the whole minute, so that hardly any two meet in one POST: nearly
each costs a message. One user in ten has another photo, from some moment of that minute on.

A quarter of it is played. Azurite searches the whole queue for each message: that takes it 2 ms
while 2,000 wait and 22 ms while 16,000 do (measured), so that the whole would measure Azurite.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from local.bench.burst_plan import QUARTER, Scale, posts
from local.bench.graph_poster import Answer, GraphPoster
from local.bench.judge import Judge
from local.bench.ledger import BLOB, GRAPH, HOST, PROFILES, QUEUE, UPLOADS
from local.bench.rows import Row
from local.bench.settled_tenant import SETTINGS, SettledTenant
from local.soak.pictures import pictures
from local.stack import Stack

_POSTERS = 64
# How long Graph waits before it posts again (graph.md section 3, documented).
_PATIENCE = 3.0
# A message whose delivery was cut on a busy machine comes back after a minute and not after ten.
_SETTINGS = {**SETTINGS, "LOCAL_HOST_LOCK_SECONDS": "60"}
# What a message may cost whoever it is about, and what a photo that changed costs once.
_GOALS = ((GRAPH, 1, 2), (BLOB, 1, 2), (UPLOADS, 0, 3), (PROFILES, 0, 2))


@dataclass(frozen=True)
class Storm:
    """What became of a burst. Times are from the first POST on, in seconds."""

    scale: Scale
    answers: list[Answer]
    unaccepted: int
    last: float
    drained: float
    calls: Counter[str]
    wrong: int

    @property
    def messages(self) -> int:
        """Each is sent once, by the host or by the app itself, and deleted once by the host."""
        return (self.calls[HOST] + self.calls[QUEUE]) // 2


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """A quarter of it, at the pace of the whole."""
    with Stack(folder, settings=_SETTINGS, log_storage=True, storage_on_disk=True) as stack:
        tenant = SettledTenant(stack, pictures(12))
        tenant.move_in(QUARTER.users)
        say(str(QUARTER))
        storm = played(tenant, QUARTER)
    return list(_rows(storm))


def played(tenant: SettledTenant, scale: Scale) -> Storm:
    """Post at the pace of *scale*, wait until no message is left, and look at every picture."""
    poster, judge = GraphPoster(tenant.at), Judge(tenant.admin, tenant.photos)
    plan = posts(tenant.users, scale)
    mark, began = tenant.ledger.mark(), time.monotonic()
    with ThreadPoolExecutor(_POSTERS, thread_name_prefix="graph") as pool:
        posted = []
        for number, (changed, told) in enumerate(plan):
            time.sleep(max(0.0, began + number * scale.seconds / len(plan) - time.monotonic()))
            for user in changed:
                tenant.change(user, notify=False)
            posted.append(pool.submit(poster.post, [user.id for user in told]))
        unaccepted = sum(not each.result() for each in posted)
    last = time.monotonic() - began
    tenant.quiet(seconds=900)
    drained = time.monotonic() - began
    calls = tenant.ledger.since(mark)
    return Storm(scale, poster.answers, unaccepted, last, drained, calls, len(judge.wrong()))


def _rows(storm: Storm) -> Iterator[Row]:
    scale = storm.scale
    note = f"{scale}; four times as many would measure Azurite, whose queue grows slow with length"
    yield Row("burst", "POSTs never accepted", storm.unaccepted, "", goal=0, note=note)
    again = sum(not answer.accepted for answer in storm.answers)
    late = sum(answer.seconds > _PATIENCE for answer in storm.answers)
    slowest = max(answer.seconds for answer in storm.answers)
    note = (
        f"of {scale.items_a_post} items; {again} to be posted again, {late} answered after more "
        f"than the {_PATIENCE:g} s that Graph waits first, the slowest after {slowest:.1f} s; the "
        "process that answers also works the queue off here"
    )
    yield Row("burst", "POSTs, those again included", len(storm.answers), "", note=note)
    yield Row("burst", "last POST accepted after", storm.last, "s")
    note = (
        f"{storm.messages:,} messages, {storm.messages / storm.drained:.0f} a second; the host, "
        "Azurite and Microsoft 365 share the machine"
    )
    yield Row("burst", "queue empty after", storm.drained, "s", note=note)
    for kind, each, once in _GOALS:
        # Who loses the race for a claim comes back, and has tried to write it.
        goal = each * (storm.messages + storm.calls[QUEUE]) + once * scale.changed
        yield Row("burst", f"{kind} calls", storm.calls[kind], "", goal=goal)
    note = f"{scale.changed} of {scale.users:,} photos changed in the meantime"
    yield Row("burst", "wrong pictures at the end", storm.wrong, "", goal=0, note=note)
