"""
A burst: ten notifications for each of two thousand users in a minute, through the webhook.

Those of one user are spread over the whole minute, so that hardly any two are in one POST and
nearly each needs its own message. One user in ten gets another photo at some moment in that minute.
The webhook and the copying run on separate instances, as on Flex Consumption.

Azurite does all its work on one thread, and searches all messages whenever it hands one out or
deletes one. With thousands waiting, it is the bottleneck, so its seconds are the floor.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psutil

from local.bench.burst.burst_plan import QUARTER, WHOLE, Post, Scale, posts
from local.bench.burst.burst_result import Storm, result_rows
from local.bench.burst.graph_poster import GraphPoster
from local.bench.burst.instance import WITHOUT_COPYING, instance
from local.bench.measuring.conditions import SETTINGS
from local.bench.measuring.judge import Judge
from local.bench.measuring.rows import Row
from local.bench.measuring.settled_tenant import SettledTenant
from local.cloud.stack import Stack
from local.soak.pictures import pictures

_POSTERS = 64
_ALL_WORKED_OFF = 3_600.0
# A message whose delivery was cut off on a busy machine returns after a minute instead of ten.
_SETTINGS = {**SETTINGS, "LOCAL_HOST_LOCK_SECONDS": "60"}


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """A quarter of the burst, at full pace, processed from the first message on."""
    return _measured(folder, say, "burst", QUARTER)


def whole(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """The whole burst, processed after the last POST: Azurite cannot do both in time."""
    return _measured(folder, say, "whole-burst", WHOLE)


def _measured(folder: Path, say: Callable[[str], None], name: str, scale: Scale) -> list[Row]:
    settings = {**_SETTINGS, **WITHOUT_COPYING}
    with Stack(folder, settings=settings, log_storage=True, storage_on_disk=True) as stack:
        tenant = SettledTenant(stack, pictures(12))
        tenant.move_in(scale.users)
        say(str(scale))
        storm = played(tenant, scale, say)
    return list(result_rows(name, storm))


def played(tenant: SettledTenant, scale: Scale, say: Callable[[str], None]) -> Storm:
    """Post at the pace of *scale*, wait until no message is left, and check every picture."""
    plan = posts(tenant.users, scale)
    poster, judge = GraphPoster(tenant.at), Judge(tenant.admin, tenant.photos)
    copying = instance(tenant.stack, "copying", _SETTINGS)
    azurite = tenant.stack.storage_process
    with ExitStack() as running:
        if scale.worked_off_meanwhile:
            running.enter_context(copying)
        mark, began, worked = tenant.ledger.mark(), time.monotonic(), _seconds_of(azurite)
        unaccepted = _post(tenant, plan, scale.seconds / len(plan), poster)
        last = time.monotonic() - began
        say(f"the last POST is accepted, {tenant.watcher.messages_left():,} messages wait")
        if not scale.worked_off_meanwhile:
            running.enter_context(copying)
        tenant.quiet(seconds=_ALL_WORKED_OFF, pause=1)
        drained = time.monotonic() - began
        storage = _seconds_of(azurite) - worked
    calls = tenant.ledger.since(mark)
    wrong = len(judge.wrong())
    entries = sum(len({user.id for user in post.about}) for post in plan)
    return Storm(scale, entries, poster.answers, unaccepted, last, drained, storage, calls, wrong)


def _post(tenant: SettledTenant, plan: Sequence[Post], pause: float, poster: GraphPoster) -> int:
    """Send all POSTs, one every *pause* seconds; return how many were never accepted."""
    began = time.monotonic()
    with ThreadPoolExecutor(_POSTERS, thread_name_prefix="graph") as pool:
        posted = []
        for number, (changed, told) in enumerate(plan):
            # The pace of the plan: Graph does not wait for an answer either.
            time.sleep(max(0.0, began + number * pause - time.monotonic()))
            for user in changed:
                tenant.change(user, notify=False)
            posted.append(pool.submit(poster.post, [user.id for user in told]))
        return sum(not each.result() for each in posted)


def _seconds_of(process: int) -> float:
    """CPU seconds of a process's busiest thread, the one in which Node.js runs JavaScript."""
    return max(each.user_time + each.system_time for each in psutil.Process(process).threads())
