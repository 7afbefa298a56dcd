"""The app between its services: queues worked off run by run, and what must never be so."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from unittest import mock

from shared.auditing import look
from shared.auditing.audit import Audit, Terms
from shared.auditing.audit_log import AuditLogs
from shared.auditing.look import Looks
from shared.auditing.repairs import Repairs
from shared.copying.run import Policy
from shared.copying.sync import Sync
from shared.copying.worker import Worker
from shared.errors import PhotoSyncError
from shared.pictures.recipe import Recipe
from shared.settings.webhook import WebhookSettings
from shared.storage import user_state
from shared.storage.user_state import SECOND_LOOK_AFTER, UserState
from shared.subscription.keeper import SubscriptionKeeper
from shared.sweeping import sweep_page
from shared.sweeping.state_page import StateLook
from shared.sweeping.sweep import Sweep
from shared.sweeping.sweep_log import SweepLogs
from shared.sweeping.sweep_page import PageLook
from shared.sweeping.user_queue import UserQueue
from shared.uninstalling.uninstall import Uninstall
from shared.upkeep.upkeep import Upkeep
from shared.webhook.notifications import Accepted, accept
from tests.doubles.halt import Halting, Ordered
from tests.doubles.memory_lines import in_memory
from tests.machine.jobs import DIE, GO, Died, InTurn, Job, Order, current
from tests.machine.storage import Blobs, MemoryDocuments, MemoryQueue, MemoryStates, Message
from tests.machine.tenant import Exchange, Look, SharePoint, check_scope, renditions, sha256

PHOTOS = (b"A", b"B", b"C")
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
# For so long Graph can restore who has left; in this world, where an hour is long.
FORGET_AFTER = timedelta(hours=2)
_WEBHOOK = WebhookSettings("tenant", "secret")


@dataclass(frozen=True)
class Parts:
    """The classes that the app is made of; a mutant takes the place of one."""

    sync: type[Sync] = Sync
    sweep: type[Sweep] = Sweep
    pages: type[PageLook] = PageLook
    looks: type[Looks] = Looks
    remembered: type[StateLook] = StateLook


class Directory:
    """Graph as it is asked about many users at once."""

    def __init__(self, exchange: Exchange) -> None:
        self.users = exchange.users_of


class AnySubscription:
    """No message here is about subscriptions; whose changes were missed does not matter."""

    def knows(self, id_: str) -> bool:
        return True


class World:
    """Some users, the app, and everything around it."""

    def __init__(self, parts: Parts, users: int) -> None:
        self.now = NOON
        self.wrongs: list[str] = []
        self.jobs: dict[Job, tuple[MemoryQueue, Message]] = {}
        # Since their last change, a notification has told of these users, or a worker has looked.
        self.told: set[str] = set()
        # A run over these users has died, has been frozen or got an error when it wrote.
        self.disturbed: set[str] = set()
        # Strangers have damaged what SharePoint shows of these, and nobody has repaired it yet.
        self.damaged: set[str] = set()
        self._looks_before: defaultdict[str, int] = defaultdict(int)
        self._numbers = itertools.count(1)
        self.exchange = Exchange(users, self.clock, self.told.add)
        self.sharepoint = SharePoint(self.ticks, self._check_write)
        self.photo_sync, self.photo_upkeep = MemoryQueue(self.clock), MemoryQueue(self.clock)
        self.blobs = Blobs(self.ticks)
        self.worker = self._worker(parts)
        self.upkeep = self._upkeep(parts)

    def clock(self) -> datetime:
        return self.now

    def ticks(self) -> float:
        return (self.now - NOON).total_seconds()

    @property
    def users(self) -> list[str]:
        """Whom Graph knows now."""
        return list(self.exchange.users)

    def state(self, user_id: str) -> UserState:
        known = self.blobs.texts.get(user_id)
        return user_state.from_json(user_id, known[0]) if known else UserState(user_id)

    def change(self, user_id: str, change: Callable[[], None]) -> None:
        change()
        self.told.discard(user_id)

    def post(self, items: list[dict[str, Any]]) -> None:
        """Graph posts to the webhook."""
        genuine = [{"clientState": "secret", "tenantId": "tenant", **item} for item in items]
        body = json.dumps({"value": genuine}).encode()
        accepted = accept(body, _WEBHOOK, now=self.now, new_id=self._new_id)
        assert isinstance(accepted, Accepted)
        for text in accepted.sync:
            self.photo_sync.put(text)
        for text in accepted.upkeep:
            self.photo_upkeep.put(text)

    def notify(self, user_id: str) -> None:
        self.post([{"changeType": "updated", "resource": f"users/{user_id}"}])
        self.told.add(user_id)

    def begin(self, queue: MemoryQueue, message: Message) -> Job:
        """Give *message* to a run, which makes no call yet."""
        queue.take(message)
        body, again = message.body.encode(), message.tries > 1
        if queue is self.photo_sync:
            job = Job(lambda: self.worker.work_off(body, redelivered=again), message.body)
        else:
            job = Job(lambda: self.upkeep.work_off(body), message.body)
        self.jobs[job] = queue, message
        return job

    def tell(self, job: Job, order: Order = GO) -> None:
        """Let a run make one call, or fail or die in it."""
        # Reading has no effect: whatever becomes of it leaves no doubt about SharePoint.
        if isinstance(order.error, Died) or (
            order is not GO and job.call in {"write", "write blob", "send"}
        ):
            self._disturb(job)
        job.tell(order)
        if job.call is None:
            self._end(job)

    def _end(self, job: Job) -> None:
        if job.error is not None:
            self._disturb(job)
        queue, message = self.jobs.pop(job)
        if job.error is None:
            queue.done(message)
            return
        if not isinstance(job.error, PhotoSyncError | Died):
            self.wrongs.append(f"nobody foresaw {job.error!r}")
        queue.failed(message, died=isinstance(job.error, Died))

    def finish(self, job: Job) -> None:
        while job.call is not None:
            self.tell(job)

    def pass_time(self, by: timedelta) -> None:
        for job in self.jobs:
            self._disturb(job)
        self.now += by

    def park(self) -> None:
        while self.photo_sync.poison:
            self.worker.park(self.photo_sync.poison.pop().encode())

    def become_quiet(self) -> None:
        """Work everything off, and what becomes of it."""
        queues = self.photo_sync, self.photo_upkeep
        for _ in range(100):
            for job in list(self.jobs):
                self.finish(job)
            self.park()
            for queue in queues:
                for message in queue.visible():
                    self.finish(self.begin(queue, message))
            waiting = [each.visible_at for queue in queues for each in queue.messages]
            if not waiting:
                return
            self.now = max(self.now, min(waiting))
        self.wrongs.append("messages wait for ever")

    def sweep(self, times: int) -> None:
        """As the timer does, each a second look at what the one before has found."""
        for _ in range(times):
            self.now += timedelta(hours=1, seconds=1)
            self.photo_upkeep.put("sweep")
            self.become_quiet()

    def damage(self, user_id: str, place: int) -> None:
        """A stranger changes one of the three files, or the profile."""
        if self.sharepoint.urls[user_id] and len(self.sharepoint.files[user_id]) == 3:
            self.sharepoint.damage(user_id, place)
            self.damaged.add(user_id)

    def audit_everybody(self, times: int) -> None:
        """As a person orders it, each time with all that becomes of it."""
        for _ in range(times):
            self.now += timedelta(hours=1, seconds=1)
            self.audit.order(repair=True)
            self.become_quiet()

    def forgive(self) -> None:
        """Whatever is right again is no stranger's doing any more."""
        for user_id in list(self.damaged):
            photos = [*PHOTOS, None]
            if any(self.sharepoint.shows(user_id, photo) for photo in photos):
                self.damaged.discard(user_id)

    def stop(self) -> None:
        for job in list(self.jobs):
            self.tell(job, DIE)

    def lies(self) -> Iterator[str]:
        """What states say of SharePoint that is not so."""
        for user_id in set(self.users) - self.damaged:
            known = self.state(user_id)
            if known.left_since:
                # Restored a moment ago, and nobody has looked yet: the profile may be a new one.
                continue
            held = [photo for photo in PHOTOS if sha256(photo) == known.sha256]
            if held and not known.claim and not self.sharepoint.shows(user_id, held[0]):
                yield f"the state names {held[0]!r}, which SharePoint does not show"

    def missed(self, user_ids: set[str]) -> Iterator[str]:
        """Who of these, being in scope, has another picture in SharePoint than in Exchange."""
        for user_id in sorted(user_ids):
            photo = self.exchange.photos.get(user_id)
            if user_id in self.exchange.left:
                continue
            in_scope = self.exchange.users[user_id].account_enabled
            if in_scope and not self.sharepoint.shows(user_id, photo):
                shown = dict(self.sharepoint.files[user_id]), self.state(user_id)
                yield f"{user_id} has {photo!r}, SharePoint shows {shown}"

    def unsaid(self, user_ids: set[str]) -> Iterator[str]:
        """Whose picture is shown while the mailbox is in trouble, and no state says so."""
        for user_id in sorted(user_ids):
            known, error = self.state(user_id), self.exchange.troubles[user_id]
            if user_id in self.exchange.left:
                continue
            in_scope = self.exchange.users[user_id].account_enabled
            if in_scope and known.picture_url and known.reason not in {error.code, "gave-up"}:
                yield f"{error!r} stands nowhere in {known}"

    def remains(self) -> Iterator[str]:
        """What there still is of who has left."""
        for user_id in self.exchange.left:
            shown = dict(self.sharepoint.files[user_id]), self.sharepoint.urls[user_id]
            if user_id in self.blobs.texts or any(shown):
                yield f"{user_id} has left, and there are {shown}, {self.state(user_id)}"

    def overlooked(self) -> Iterator[str]:
        """Of whom the state says that the picture is looked after, and it is not."""
        for user_id in self.users:
            in_scope = self.exchange.users[user_id].account_enabled
            if not in_scope and self.state(user_id).status == user_state.SYNCED:
                yield f"{user_id} is out of scope, and {self.state(user_id)}"

    def _check_write(self, user_id: str, photo: bytes | None) -> None:
        if photo is None:
            self._check_removal(user_id)
            return
        self._looks_before[user_id] = len(self.exchange.looks[user_id])
        if user_id not in self.disturbed and self.sharepoint.shows(user_id, photo):
            self.wrongs.append("the same photo is written twice")

    def _check_removal(self, user_id: str) -> None:
        looks = self.exchange.looks[user_id]
        if looks and looks[-1].left:
            self._check_forgetting(looks)
            return
        misses = [each for each in looks[self._looks_before[user_id] :] if not each.found]
        own = [each for each in looks if each.by is current()]
        if not own or own[-1].found:
            self.wrongs.append("a picture is removed by a run that has not looked")
        if not misses or self.now - misses[0].at < SECOND_LOOK_AFTER:
            self.wrongs.append("a picture is removed at the first look")

    def _check_forgetting(self, looks: list[Look]) -> None:
        since = looks[-1].at
        for each in reversed(looks):
            if not each.left:
                break
            since = each.at
        if looks[-1].by is not current():
            self.wrongs.append("somebody is forgotten by a run that has not asked")
        if self.now - since < FORGET_AFTER:
            self.wrongs.append("somebody is forgotten who may be restored")

    def _disturb(self, job: Job) -> None:
        if self.jobs[job][0] is self.photo_sync:
            self.disturbed.add(json.loads(job.about)["userId"])

    def _new_id(self) -> str:
        return f"id{next(self._numbers):06d}"

    def _worker(self, parts: Parts) -> Worker:
        states = MemoryStates(self.blobs)
        sync = parts.sync(
            self.exchange,
            self.sharepoint,
            states,
            Recipe("48,72,300", 1, renditions),
            Policy(forget_after=FORGET_AFTER),
            check_scope=check_scope,
            clock=self.clock,
            ticks=self.ticks,
        )
        halt, orders = Halting(), in_memory(self.clock)
        return Worker(sync, self.exchange, states, self.photo_sync, halt, orders, **self._chance)

    def _upkeep(self, parts: Parts) -> Upkeep:
        # Threads of a pool would make their calls in another order each time.
        with (
            mock.patch.object(sweep_page, "ThreadPoolExecutor", InTurn),
            mock.patch.object(look, "ThreadPoolExecutor", InTurn),
        ):
            looks = parts.looks(MemoryStates(self.blobs), self.sharepoint)
            pages = parts.pages(
                self.exchange,
                MemoryStates(self.blobs),
                check_scope=check_scope,
                sizes="48,72,300",
                recipe=1,
                dry_run=False,
                removes=True,
                clock=self.clock,
            )
            users = UserQueue(self.photo_sync, clock=self.clock, new_id=self._new_id)
        remembered = parts.remembered(
            MemoryStates(self.blobs),
            Directory(self.exchange),
            check_scope=check_scope,
            forget_after=FORGET_AFTER,
            clock=self.clock,
        )
        logs = SweepLogs(MemoryDocuments(self.blobs))
        sweep = parts.sweep(
            self.exchange,
            pages,
            remembered,
            logs,
            users,
            self.photo_upkeep,
            MemoryStates(self.blobs),
            clock=self.clock,
            new_id=self._new_id,
        )
        keeper, states = cast(SubscriptionKeeper, AnySubscription()), MemoryStates(self.blobs)
        audits = AuditLogs(MemoryDocuments(self.blobs))
        self.audit = Audit(
            states,
            looks,
            audits,
            Repairs(audits, users, self.photo_upkeep, clock=self.clock),
            self.photo_upkeep,
            states,
            Terms(days=1, repair=True, dry_run=False, size=1, wait_for=lambda calls: 0.0),
            clock=self.clock,
            new_id=self._new_id,
        )
        return Upkeep(
            keeper,
            sweep,
            self.audit,
            cast(Uninstall, Ordered()),
            states,
            self.photo_upkeep,
            in_memory(self.clock),
            lengths=dict,
            **self._chance,
        )

    @property
    def _chance(self) -> dict[str, Any]:
        return {"clock": self.clock, "jitter": lambda: 0.5, "new_id": self._new_id}
