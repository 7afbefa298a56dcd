"""What must never be true, and what must be true once all messages are processed."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from shared.storage import user_state
from shared.storage.user_state import SECOND_LOOK_AFTER, UserState
from shared.subscription import keeper
from shared.sweeping import sweep_log, sweep_rules
from tests.machine.history import SKEW
from tests.machine.instance import FORGET_AFTER, Services
from tests.machine.instance_budget import BUDGET_WINDOW
from tests.machine.jobs import Job, current
from tests.machine.sharepoint import SharePoint
from tests.machine.tenant import Look
from tests.race.world import sha256

# The clocks of two instances differ by this much at most.
APART = timedelta(seconds=SKEW)
# In an outage of length T a message is tried about log T times; no outage here lasts a week.
MOST_ATTEMPTS = 60


class Oracle:
    """Knows everything, also what the app cannot know, and collects the app's `violations`."""

    def __init__(self, services: Services, sharepoint: SharePoint) -> None:
        self._services = services
        self._exchange = services.exchange
        self._sharepoint = sharepoint
        self.violations: list[str] = []
        # Users of whose last change a notification was sent, or a worker has read the photo.
        self.notified: set[str] = set()
        # Users with a run that has died, was frozen or got an error when it wrote.
        self.disrupted: set[str] = set()
        # Users whose state an admin has deleted, or whose messages an admin has cleared.
        self.erased: set[str] = set()
        # Those whose messages were cleared.
        self.cleared: set[str] = set()
        # Users whose picture was changed directly in SharePoint, and is not repaired yet.
        self.damaged: set[str] = set()
        self._writers: defaultdict[str, list[Job | None]] = defaultdict(list)
        self._looks_at_copy: defaultdict[str, int] = defaultdict(int)
        # Users who have a photo and whose picture was removed, by the outage and the sweep.
        self._removed_in_outage: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
        self._calls: defaultdict[object, deque[datetime]] = defaultdict(deque)
        # When Graph last reported that it could not deliver something.
        self.missed_at: datetime | None = None
        # When a message that starts or continues a sweep was lost.
        self.sweep_lost_at: datetime | None = None
        # The id of the live subscription when all messages were processed.
        self._subscription_at_rest = ""
        # The text of each run's message.
        self.orders: dict[Job, str] = {}

    def state(self, user_id: str) -> UserState:
        known = self._services.blobs.texts.get(user_id)
        return user_state.from_json(user_id, known[0]) if known else UserState(user_id)

    def report(self, violation: str) -> None:
        self.violations.append(violation)

    def profile_call(self, process: object, limit: int, now: datetime) -> None:
        """A profile call of *process*, which may make *limit* of them in any five minutes."""
        made = self._calls[process]
        made.append(now)
        while now - made[0] >= BUDGET_WINDOW:
            made.popleft()
        if limit and len(made) > limit:
            self.report(f"{len(made)} profile calls in five minutes, of {limit}")

    def queued(self, text: str) -> None:
        """A message was put into queue `photo-sync`."""
        if json.loads(text).get("attempt", 1) > MOST_ATTEMPTS:
            self.report(f"a message is retried forever: {text}")

    def written(self, user_id: str, by: Job | None) -> None:
        """A file or the profile of a user was written by this run."""
        if by and by.is_over and user_id in self.erased:
            # This late, only the claim would have kept others from writing; an admin deleted it.
            self.damaged.add(user_id)
        writers = self._writers[user_id]
        if writers and writers[-1] is by:
            return
        # Without the state there is no claim: both write, and one of them writes again.
        if by in writers and user_id not in self.erased:
            self.report(f"two runs wrote at once for {user_id}")
        writers.append(by)

    def before_write(self, user_id: str, photo: bytes) -> None:
        """A run is about to write the files of this photo."""
        if not photo.startswith(user_id.encode()):
            self.report(f"{user_id} gets another user's picture")
        calm = user_id not in self.disrupted | self.erased
        if calm and self._sharepoint.shows(user_id, photo):
            self.report(f"the same photo is written twice for {user_id}")

    def before_removal(self, user_id: str) -> Callable[[], None]:
        """A run is about to remove a picture; returns a function to call if it does."""
        violations = list(self._removal_errors(user_id))
        return lambda: self.violations.extend(violations)

    def after_run(self, user_id: str) -> None:
        """Once a run has ended, the user's state must agree with SharePoint."""
        self.drop_repaired()
        recorded = self.state(user_id)
        if recorded.status == user_state.SYNCED and not recorded.claim:
            # There is a photo: earlier reads without one do not count.
            self._looks_at_copy[user_id] = len(self._exchange.looks[user_id])
        if user_id in self.damaged | self.erased or user_id in self._exchange.left:
            return
        known = self.state(user_id)
        # The profile of a user who was just restored is not checked yet, and may be a new one.
        if known.left_since or known.claim or not known.sha256:
            return
        held = [each for each in self._exchange.album(user_id) if sha256(each) == known.sha256]
        if held and not self._sharepoint.shows(user_id, held[0]):
            self.report(f"the state of {user_id} names a photo that SharePoint does not show")

    def drop_repaired(self) -> None:
        """
        Take users off `damaged` whose picture is right again.

        No picture is right only if the state names none, and was not deleted: a profile that was
        emptied and moved shows none either.
        """
        for user_id in list(self.damaged):
            named = self.state(user_id).sha256 or user_id in self.erased
            nothing = [] if named else [None]
            photos = [*self._exchange.album(user_id), *nothing]
            if any(self._sharepoint.shows(user_id, photo) for photo in photos):
                self.damaged.discard(user_id)

    def end_day(self) -> None:
        """At the end of a day everything is repaired, or was reported."""
        for user_id in self._exchange.everybody:
            # Other users are not processed yet.
            if self.state(user_id).status == user_state.SYNCED:
                self.disrupted.discard(user_id)
                self.erased.discard(user_id)
                self.cleared.discard(user_id)
        self._writers.clear()
        self.orders.clear()

    def mismatches(self, user_ids: set[str]) -> Iterator[str]:
        """Those of these users in scope whose picture in SharePoint is not that of Exchange."""
        for user_id in sorted(user_ids):
            photo = self._exchange.photos.get(user_id)
            shown = self._sharepoint.shows(user_id, photo)
            if self._exchange.is_in_scope(user_id) and not shown:
                files = dict(self._sharepoint.files(user_id)), self._sharepoint.urls[user_id]
                yield f"{user_id} has {photo!r}, SharePoint shows {files}: {self.state(user_id)}"

    def overdue(self, busy: set[str]) -> Iterator[str]:
        """Users not *busy* whose last change was notified, and whose picture does not show it."""
        self.drop_repaired()
        due = {each for each in self.notified if self.state(each).status != user_state.FAILED}
        due -= self.troubled_users() | self.damaged | self.cleared | busy
        return self.mismatches(due & set(self._exchange.photos))

    def unreported(self, user_ids: set[str]) -> Iterator[str]:
        """Users with a picture whose mailbox answers with an error that is not in their state."""
        for user_id in sorted(user_ids):
            known, error = self.state(user_id), self._exchange.troubles[user_id]
            is_named = known.reason in {error.code, "gave-up"}
            if self._exchange.is_in_scope(user_id) and known.picture_url and not is_named:
                yield f"{error!r} is not in {known}"

    def troubled_users(self) -> set[str]:
        """Users whose mailbox or profile answers with an error."""
        return self._exchange.troubles.keys() | self._sharepoint.troubles.keys()

    def leftovers(self) -> Iterator[str]:
        """Pictures and states of users who have left, and claims of ended runs."""
        for user_id in self._exchange.left:
            shown = dict(self._sharepoint.files(user_id)), self._sharepoint.urls[user_id]
            if user_id in self._services.blobs.texts or any(shown):
                yield f"{user_id} has left, and there are {shown}, {self.state(user_id)}"
        for user_id in self._exchange.users:
            # Out of scope, a claim stays: it makes the next run check the picture.
            if self._exchange.is_in_scope(user_id) and self.state(user_id).claim:
                yield f"a claim is left: {self.state(user_id)}"

    def wrongly_synced(self) -> Iterator[str]:
        """Users out of scope whose state still says that they are synced."""
        for user_id in self._exchange.users:
            in_scope = self._exchange.is_in_scope(user_id)
            if not in_scope and self.state(user_id).status == user_state.SYNCED:
                yield f"{user_id} is out of scope, and {self.state(user_id)}"

    def bad_subscription(self) -> Iterator[str]:
        """
        A violation unless exactly one subscription is live, and the console has its id.

        If a run dies, or gets no answer, before it records the id, only Graph's list has the
        subscription. If Graph hides it there and allows another, notifications come twice until the
        first one expires.
        """
        subscriptions = self._services.subscriptions
        recorded = self._document(keeper.NAME)
        found = [recorded.get("id")] == list(subscriptions.live)
        if subscriptions.hides and not subscriptions.refuses_second:
            found = recorded.get("id") in subscriptions.live
        is_unauthorized = recorded.get("id") in subscriptions.unauthorized
        if not found or recorded.get("status") != "live" or is_unauthorized:
            yield f"Graph has {list(subscriptions.live)}, and {keeper.NAME} says {recorded}"

    def note_subscription(self) -> None:
        """Record the live subscription: from now on there is no reason to create another."""
        self._subscription_at_rest = self._document(keeper.NAME).get("id", "")

    def recreated_subscription(self) -> Iterator[str]:
        """A violation unless the subscription is the recorded one."""
        now = self._document(keeper.NAME).get("id", "")
        if now != self._subscription_at_rest:
            yield f"subscription {self._subscription_at_rest} was live, and {now} replaced it"

    def missing_sweep(self) -> Iterator[str]:
        """
        A violation unless a sweep ran since the newest subscription was created, and since Graph
        reported missed notifications: each of the two queues a message for a sweep.

        If such a message is lost, the hourly timer starts the next sweep. Without timers, none
        starts; and if the message for the next page of a running sweep is lost, later sweeps wait.
        """
        moments = [self._services.subscriptions.made_at, self.missed_at]
        since = max([each for each in moments if each], default=None)
        lost_at = self.sweep_lost_at
        if since is None or (lost_at and since <= lost_at):
            return
        newest = self._document(f"sweeps/{self._document(sweep_log.LATEST).get('id')}.json")
        worked = newest.get("updatedAt")
        if lost_at and newest.get("status") == sweep_log.RUNNING:
            if datetime.fromisoformat(newest["startedAt"]) - APART <= lost_at:
                return
        if not worked or datetime.fromisoformat(worked) < since - APART:
            yield f"no sweep makes up for what was missed before {since}: {newest}"

    def _document(self, name: str) -> dict[str, str]:
        known = self._services.blobs.texts.get(name)
        return dict(json.loads(known[0])) if known else {}

    def _removal_errors(self, user_id: str) -> Iterator[str]:
        looks = self._exchange.looks[user_id]
        if user_id in self.erased:
            # The state had the times when the photo was first missing, and when the user left.
            return
        if looks and looks[-1].left:
            yield from self._forgetting_errors(looks)
            return
        misses = [each for each in looks[self._looks_at_copy[user_id] :] if not each.found]
        own = [each for each in looks if each.by is current()]
        now = self._services.subscriptions.clock()
        if not own or own[-1].found:
            yield "a picture is removed by a run that has not read the photo"
        elif self._claimed_since(user_id, now - own[-1].at):
            yield "a picture is removed by a run that has not read the photo under its claim"
        if not misses or now - misses[0].at < SECOND_LOOK_AFTER - APART:
            yield "a picture is removed at the first look"
        if self._exchange.outage and user_id in self._exchange.photos:
            job = current()
            text = self.orders.get(job, "{}") if job else "{}"
            key = self._exchange.outage, json.loads(text).get("sweepId", "")
            self._removed_in_outage[key].add(user_id)
            if len(self._removed_in_outage[key]) > sweep_rules.BRAKE_USERS:
                yield "an outage of Exchange removes pictures"

    def _claimed_since(self, user_id: str, ago: timedelta) -> bool:
        """Whether this run took its claim after that; it renews none before its first write."""
        blobs = self._services.blobs
        is_own = user_id in blobs.texts and blobs.writers.get(user_id) is current()
        # Times of calls are exact to a millisecond.
        return is_own and blobs.age(user_id) < ago - timedelta(milliseconds=1)

    def _forgetting_errors(self, looks: list[Look]) -> Iterator[str]:
        since = looks[-1].at
        for each in reversed(looks):
            if not each.left:
                break
            since = each.at
        if looks[-1].by is not current():
            yield "a user is forgotten by a run that has not asked Graph"
        if self._services.subscriptions.clock() - since < FORGET_AFTER - APART:
            yield "a user is forgotten who may still be restored"
