"""The events of a history: what users, admins, Microsoft 365 and the host do to the app."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable

from shared.storage.user_state import FAILED
from shared.subscription import keeper
from tests.machine.faults import Storm
from tests.machine.history import INSTANCES, PROFILE_TROUBLES, SKEW, TROUBLES, Event
from tests.machine.oracle import APART
from tests.machine.world import World


class Actions:
    """What each kind of event does to a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._actions: dict[str, Callable[[Event], object]] = {
            "change": self._change,
            "flip": self._flip,
            "flicker": self._flicker,
            "stale": self._stale,
            "replay": lambda event: self._replay(event, force=False),
            "force": lambda event: self._replay(event, force=True),
            "enable": lambda event: self._toggle(event, "account_enabled"),
            "exclude": lambda event: self._toggle(event, "is_excluded"),
            "group": lambda event: self._toggle(event, "in_group"),
            "rename": self._rename,
            "move": self._move,
            "profile": self._profile,
            "find": lambda event: self.order(self._user(event), "sweep"),
            "damage": self._damage,
            "trouble": self._trouble,
            "leave": self._leave,
            "restore": lambda event: self._restore(event, new_profile=False),
            "restore-new": lambda event: self._restore(event, new_profile=True),
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

    def perform(self, event: Event) -> None:
        self._actions[event.kind](event)

    def _user(self, event: Event) -> str:
        return self._world.exchange.everybody[event.user]

    def _is_ours(self, user_id: str) -> bool:
        """Whether the app can know that the user's picture is its own; not after a deletion."""
        oracle = self._world.oracle
        return user_id not in oracle.erased or oracle.state(user_id).picture_url != ""

    def _change(self, event: Event) -> None:
        """A photo changes or is removed; Graph sends a notification soon, late, twice or never."""
        world, user_id = self._world, self._user(event)
        now = world.exchange.photos.get(user_id)
        album = [*world.exchange.album(user_id)[:2], *([None] if self._is_ours(user_id) else [])]
        others = [each for each in album if each != now]
        chosen = others[event.number % len(others)]
        world.change(user_id, lambda: world.exchange.put(user_id, chosen))
        self._notify(event, user_id)

    def _flip(self, event: Event) -> None:
        """A photo changes, and changes back a moment later; Graph sends two notifications."""
        exchange, user_id = self._world.exchange, self._user(event)
        before = exchange.photos.get(user_id)
        if user_id not in exchange.users or before is None:
            return
        other = next(each for each in exchange.album(user_id) if each != before)
        first = 2 if event.seconds == 60.0 else 1
        for delay, photo, times in ((0.0, other, first), (0.5 + event.number, before, 2 - first)):
            self._world.after(delay, functools.partial(self._put, user_id, photo, times))

    def _stale(self, event: Event) -> None:
        """During a sweep a photo changes, and changes back; Graph notifies of the first change."""
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

    def _flicker(self, event: Event) -> None:
        """A photo is missing until a sweep orders the removal, then back, then missing again."""
        exchange, user_id = self._world.exchange, self._user(event)
        photo = exchange.photos.get(user_id)
        if user_id not in exchange.users or photo is None or not self._is_ours(user_id):
            return
        # The next sweep finds it missing, and the one after that orders the removal.
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

    def _notify(self, event: Event, user_id: str) -> None:
        for delay in ((0.1,), (0.1, 0.1), (5.0,), (), (event.seconds, 0.1))[event.number % 5]:
            self._world.after(delay, lambda: self._world.notify(user_id))

    def _toggle(self, event: Event, field: str) -> None:
        """An account is disabled or enabled, or joins or leaves one of the two groups."""
        exchange, user_id = self._world.exchange, self._user(event)
        user = exchange.users.get(user_id)
        if user:
            fields = {field: not getattr(user, field)}
            self._world.change(user_id, lambda: exchange.update(user_id, **fields))
            self._notify(event, user_id)

    def _rename(self, event: Event) -> None:
        """A user gets another UPN, in Exchange and in SharePoint."""
        exchange, user_id = self._world.exchange, self._user(event)
        if user_id in exchange.users:
            exchange.rename(user_id, f"{event.key.replace('/', '.')}@contoso.com")

    def _move(self, event: Event) -> None:
        """A user moves to another geography, where the same photo is written again."""
        self._world.oracle.disrupted.add(self._user(event))
        self._world.sharepoint.move(self._user(event))

    def _profile(self, event: Event) -> None:
        """A profile is missing or being moved, or is available again."""
        troubles, user_id = self._world.sharepoint.troubles, self._user(event)
        self._world.oracle.notified.discard(user_id)
        # What a missing profile shows when it is back is not known.
        self._world.oracle.disrupted.add(user_id)
        if troubles.pop(user_id, None) is None:
            troubles[user_id] = PROFILE_TROUBLES[event.number % len(PROFILE_TROUBLES)]

    def _blackout(self) -> None:
        """All instances die."""
        for number in range(INSTANCES):
            self._world.end_instance(number)

    def _replay(self, event: Event, *, force: bool) -> None:
        """An admin replays a user, by object id or by name."""
        user_id = self._user(event)
        if force:
            self._world.oracle.disrupted.add(user_id)
        by_name = event.number % 3 == 0
        name = self._world.exchange.name_of(user_id) if by_name else user_id
        self.order(name, "replay", force=force)

    def order(self, name: str, reason: str, *, force: bool = False) -> None:
        fields = {"userId": name, "reason": reason, "force": force, "attempt": 1}
        text = json.dumps({**fields, "firstQueuedAt": self._world.now.isoformat()})
        self._world.services.photo_sync.put(text)

    def upkeep(self, text: str) -> None:
        self._world.services.photo_upkeep.put(text)

    def _damage(self, event: Event) -> None:
        """Something else changes one of the three files, or the profile; Graph does not notify."""
        sharepoint, user_id = self._world.sharepoint, self._user(event)
        is_home = sharepoint.home(user_id) in sharepoint.urls[user_id]
        if is_home and len(sharepoint.files(user_id)) == 3:
            sharepoint.damage(user_id, event.number % 4)
            self._world.oracle.damaged.add(user_id)

    def _trouble(self, event: Event) -> None:
        """One mailbox starts to answer with an error, or works again."""
        user_id, trouble = self._user(event), TROUBLES[event.number % len(TROUBLES)]
        self._world.oracle.notified.discard(user_id)
        self._world.exchange.troubles.pop(user_id, None)
        if trouble:
            self._world.exchange.troubles[user_id] = trouble

    def _leave(self, event: Event) -> None:
        """A user is deleted, with or without a notification."""
        world, user_id = self._world, self._user(event)
        is_known = user_id in world.exchange.users and self._is_ours(user_id)
        if is_known and len(world.exchange.users) > 1:
            world.change(user_id, lambda: world.exchange.leave(user_id))
            if event.number % 2:
                world.notify(user_id, "deleted")

    def _restore(self, event: Event, *, new_profile: bool) -> None:
        """A user is restored, with the old profile or a new one without a picture."""
        world = self._world
        if not world.exchange.left:
            return
        user_id = next(iter(world.exchange.left))
        # A profile outlives its user for weeks, so a sweep has checked it by then.
        if new_profile and world.oracle.state(user_id).left_since:
            world.sharepoint.urls[user_id] = ""
        # A user who comes back out of scope is copied again once in scope.
        world.oracle.disrupted.add(user_id)
        world.change(user_id, lambda: world.exchange.restore(user_id))
        self._notify(event, user_id)

    def _storm(self, event: Event) -> None:
        """
        Many of a service's calls fail for a while.

        Of storage's at most three in ten: half of those calls were carried out, so each queued
        message may be queued again. At nine in ten for hours there would be thousands of them.
        """
        service = ("graph", "sharepoint", "storage")[event.number % 3]
        rate = (0.1, 0.3, 0.9 if service != "storage" else 0.3)[event.number // 4]
        until = self._world.seconds + event.seconds
        self._world.storms.append(Storm(event.key, service, rate, until))

    def _missed(self) -> None:
        """Graph reports that it could not deliver something."""
        if self._world.services.subscriptions.live:
            self._world.oracle.missed_at = self._world.now
        self._lifecycle("missed")

    def _lapse(self, event: Event) -> None:
        """The subscription is gone; an admin may order a renewal before the timer does."""
        self._world.services.subscriptions.remove_all()
        if event.number % 3:
            self._world.after(event.seconds, lambda: self.upkeep("renew"))

    def _reauthorize(self) -> None:
        """Graph requires a reauthorization, unless the last one is recent."""
        subscriptions = self._world.services.subscriptions
        renewed_at = subscriptions.renewed_at
        if renewed_at is None or self._world.now - renewed_at > keeper.APART + APART:
            subscriptions.require_reauthorization()
        self._lifecycle("reauthorizationRequired")

    def repeat_reauthorization(self) -> None:
        """Graph repeats its request if the subscription is still not reauthorized."""
        if self._world.services.subscriptions.unauthorized:
            self._lifecycle("reauthorizationRequired")

    def _removed(self) -> None:
        """Graph removes the subscription, and reports it."""
        self._lifecycle("subscriptionRemoved")
        self._world.services.subscriptions.remove_all(reported=True)

    def _lifecycle(self, kind: str) -> None:
        self._world.post({"lifecycleEvent": kind})

    def _lose_upkeep(self, event: Event) -> None:
        """One of the next messages for upkeep will be lost."""
        self._world.lost_after = event.number % 4 + 1

    def _double(self, event: Event) -> None:
        """The host delivers a message twice."""
        for queue in self._world.queues:
            for message in queue.messages[: 1 + event.number]:
                queue.put(message.body)

    def _clear(self) -> None:
        """An admin clears the queue of users."""
        queue = self._world.services.photo_sync
        for message in queue.messages:
            user_id = self._world.user_of(message.body)
            self._world.oracle.notified.discard(user_id)
            self._world.oracle.erased.add(user_id)
            self._world.oracle.cleared.add(user_id)
        queue.messages.clear()

    def _erase(self, event: Event) -> None:
        """An admin deletes the state of a user."""
        user_id = self._user(event)
        if user_id in self._world.exchange.photos and user_id in self._world.exchange.users:
            oracle = self._world.oracle
            if oracle.state(user_id).status == FAILED:
                # The message was processed, and its record is gone: only a sweep finds the user.
                oracle.notified.discard(user_id)
            self._world.services.blobs.texts.pop(user_id, None)
            oracle.erased.add(user_id)

    def _outage(self, event: Event) -> None:
        """Every mailbox seems to be without a photo."""
        self._world.exchange.outage = event.number + 1
        self._world.after(event.seconds, self.end_outage)

    def end_outage(self) -> None:
        """All mailboxes answer correctly again."""
        if self._world.exchange.outage:
            self._world.exchange.outage = 0
            # What was read meanwhile is wrong.
            self._world.oracle.notified.clear()

    def _clock(self, event: Event) -> None:
        """The clock of an instance is set."""
        skew = (-SKEW / 2, 0.0, SKEW / 2)[event.number // 4]
        self._world.skews[event.number % INSTANCES] = skew
