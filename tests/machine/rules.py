"""What can happen, in any order: a state machine for hypothesis."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.errors import (
    AccessDenied,
    NoMailbox,
    PhotoSyncError,
    Refused,
    ServiceDown,
    Throttled,
    Unanswered,
)
from shared.storage.user_state import FAILED
from tests.machine.jobs import Died, Job, Order
from tests.machine.storage import MemoryQueue, Message
from tests.machine.world import PHOTOS, Parts, World

# Which of several: whoever picks says of how many.
which = st.integers(0, 11)
RUNS_AT_ONCE = 3
BAD_LUCK = (
    Died(),
    Throttled("Slow down."),
    Throttled("Come back later.", retry_after=900),
    ServiceDown("Broken."),
)
# What one mailbox answers while others are well; None: it is well again.
TROUBLES = (
    None,
    None,
    AccessDenied("graph answered 403."),
    Unanswered("graph answered 504."),
    NoMailbox("No mailbox."),
    Refused("graph answered 404 odd."),
)


class Changes(RuleBasedStateMachine):
    """Users change photos, and runs of the app meet while they do. Nothing fails."""

    parts: ClassVar[Parts] = Parts()
    users: ClassVar[int] = 1
    photos: ClassVar[tuple[bytes | None, ...]] = PHOTOS[:2]
    # How far a run comes before something else happens: to a call of this kind, or to its end.
    stops: ClassVar[tuple[str, ...]] = ("photo_etag", "plan", "write blob", "end")
    minutes: ClassVar[tuple[int, ...]] = (6,)
    messages: ClassVar[tuple[int, ...]] = (0, 2)

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.parts, self.users)
        # Notifications that Graph owes us, each the id of a user.
        self.owed: list[str] = []

    @initialize()
    def begin(self) -> None:
        """Every user has a photo, which SharePoint shows."""
        self.start(etags_return=True)

    def start(self, *, etags_return: bool) -> None:
        self.world.exchange.etags_return = etags_return
        for user_id in self.world.users:
            self.world.exchange.put(user_id, self.photos[0])
            self.world.notify(user_id)
        self.world.become_quiet()

    @rule(user=which, photo=which, told=which)
    def change_photo(self, user: int, photo: int, told: int) -> None:
        """A photo is changed, changed back or removed; Graph tells at once, twice, or owes it."""
        user_id = self._user(user)
        now = self.world.exchange.photos.get(user_id)
        others = [each for each in self.photos if each != now]
        chosen = others[photo % len(others)]
        self.world.change(user_id, lambda: self.world.exchange.put(user_id, chosen))
        messages = self.messages[told % len(self.messages)]
        for _ in range(messages):
            self.world.notify(user_id)
        if not messages:
            self.owed.append(user_id)

    @precondition(lambda self: self.world.jobs or self._ready())
    @rule(which=which, until=which)
    def run(self, which: int, until: int) -> None:
        """A run goes on, or the host gives a message to another one."""
        jobs: list[Job | None] = list(self.world.jobs)
        ready = self._ready() if len(jobs) < RUNS_AT_ONCE else []
        job = (jobs + [None] * len(ready))[which % (len(jobs) + len(ready))]
        if job is None:
            job = self.world.begin(*ready[which % len(ready)])
        stop = self.stops[until % len(self.stops)]
        self.world.tell(job)
        while job.call not in {None, stop} and stop != "next":
            self.world.tell(job)

    @rule(minutes=which)
    def pass_time(self, minutes: int) -> None:
        self.world.pass_time(timedelta(minutes=self.minutes[minutes % len(self.minutes)]))

    @invariant()
    def nothing_is_wrong(self) -> None:
        """Nothing was done that must not be, and no state says what is not so."""
        self.world.forgive()
        assert self.world.wrongs == []
        assert list(self.world.lies()) == []

    def check_quiet(self) -> None:
        """Whoever was told of the last change has it, without any sweep."""
        world = self.world
        self.nothing_is_wrong()
        told = {each for each in world.told if world.state(each).status != FAILED}
        told -= world.exchange.troubles.keys() | world.damaged
        assert list(world.missed(told & set(world.exchange.photos))) == []

    def check_end(self) -> None:
        self.world.become_quiet()
        self.check_quiet()

    def teardown(self) -> None:
        try:
            # Not after something was found wrong already: that is what is to be told.
            if not self.world.wrongs:
                self.check_end()
        finally:
            self.world.stop()

    def _ready(self) -> list[tuple[MemoryQueue, Message]]:
        queues = self.world.photo_sync, self.world.photo_upkeep
        return [(queue, message) for queue in queues for message in queue.visible()]

    def _user(self, number: int) -> str:
        return self.world.users[number % len(self.world.users)]

    def _job(self, number: int) -> Job:
        return list(self.world.jobs)[number % len(self.world.jobs)]


class Machine(Changes):
    """The same with bad luck of every kind, and sweeps."""

    users = 2
    photos = (*PHOTOS, None)
    stops = ("next", "photo_etag", "plan", "write", "write blob", "end")
    minutes = (1, 4, 6, 11, 16, 61)
    messages = (0, 1, 2)

    @initialize(etags_return=st.booleans())
    def begin(self, etags_return: bool) -> None:
        """The etag of a photo returns with its bytes, or it is new at every upload."""
        self.start(etags_return=etags_return)

    @rule(user=which, enabled=st.booleans())
    def enable(self, user: int, enabled: bool) -> None:
        user_id = self._user(user)
        self.world.change(user_id, lambda: self.world.exchange.enable(user_id, enabled))
        self.owed.append(user_id)

    @precondition(lambda self: self.owed)
    @rule(item=which, lost=st.sampled_from((False, False, True)), doubled=st.booleans())
    def notify(self, item: int, lost: bool, doubled: bool) -> None:
        """Graph sends its notifications in any order, or not at all."""
        user_id = self.owed.pop(item % len(self.owed))
        for _ in range(0 if lost else 1 + doubled):
            self.world.notify(user_id)

    @rule(user=which, trouble=st.sampled_from(TROUBLES))
    def trouble(self, user: int, trouble: PhotoSyncError | None) -> None:
        """One mailbox refuses, breaks, vanishes or answers oddly, until it is well again."""
        user_id = self._user(user)
        self.world.told.discard(user_id)
        self.world.exchange.troubles.pop(user_id, None)
        if trouble:
            self.world.exchange.troubles[user_id] = trouble

    @rule(user=which, place=st.integers(0, 3))
    def damage(self, user: int, place: int) -> None:
        """A stranger changes what SharePoint shows of a user; nobody tells."""
        self.world.damage(self._user(user), place)

    @rule()
    def audit(self) -> None:
        """The timer wakes the audit."""
        self.world.photo_upkeep.put("audit")

    @precondition(lambda self: len(self.world.users) > 1)
    @rule(user=which, kind=st.sampled_from(("updated", "deleted")))
    def leave(self, user: int, kind: str) -> None:
        """A user is deleted, of which Graph tells, or does not yet."""
        user_id = self._user(user)
        self.world.change(user_id, lambda: self.world.exchange.leave(user_id))
        if kind == "deleted":
            self.world.post([{"changeType": kind, "resource": f"users/{user_id}"}])
        else:
            self.owed.append(user_id)

    @precondition(lambda self: self.world.exchange.left)
    @rule(new_profile=st.booleans())
    def restore(self, new_profile: bool) -> None:
        """Somebody is restored, with the profile of old or a new one without a picture."""
        user_id = next(iter(self.world.exchange.left))
        # A profile outlives its user for weeks, in which a sweep has looked.
        if new_profile and self.world.state(user_id).left_since:
            self.world.sharepoint.urls[user_id] = ""
        # Whoever comes back out of scope is copied once more when that is over.
        self.world.disturbed.add(user_id)
        self.world.change(user_id, lambda: self.world.exchange.restore(user_id))
        self.owed.append(user_id)

    @rule(missed=st.booleans())
    def tick(self, missed: bool) -> None:
        """The timer, or Graph's word that it has dropped notifications, starts a sweep."""
        if missed:
            self.world.post([{"lifecycleEvent": "missed", "subscriptionId": "s"}])
        else:
            self.world.photo_upkeep.put("sweep")

    @precondition(lambda self: self.world.jobs)
    @rule(job=which, luck=st.sampled_from(BAD_LUCK), carried_out=st.booleans())
    def bad_luck(self, job: int, luck: BaseException, carried_out: bool) -> None:
        """A call is throttled or fails, or the process dies, perhaps after it was carried out."""
        chosen = self._job(job)
        if chosen.call == "start" or isinstance(luck, Throttled):
            carried_out = False
        if chosen.call == "start" and not isinstance(luck, Died):
            return
        if carried_out and chosen.call == "write" and isinstance(luck, ServiceDown):
            luck = Unanswered("No answer.")
        self.world.tell(chosen, Order(carried_out, luck))

    @precondition(lambda self: self._ready())
    @rule(message=which)
    def mislay_or_double(self, message: int) -> None:
        """The host delivers a message twice; of a sweep's it may lose one altogether."""
        queue, chosen = self._ready()[message % len(self._ready())]
        if queue is self.world.photo_upkeep and message % 2:
            queue.messages.remove(chosen)
        else:
            queue.put(chosen.body)

    @precondition(lambda self: not self.world.jobs)
    @rule()
    def become_quiet(self) -> None:
        self.world.become_quiet()
        self.check_quiet()

    def check_end(self) -> None:
        """After quiet, sweeps and an audit SharePoint equals Exchange for everybody in scope."""
        super().check_end()
        # The first may only end one that was interrupted; a removal takes two looks.
        self.world.sweep(3)
        self.world.audit_everybody(2)
        self.nothing_is_wrong()
        troubled = self.world.exchange.troubles
        assert list(self.world.missed(set(self.world.users) - troubled.keys())) == []
        assert list(self.world.unsaid(set(troubled))) == []
        # A day and a sweep after all are well again, nothing is left of it; nor of who has left.
        troubled.clear()
        self.world.become_quiet()
        self.world.sweep(3)
        self.world.audit_everybody(1)
        assert list(self.world.missed(set(self.world.users))) == []
        assert list(self.world.remains()) == []
        assert list(self.world.overlooked()) == []
