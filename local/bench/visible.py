"""From the notification of a changed photo to SharePoint: one at a time, and many at once."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import photo_files
from local.bench.concurrency import AT_ONCE
from local.bench.conditions import GRAPH_WAITS, LATENCY, LIMITS, SETTINGS
from local.bench.instance import WITHOUT_COPYING, instance
from local.bench.percentile import percentile
from local.bench.rows import Row
from local.bench.settled_tenant import Resident, SettledTenant
from local.bench.visible_steps import STEPS, Change, changes, most_at_once
from local.portraits import portrait
from local.stack import Stack
from local.watch import NotSettled

ALONE, TOGETHER = 16, 200
_GOAL_SECONDS = 2.5
# After so long without a message the queue is polled as rarely as host.json allows.
_IDLE = 1.0
_LONGEST_POLL = 1.0
_PHOTOS = 4
_PATIENCE = 120.0


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """The webhook and the copying on instances of their own, as on Flex Consumption."""
    with ExitStack() as running:
        stack = running.enter_context(Stack(folder, settings={**SETTINGS, **WITHOUT_COPYING}))
        tenant = SettledTenant(stack, [photo_files.jpeg(portrait(n)) for n in range(_PHOTOS)])
        tenant.move_in(TOGETHER)
        running.enter_context(instance(stack, "worker1", SETTINGS))
        tenant.subscribe()
        tenant.admin.control("POST", "/latency", LATENCY)
        scene = Scene(tenant)
        say(f"{ALONE} changes, one at a time")
        scene.one_at_a_time(tenant.users[:1])
        alone = scene.one_at_a_time(tenant.users[1 : 1 + ALONE])
        say(f"{TOGETHER} changes at once")
        one = scene.at_once(tenant.users)
        say("the same with a second instance")
        running.enter_context(instance(stack, "worker2", SETTINGS))
        two = scene.at_once(tenant.users)
    return [*_alone(alone), *_together(one, 1, alone), *_together(two, 2, alone)]


@dataclass(frozen=True)
class Burst:
    """Many changes at once, and whether any limit but our own was met."""

    changes: Sequence[Change]
    throttled: int
    profile_calls: int


class Scene:
    """Changes photos of a settled tenant, and waits until SharePoint shows them."""

    def __init__(self, tenant: SettledTenant, *, gather: float = 2.0) -> None:
        self._tenant = tenant
        self._gather = gather
        self._rng = random.Random(6)
        self._photos = {user.id: user.photo for user in tenant.users}

    def one_at_a_time(self, users: Sequence[Resident]) -> list[Change]:
        """Each when everything is at rest, at any moment between two polls of the queue."""
        found: list[Change] = []
        for user in users:
            # Chance decides how long the queue's next look is off, as it does for real changes.
            time.sleep(_IDLE + self._rng.random() * _LONGEST_POLL)
            before = self._entries()
            self._put(user, notify=True)
            found += self._shown(before, 1)
        return found

    def at_once(self, users: Sequence[Resident]) -> Burst:
        """All of them in as few POSTs as Graph can make of them, at one moment."""
        self._tenant.quiet()
        for user in users:
            self._put(user, notify=False)
        self._tenant.admin.control("POST", "/switches", {"notificationGather": self._gather})
        before = self._entries()
        for user in users:
            self._tenant.admin.control("POST", "/notify", {"user": user.id})
        found = self._shown(before, len(users))
        journal = self._tenant.watcher.journal(before)
        return Burst(
            found,
            throttled=sum(entry["status"] in {429, 503} for entry in journal),
            profile_calls=sum("PeopleManager" in entry["path"] for entry in journal),
        )

    def _put(self, user: Resident, *, notify: bool) -> None:
        number = self._photos[user.id] = (self._photos[user.id] + 1) % _PHOTOS
        self._tenant.put(user.id, self._tenant.photos[number], notify=notify)

    def _entries(self) -> int:
        journal = self._tenant.watcher.journal()
        return int(journal[-1]["n"]) if journal else 0

    def _shown(self, before: int, count: int) -> list[Change]:
        app, deadline = self._tenant.at.app_client_id, time.monotonic() + _PATIENCE
        while True:
            found = changes(self._tenant.watcher.journal(before), app)
            if len(found) == count:
                return list(found.values())
            if time.monotonic() > deadline:
                raise NotSettled(f"{len(found)} of {count} changes are visible.")
            # The journal is only there to be read, and each look costs the simulator time.
            time.sleep(0.1)


def _alone(found: Sequence[Change]) -> list[Row]:
    seconds = [change.seconds for change in found]
    ends: dict[str, Any] = {"low": min(seconds), "high": max(seconds), "rounds": len(seconds)}
    rows = [
        Row("visible", "one at a time: p50", statistics.median(seconds), "s", **ends),
        Row(
            "visible",
            "one at a time: p95",
            percentile(seconds, 95),
            "s",
            goal=_GOAL_SECONDS,
            note="the webhook on one instance, the copying on another, which is up and, at rest, "
            "polls its queue every second",
            **ends,
        ),
    ]
    return [*rows, *_steps(found)]


def _steps(found: Sequence[Change]) -> list[Row]:
    """The mean of each step, so that they add up."""
    whole = statistics.fmean(change.seconds for change in found)
    rows = []
    for number, step in enumerate(STEPS):
        took = [change.steps[number] * 1000 for change in found]
        rows.append(
            Row(
                "visible",
                f"step: {step}",
                statistics.fmean(took),
                "ms",
                low=min(took),
                high=max(took),
                rounds=len(took),
                note=f"{statistics.fmean(took) / whole / 10:.0f} % of the whole",
            )
        )
    return rows


def _together(burst: Burst, instances: int, alone: Sequence[Change]) -> list[Row]:
    seconds = [change.seconds for change in burst.changes]
    run = statistics.median(change.run_seconds for change in alone)
    at_once = AT_ONCE * instances
    what = f"{len(seconds)} at once, {instances} instance{'s'[: instances - 1]}"
    return [
        Row("visible", f"{what}: p50", statistics.median(seconds), "s"),
        Row(
            "visible",
            f"{what}: p95",
            percentile(seconds, 95),
            "s",
            floor=0.95 * len(seconds) / at_once * run,
            floor_is=f"{at_once} runs at once, which is what host.json allows, each of {run:.2f} s",
            note=f"{most_at_once(burst.changes)} at once were seen; {burst.throttled} calls were "
            f"throttled; {burst.profile_calls:,} profile calls of "
            f"{LIMITS['peopleCallsPer5Minutes']:,} in five minutes",
        ),
        Row(
            "visible",
            f"{what}: the longest answer to a POST",
            max((change.answered - change.told).total_seconds() for change in burst.changes),
            "s",
            goal=GRAPH_WAITS,
            note="of 100 notifications; the host stores their messages one after the other",
        ),
    ]
