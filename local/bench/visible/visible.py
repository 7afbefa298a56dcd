"""From the notification of a changed photo to SharePoint: one at a time, and many at once."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from local.bench.burst.instance import WITHOUT_COPYING, instance
from local.bench.measuring.conditions import AT_ONCE, LATENCY, LONGEST_POLL, SETTINGS
from local.bench.measuring.judge import Judge
from local.bench.measuring.memory import Spent, spent_by
from local.bench.measuring.rows import Row, of_rounds, percentile
from local.bench.measuring.settled_tenant import SettledTenant, SettledUser
from local.cloud.stack import Stack
from local.demo import photo_files
from local.demo.portraits.portraits import portrait
from local.outside.watcher import PROFILE_WRITES, Entry, NotSettled

ALONE, TOGETHER = 28, 200
_GOAL_P50, _GOAL_P95 = 1.1, 1.7
# Of an instance of 2 GB (functions.md, "Python", documented).
_CORES = 1
# After this long without a message, the queue is polled as rarely as host.json allows.
_IDLE = 1.0
_PHOTOS = 4
_LONGEST = 120.0
# The look at the photo's ETag; then a batch, which is one request in which the photo and its ETag
# wait for each other, with the user and the profile read in parallel; then the files, in parallel;
# and then the timestamp.
_IN_SEQUENCE = {"graph": 1 + (1 + 2), "sharepoint": 1 + 1}
_ANSWERS = sum(LATENCY[service] * times for service, times in _IN_SEQUENCE.items()) / 1000


@dataclass(frozen=True)
class Change:
    """When Graph sent the notification, when the run called first, when SharePoint showed it."""

    notified: datetime
    began: datetime
    shown: datetime

    @property
    def seconds(self) -> float:
        return (self.shown - self.notified).total_seconds()

    @property
    def run_seconds(self) -> float:
        return (self.shown - self.began).total_seconds()


@dataclass(frozen=True)
class Seen:
    """Changes, and the number of wrong pictures after them."""

    changes: Sequence[Change]
    wrong: int


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """The webhook and the copying on separate instances, as on Flex Consumption."""
    with ExitStack() as running:
        stack = running.enter_context(Stack(folder, settings={**SETTINGS, **WITHOUT_COPYING}))
        tenant = SettledTenant(stack, [photo_files.jpeg(portrait(n)) for n in range(_PHOTOS)])
        tenant.add_users(TOGETHER)
        worker = running.enter_context(instance(stack, "worker1", SETTINGS))
        tenant.ask("renew")
        tenant.admin.control("POST", "/latency", LATENCY)
        scene = Scene(tenant)
        say(f"{ALONE} changes, one at a time")
        scene.one_at_a_time(tenant.users[:1])
        alone = scene.one_at_a_time(tenant.users[1 : 1 + ALONE])
        say(f"{TOGETHER} changes at once")
        before = spent_by(worker)
        one = scene.at_once(tenant.users)
        after = spent_by(worker)
        say("the same with a second instance")
        running.enter_context(instance(stack, "worker2", SETTINGS))
        two = scene.at_once(tenant.users)
    return [
        *alone_rows(alone),
        *together_rows(one, 1, alone),
        *instance_rows(before, after, TOGETHER, alone),
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

    def one_at_a_time(self, users: Sequence[SettledUser]) -> Seen:
        """Change each photo when everything is at rest, at a random moment between two polls."""
        found: list[Change] = []
        for user in users:
            # A random time until the next poll, as for real changes.
            time.sleep(_IDLE + self._rng.random() * LONGEST_POLL)
            before = self._entries()
            self._put(user, notify=True)
            found += self._shown(before, 1)
        return Seen(found, len(self._judge.wrong()))

    def at_once(self, users: Sequence[SettledUser]) -> Seen:
        """Change all photos at one moment, in as few POSTs as Graph can make."""
        self._tenant.quiet()
        for user in users:
            self._put(user, notify=False)
        self._tenant.admin.control("POST", "/switches", {"notificationGather": self._gather})
        before = self._entries()
        for user in users:
            self._tenant.admin.control("POST", "/notify", {"user": user.id})
        return Seen(self._shown(before, len(users)), len(self._judge.wrong()))

    def _put(self, user: SettledUser, *, notify: bool) -> None:
        number = self._photos[user.id] = (self._photos[user.id] + 1) % _PHOTOS
        self._tenant.put(user.id, self._tenant.photos[number], notify=notify)

    def _entries(self) -> int:
        journal = self._tenant.watcher.journal()
        return int(journal[-1]["n"]) if journal else 0

    def _shown(self, before: int, count: int) -> list[Change]:
        app, deadline = self._tenant.at.app_client_id, time.monotonic() + _LONGEST
        while len(found := changes(self._tenant.watcher.journal(before), app)) != count:
            if time.monotonic() > deadline:
                raise NotSettled(f"{len(found)} of {count} changes are visible.")
            # The journal can only be polled, and each poll costs the simulator time.
            time.sleep(0.1)
        # The last write counts, and may be missing until the run is over.
        self._tenant.quiet()
        return list(changes(self._tenant.watcher.journal(before), app).values())


def changes(journal: Iterable[Entry], client_id: str) -> dict[str, Change]:
    """The changes that are complete in *journal*, by user; at most one each."""
    notified: dict[str, datetime] = {}
    began: dict[str, datetime] = {}
    shown: dict[str, datetime] = {}
    for entry in journal:
        user, at = entry.get("userId"), datetime.fromisoformat(entry["at"])
        if not user or entry.get("batch"):
            continue
        if entry["service"] == "delivery":
            notified.setdefault(user, at)
        # Refused calls show nothing.
        elif entry["clientId"] == client_id and entry["status"] < 300:
            began.setdefault(user, at)
            if entry["path"].endswith(PROFILE_WRITES):
                shown[user] = at + timedelta(milliseconds=entry["ms"])
    return {
        user: Change(notified[user], began[user], shown[user]) for user in notified if user in shown
    }


def alone_rows(alone: Seen) -> Iterator[Row]:
    """Each change is a round."""
    seconds = [change.seconds for change in alone.changes]
    yield of_rounds(
        "one at a time: p50",
        seconds,
        "s",
        goal=_GOAL_P50,
        floor=_ANSWERS + 0.5 * LONGEST_POLL,
        floor_is=f"{_ANSWERS:.2f} s for the services' answers, each of which waits for the one "
        f"before, and half of the {LONGEST_POLL:g} s between two polls of the queue",
    )
    yield Row(
        "one at a time: p95",
        percentile(seconds, 95),
        "s",
        goal=_GOAL_P95,
        floor=_ANSWERS + 0.95 * LONGEST_POLL,
        floor_is="the same answers, and 95 % of the time between two polls",
        note=f"of the same {len(seconds)} changes; the webhook runs on one instance and the "
        "copying on another, which is already running",
    )
    yield Row("one at a time: wrong pictures", alone.wrong, goal=0)


def together_rows(together: Seen, instances: int, alone: Seen) -> Iterator[Row]:
    """One round; its floor is computed from the runs that had the instance to themselves."""
    seconds = [change.seconds for change in together.changes]
    run = statistics.median(change.run_seconds for change in alone.changes)
    at_once = AT_ONCE * instances
    what = f"{len(seconds)} at once, {instances} instance{'s'[: instances - 1]}"
    yield Row(
        f"{what}: p95",
        percentile(seconds, 95),
        "s",
        floor=0.95 * len(seconds) / at_once * run,
        floor_is=f"{at_once} concurrent runs, the most that host.json allows, {run:.2f} s each",
    )
    yield Row(f"{what}: wrong pictures", together.wrong, goal=0)


def instance_rows(
    before: Spent | None, after: Spent | None, copies: int, alone: Seen
) -> Iterator[Row]:
    """
    The basis of AT_ONCE: how many cores that many copies keep busy, and the memory.

    No row if either argument is None, on systems that do not count it.
    """
    if before is None or after is None:
        return
    a_copy = (after.seconds - before.seconds) / copies
    run = statistics.median(change.run_seconds for change in alone.changes)
    yield Row(
        f"{AT_ONCE} copies at once in one instance: CPU",
        AT_ONCE * a_copy / run,
        "cores",
        goal=_CORES,
        note=f"{a_copy * 1000:.0f} ms of CPU time per copy, in host and worker, and {run:.2f} s "
        "per copy; an instance of 2 GB has one core",
    )
    yield Row("the same: peak memory, host and worker", after.peak_mb, "MB")
