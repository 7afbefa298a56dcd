"""From the notification of a changed photo to SharePoint: one at a time, and many at once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from local.bench.burst.instance import WITHOUT_COPYING, instance
from local.bench.measuring import spent
from local.bench.measuring.concurrency import LONGEST_POLL
from local.bench.measuring.conditions import LATENCY, SETTINGS
from local.bench.measuring.judge import Judge
from local.bench.measuring.rows import Row
from local.bench.measuring.settled_tenant import Resident, SettledTenant
from local.bench.visible.visible_result import (
    Alone,
    Burst,
    alone_rows,
    instance_rows,
    together_rows,
)
from local.bench.visible.visible_steps import Change, changes
from local.cloud.stack import Stack
from local.demo import photo_files
from local.demo.portraits.portraits import portrait
from local.outside.watcher import NotSettled

ALONE, TOGETHER = 28, 200
# After this long without a message, the queue is polled as rarely as host.json allows.
_IDLE = 1.0
_PHOTOS = 4
_PATIENCE = 120.0


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """The webhook and the copying on separate instances, as on Flex Consumption."""
    with ExitStack() as running:
        stack = running.enter_context(Stack(folder, settings={**SETTINGS, **WITHOUT_COPYING}))
        tenant = SettledTenant(stack, [photo_files.jpeg(portrait(n)) for n in range(_PHOTOS)])
        tenant.move_in(TOGETHER)
        worker = running.enter_context(instance(stack, "worker1", SETTINGS))
        tenant.subscribe()
        tenant.admin.control("POST", "/latency", LATENCY)
        scene = Scene(tenant)
        say(f"{ALONE} changes, one at a time")
        scene.one_at_a_time(tenant.users[:1])
        alone = scene.one_at_a_time(tenant.users[1 : 1 + ALONE])
        say(f"{TOGETHER} changes at once")
        before = spent.by(worker)
        one = scene.at_once(tenant.users)
        taken = before, spent.by(worker)
        say("the same with a second instance")
        running.enter_context(instance(stack, "worker2", SETTINGS))
        two = scene.at_once(tenant.users)
    return [
        *alone_rows(alone),
        *together_rows(one, 1, alone),
        *instance_rows(*taken, TOGETHER, alone),
        *together_rows(two, 2, alone),
    ]


class Scene:
    """Changes photos of a settled tenant, and waits until SharePoint shows them."""

    def __init__(self, tenant: SettledTenant, *, gather: float = 2.0) -> None:
        self._tenant = tenant
        self._gather = gather
        self._rng = random.Random(6)
        self._judge = Judge(tenant.admin, tenant.photos)
        self._photos = {user.id: user.photo for user in tenant.users}

    def one_at_a_time(self, users: Sequence[Resident]) -> Alone:
        """Change each photo when everything is at rest, at a random moment between two polls."""
        found: list[Change] = []
        for user in users:
            # A random time until the next poll, as for real changes.
            time.sleep(_IDLE + self._rng.random() * LONGEST_POLL)
            before = self._entries()
            self._put(user, notify=True)
            found += self._shown(before, 1)
        return Alone(found, wrong=len(self._judge.wrong()))

    def at_once(self, users: Sequence[Resident]) -> Burst:
        """Change all photos at one moment, in as few POSTs as Graph can make."""
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
            wrong=len(self._judge.wrong()),
        )

    def _put(self, user: Resident, *, notify: bool) -> None:
        number = self._photos[user.id] = (self._photos[user.id] + 1) % _PHOTOS
        self._tenant.put(user.id, self._tenant.photos[number], notify=notify)

    def _entries(self) -> int:
        journal = self._tenant.watcher.journal()
        return int(journal[-1]["n"]) if journal else 0

    def _shown(self, before: int, count: int) -> list[Change]:
        app, deadline = self._tenant.at.app_client_id, time.monotonic() + _PATIENCE
        while len(found := changes(self._tenant.watcher.journal(before), app)) != count:
            if time.monotonic() > deadline:
                raise NotSettled(f"{len(found)} of {count} changes are visible.")
            # The journal can only be polled, and each poll costs the simulator time.
            time.sleep(0.1)
        # The last write counts, and may be missing until the run is over.
        self._tenant.quiet()
        return list(changes(self._tenant.watcher.journal(before), app).values())
