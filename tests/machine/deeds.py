"""Does what a history says, from outside the app: people, strangers, Microsoft 365, the host."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable

from shared.storage.user_state import FAILED
from shared.subscription import keeper
from tests.machine.fate import Storm
from tests.machine.history import INSTANCES, PROFILE_TROUBLES, SKEW, TROUBLES, Event
from tests.machine.judge import APART
from tests.machine.world import World


class Deeds:
    """Of each kind of event what it does to a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._deeds: dict[str, Callable[[Event], object]] = {
            "change": self._change,
            "flip": self._flip,
            "wink": self._wink,
            "stale": self._stale,
            "type": lambda event: self._type(event, force=False),
            "force": lambda event: self._type(event, force=True),
            "enable": lambda event: self._describe(event, "account_enabled"),
            "exclude": lambda event: self._describe(event, "is_excluded"),
            "group": lambda event: self._describe(event, "in_group"),
            "rename": self._rename,
            "move": self._move,
            "profile": self._profile,
            "find": lambda event: self._queue(event, "sweep"),
            "damage": self._damage,
            "trouble": self._trouble,
            "leave": self._leave,
            "restore": lambda event: self._restore(event, anew=False),
            "restore-anew": lambda event: self._restore(event, anew=True),
            "die": lambda event: self._world.end_instance(event.number % INSTANCES),
            "blackout": lambda event: self._blackout(),
            "storm": self._storm,
            "audit": lambda event: self._world.instances[0].audit.order(repair=True),
            "sweep": lambda event: self.upkeep("sweep"),
            "missed": lambda event: self._missed(),
            "lapse": self._lapse,
            "expire": lambda event: self._world.services.subscriptions.expire(),
            "removed": lambda event: self._removed(),
            "reauthorize": lambda event: self._reauthorize(),
            "renew": lambda event: self.upkeep("renew"),
            "lose-upkeep": self._lose_upkeep,
            "double": self._double,
            "clear": lambda event: self._clear(),
            "erase": self._erase,
            "outage": self._outage,
            "clock": self._clock,
        }

    def do(self, event: Event) -> None:
        """Have it happen now."""
        self._deeds[event.kind](event)

    def _user(self, event: Event) -> str:
        return self._world.exchange.everybody[event.user]

    def _is_ours(self, user_id: str) -> bool:
        """Whether anybody can know of a picture: where a person took that away, it stays."""
        judge = self._world.judge
        return user_id not in judge.erased or judge.state(user_id).picture_url != ""

    def _change(self, event: Event) -> None:
        """A photo is changed, changed back or removed; Graph tells soon, late, twice or never."""
        world, user_id = self._world, self._user(event)
        now = world.exchange.photos.get(user_id)
        album = [*world.exchange.album(user_id)[:2], *([None] if self._is_ours(user_id) else [])]
        others = [each for each in album if each != now]
        chosen = others[event.number % len(others)]
        world.change(user_id, lambda: world.exchange.put(user_id, chosen))
        self._tell(event, user_id)

    def _flip(self, event: Event) -> None:
        """A photo is changed, and changed back a moment later; Graph tells twice in all."""
        exchange, user_id = self._world.exchange, self._user(event)
        before = exchange.photos.get(user_id)
        if user_id not in exchange.users or before is None:
            return
        other = next(each for each in exchange.album(user_id) if each != before)
        first = 2 if event.seconds == 60.0 else 1
        for delay, photo, times in ((0.0, other, first), (0.5 + event.number, before, 2 - first)):
            self._world.after(delay, functools.partial(self._put, user_id, photo, times))

    def _stale(self, event: Event) -> None:
        """While a sweep is at work a photo changes, and is put back; Graph tells of the first."""
        exchange, user_id = self._world.exchange, self._user(event)
        before = exchange.photos.get(user_id)
        self.upkeep("sweep")
        if user_id not in exchange.users or before is None:
            return
        other = next(each for each in exchange.album(user_id) if each != before)
        changes = event.number / 4
        back = changes + 1 + event.number % 5
        self._world.after(changes, functools.partial(self._put, user_id, other))
        self._world.after(back, functools.partial(self._put, user_id, before, 0))

    def _wink(self, event: Event) -> None:
        """A photo is gone until a sweep has it removed, is back at that moment, and gone again."""
        exchange, user_id = self._world.exchange, self._user(event)
        photo = exchange.photos.get(user_id)
        if user_id not in exchange.users or photo is None or not self._is_ours(user_id):
            return
        # The next sweep misses it, and the one after that has it removed.
        self._put(user_id, None, 0)
        period = self._world.between_sweeps
        back = period - self._world.seconds % period + period + event.number / 2
        self._world.after(back, functools.partial(self._put, user_id, photo))
        again = back + event.seconds / 4
        self._world.after(again, functools.partial(self._put, user_id, None))

    def _put(self, user_id: str, photo: bytes | None, times: int = 1) -> None:
        if photo is None and not self._is_ours(user_id):
            return
        self._world.change(user_id, lambda: self._world.exchange.put(user_id, photo))
        for _ in range(times):
            self._world.notify(user_id)

    def _tell(self, event: Event, user_id: str) -> None:
        for delay in ((0.1,), (0.1, 0.1), (5.0,), (), (event.seconds, 0.1))[event.number % 5]:
            self._world.after(delay, lambda: self._world.notify(user_id))

    def _describe(self, event: Event, what: str) -> None:
        """An account is disabled, enabled, or its membership in one of the two groups changes."""
        exchange, user_id = self._world.exchange, self._user(event)
        user = exchange.users.get(user_id)
        if user:
            fields = {what: not getattr(user, what)}
            self._world.change(user_id, lambda: exchange.describe(user_id, **fields))
            self._tell(event, user_id)

    def _rename(self, event: Event) -> None:
        """Somebody gets another UPN, and SharePoint's profile with it."""
        exchange, user_id = self._world.exchange, self._user(event)
        if user_id in exchange.users:
            exchange.rename(user_id, f"{event.key.replace('/', '.')}@contoso.com")

    def _move(self, event: Event) -> None:
        """Somebody moves to another geography, where the same photo is written once more."""
        self._world.judge.disturbed.add(self._user(event))
        self._world.sharepoint.move(self._user(event))

    def _profile(self, event: Event) -> None:
        """A profile is not there, or is being moved, until it is well again."""
        troubles, user_id = self._world.sharepoint.troubles, self._user(event)
        self._world.judge.told.discard(user_id)
        # Of a profile that was not there nobody knows what it shows when it is.
        self._world.judge.disturbed.add(user_id)
        if troubles.pop(user_id, None) is None:
            troubles[user_id] = PROFILE_TROUBLES[event.number % len(PROFILE_TROUBLES)]

    def _blackout(self) -> None:
        """All instances die."""
        for number in range(INSTANCES):
            self._world.end_instance(number)

    def _type(self, event: Event, *, force: bool) -> None:
        """A person has a user looked at again."""
        if force:
            self._world.judge.disturbed.add(self._user(event))
        user_id = self._user(event)
        by_name = event.number % 3 == 0
        name = self._world.exchange.name_of(user_id) if by_name else user_id
        self.order(name, "replay", force=force)

    def _queue(self, event: Event, reason: str) -> None:
        self.order(self._user(event), reason)

    def order(self, name: str, reason: str, *, force: bool = False) -> None:
        fields = {"userId": name, "reason": reason, "force": force, "attempt": 1}
        text = json.dumps({**fields, "firstQueuedAt": self._world.now.isoformat()})
        self._world.services.photo_sync.put(text)

    def upkeep(self, text: str) -> None:
        self._world.services.photo_upkeep.put(text)

    def _damage(self, event: Event) -> None:
        """A stranger changes one of the three files, or the profile; nobody tells."""
        world, user_id = self._world, self._user(event)
        sharepoint = world.sharepoint
        is_home = sharepoint.home(user_id) in sharepoint.urls[user_id]
        if is_home and len(sharepoint.files(user_id)) == 3:
            world.sharepoint.damage(user_id, event.number % 4)
            world.judge.damaged.add(user_id)

    def _trouble(self, event: Event) -> None:
        """One mailbox refuses, breaks, vanishes or answers oddly, until it is well again."""
        user_id, trouble = self._user(event), TROUBLES[event.number % len(TROUBLES)]
        self._world.judge.told.discard(user_id)
        self._world.exchange.troubles.pop(user_id, None)
        if trouble:
            self._world.exchange.troubles[user_id] = trouble

    def _leave(self, event: Event) -> None:
        """A user is deleted, of which Graph tells, or does not."""
        world, user_id = self._world, self._user(event)
        is_known = user_id in world.exchange.users and self._is_ours(user_id)
        if is_known and len(world.exchange.users) > 1:
            world.change(user_id, lambda: world.exchange.leave(user_id))
            if event.number % 2:
                world.notify(user_id, "deleted")

    def _restore(self, event: Event, *, anew: bool) -> None:
        """Somebody is restored, with the profile of old or a new one without a picture."""
        world = self._world
        if not world.exchange.left:
            return
        user_id = next(iter(world.exchange.left))
        # A profile outlives its user for weeks, in which a sweep has looked.
        if anew and world.judge.state(user_id).left_since:
            world.sharepoint.urls[user_id] = ""
        # Whoever comes back out of scope is copied once more when that is over.
        world.judge.disturbed.add(user_id)
        world.change(user_id, lambda: world.exchange.restore(user_id))
        self._tell(event, user_id)

    def _storm(self, event: Event) -> None:
        """
        Many of a service's calls fail for a while.

        Of storage's no more than a third: half of them were carried out, and each message that was
        put into a queue so is one more. At nine in ten for hours they would be thousands.
        """
        service = ("graph", "sharepoint", "storage")[event.number % 3]
        rate = (0.1, 0.3, 0.9 if service != "storage" else 0.3)[event.number // 4]
        until = self._world.seconds + event.seconds
        self._world.storms.append(Storm(event.key, service, rate, until))

    def _missed(self) -> None:
        """Graph could not deliver something, and says so."""
        if self._world.services.subscriptions.live:
            self._world.judge.missed_at = self._world.now
        self._lifecycle("missed")

    def _lapse(self, event: Event) -> None:
        """The subscription is gone; somebody may find out before the timer does."""
        self._world.services.subscriptions.lose()
        if event.number % 3:
            self._world.after(event.seconds, lambda: self.upkeep("renew"))

    def _reauthorize(self) -> None:
        """Graph wants the subscription reauthorized, unless it was a moment ago."""
        subscriptions = self._world.services.subscriptions
        renewed_at = subscriptions.renewed_at
        if renewed_at is None or self._world.now - renewed_at > keeper.APART + APART:
            subscriptions.doubt()
        self._lifecycle("reauthorizationRequired")

    def ask_again(self) -> None:
        """Graph repeats what is still to be done."""
        if self._world.services.subscriptions.deaf:
            self._lifecycle("reauthorizationRequired")

    def _removed(self) -> None:
        """Graph takes the subscription away, and says so."""
        self._lifecycle("subscriptionRemoved")
        self._world.services.subscriptions.lose(told=True)

    def _lifecycle(self, kind: str) -> None:
        self._world.post({"lifecycleEvent": kind})

    def _lose_upkeep(self, event: Event) -> None:
        """A message of upkeep that is yet to come will be lost altogether."""
        self._world.lost_after = event.number % 4 + 1

    def _double(self, event: Event) -> None:
        """The host delivers a message twice."""
        for queue in self._world.queues:
            for message in queue.messages[: 1 + event.number]:
                queue.put(message.body)

    def _clear(self) -> None:
        """A person clears the queue of users."""
        queue = self._world.services.photo_sync
        for message in queue.messages:
            user_id = self._world.user_of(message.body)
            self._world.judge.told.discard(user_id)
            self._world.judge.erased.add(user_id)
            self._world.judge.cleared.add(user_id)
        queue.messages.clear()

    def _erase(self, event: Event) -> None:
        """A person deletes the state of a user."""
        user_id = self._user(event)
        if user_id in self._world.exchange.photos and user_id in self._world.exchange.users:
            judge = self._world.judge
            if judge.state(user_id).status == FAILED:
                # The message has ended, and what told of it is gone: only a sweep finds out.
                judge.told.discard(user_id)
            self._world.services.blobs.texts.pop(user_id, None)
            judge.erased.add(user_id)

    def _outage(self, event: Event) -> None:
        """Every mailbox seems to be without a photo."""
        self._world.exchange.outage = event.number + 1
        self._world.after(event.seconds, self.end_outage)

    def end_outage(self) -> None:
        """All mailboxes tell the truth again."""
        if self._world.exchange.outage:
            self._world.exchange.outage = 0
            # Whoever looked meanwhile was misled.
            self._world.judge.told.clear()

    def _clock(self, event: Event) -> None:
        """The clock of an instance is set."""
        skew = (-SKEW / 2, 0.0, SKEW / 2)[event.number // 4]
        self._world.set_clock(event.number % INSTANCES, skew)
