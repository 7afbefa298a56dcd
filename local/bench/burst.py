"""
A burst: ten notifications for each of two thousand users in a minute, through the webhook.

Those of one user are strewn over the whole minute, so that hardly any two meet in one POST: nearly
each costs a message. One user in ten has another photo, from some moment of that minute on. The
webhook and the copying run on instances of their own, as on Flex Consumption.

Of Azurite one thread does all the work, and it searches all messages each time it hands one out or
deletes one: with thousands waiting, it is what takes the time. So its seconds are the floor.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil

from local.bench.burst_plan import QUARTER, WHOLE, Scale, posts
from local.bench.conditions import GRAPH_WAITS, SETTINGS
from local.bench.graph_poster import Answer, GraphPoster
from local.bench.instance import WITHOUT_COPYING, instance
from local.bench.judge import Judge
from local.bench.ledger import BLOB, GRAPH, HOST, PROFILES, QUEUE, UPLOADS
from local.bench.rows import Row
from local.bench.settled_tenant import SettledTenant
from local.soak.pictures import pictures
from local.stack import Stack

_POSTERS = 64
_ALL_WORKED_OFF = 3_600.0
# A message whose delivery was cut on a busy machine comes back after a minute and not after ten.
_SETTINGS = {**SETTINGS, "LOCAL_HOST_LOCK_SECONDS": "60"}
# What a message may cost whoever it is about, and what a photo that changed costs once.
_GOALS = ((GRAPH, 1, 2), (BLOB, 1, 2), (UPLOADS, 0, 3), (PROFILES, 0, 2))


@dataclass(frozen=True)
class Storm:
    """
    What became of a burst. Times are from the first POST on, in seconds; `storage` is how long of
    `drained` Azurite's one thread was at work.
    """

    scale: Scale
    answers: list[Answer]
    unaccepted: int
    last: float
    drained: float
    storage: float
    calls: Counter[str]
    wrong: int

    @property
    def messages(self) -> int:
        """Each is sent once, by the host or by the app itself, and deleted once by the host."""
        return (self.calls[HOST] + self.calls[QUEUE]) // 2


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """A quarter of it, at the pace of the whole, worked off from the first message on."""
    return _measured(folder, say, "burst", QUARTER)


def whole(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """All of it, worked off from the last POST on: Azurite cannot do both in time."""
    return _measured(folder, say, "whole-burst", WHOLE)


def _measured(folder: Path, say: Callable[[str], None], name: str, scale: Scale) -> list[Row]:
    settings = {**_SETTINGS, **WITHOUT_COPYING}
    with Stack(folder, settings=settings, log_storage=True, storage_on_disk=True) as stack:
        tenant = SettledTenant(stack, pictures(12))
        tenant.move_in(scale.users)
        say(str(scale))
        storm = played(tenant, scale, say)
    return list(rows_of(name, storm))


def played(tenant: SettledTenant, scale: Scale, say: Callable[[str], None]) -> Storm:
    """Post at the pace of *scale*, wait until no message is left, and look at every picture."""
    poster, judge = GraphPoster(tenant.at), Judge(tenant.admin, tenant.photos)
    copying = instance(tenant.stack, "copying", _SETTINGS)
    azurite = tenant.stack.storage_process
    with ExitStack() as running:
        if scale.worked_off_meanwhile:
            running.enter_context(copying)
        mark, began, worked = tenant.ledger.mark(), time.monotonic(), _seconds_of(azurite)
        unaccepted = _post(tenant, scale, poster)
        last = time.monotonic() - began
        say(f"the last POST is accepted, {tenant.watcher.messages_left():,} messages wait")
        if not scale.worked_off_meanwhile:
            running.enter_context(copying)
        tenant.quiet(seconds=_ALL_WORKED_OFF, pause=1)
        drained = time.monotonic() - began
        storage = _seconds_of(azurite) - worked
    calls = tenant.ledger.since(mark)
    wrong = len(judge.wrong())
    return Storm(scale, poster.answers, unaccepted, last, drained, storage, calls, wrong)


def _post(tenant: SettledTenant, scale: Scale, poster: GraphPoster) -> int:
    """Post it all, each POST at its time; return how many were never accepted."""
    plan = posts(tenant.users, scale)
    began = time.monotonic()
    with ThreadPoolExecutor(_POSTERS, thread_name_prefix="graph") as pool:
        posted = []
        for number, (changed, told) in enumerate(plan):
            # Graph keeps its pace, too, and does not wait for an answer.
            time.sleep(max(0.0, began + number * scale.seconds / len(plan) - time.monotonic()))
            for user in changed:
                tenant.change(user, notify=False)
            posted.append(pool.submit(poster.post, [user.id for user in told]))
        return sum(not each.result() for each in posted)


def _seconds_of(process: int) -> float:
    """How long the busiest thread of a process has computed: that in which Node.js runs code."""
    return max(each.user_time + each.system_time for each in psutil.Process(process).threads())


def rows_of(subject: str, storm: Storm) -> Iterator[Row]:
    """What the table says of a burst."""
    scale = storm.scale
    yield Row(subject, "POSTs never accepted", storm.unaccepted, "", goal=0, note=str(scale))
    again = sum(not answer.accepted for answer in storm.answers)
    late = sum(answer.seconds > GRAPH_WAITS for answer in storm.answers)
    slowest = max(answer.seconds for answer in storm.answers)
    note = (
        f"of {scale.items_a_post} items; {again} to be posted again, {late} answered after more "
        f"than the {GRAPH_WAITS:g} s that Graph waits first, the slowest after {slowest:.1f} s"
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
    for kind, each, once in _GOALS:
        # Who loses the race for a claim comes back, and has tried to write it.
        goal = each * (storm.messages + storm.calls[QUEUE]) + once * scale.changed
        yield Row(subject, f"{kind} calls", storm.calls[kind], "", goal=goal)
    note = f"{scale.changed} of {scale.users:,} photos changed in the meantime"
    yield Row(subject, "wrong pictures at the end", storm.wrong, "", goal=0, note=note)
