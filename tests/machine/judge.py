"""What must never be so, and what must be so once it is quiet."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from shared.microsoft365.throttle import BUDGET_WINDOW
from shared.storage import user_state
from shared.storage.user_state import SECOND_LOOK_AFTER, UserState
from shared.subscription import keeper
from shared.sweeping import sweep_log, sweep_rules
from tests.machine.history import SKEW
from tests.machine.instance import FORGET_AFTER, Services
from tests.machine.jobs import Job, current
from tests.machine.sharepoint import SharePoint
from tests.machine.tenant import Look, sha256

# Two instances' clocks are apart by this much at most.
APART = timedelta(seconds=SKEW)
# In an outage of length T a message is tried about log T times; nothing here lasts a week.
MOST_ATTEMPTS = 60


class Judge:
    """Knows all that the app may not, and collects what is `wrong`."""

    def __init__(self, services: Services, sharepoint: SharePoint) -> None:
        self._services = services
        self._exchange = services.exchange
        self._sharepoint = sharepoint
        self.wrongs: list[str] = []
        # Since their last change, a notification has told of these users, or a worker has looked.
        self.told: set[str] = set()
        # A run over these users has died, has been frozen or got an error when it wrote.
        self.disturbed: set[str] = set()
        # A person has deleted the state of these users, or cleared the queue of their messages.
        self.erased: set[str] = set()
        # Of these the messages were cleared.
        self.cleared: set[str] = set()
        # Strangers have damaged what SharePoint shows of these, and nobody has repaired it yet.
        self.damaged: set[str] = set()
        self._writers: defaultdict[str, list[Job | None]] = defaultdict(list)
        self._looks_before: defaultdict[str, int] = defaultdict(int)
        # Whose photo was there and could not be seen, by the outage and the sweep.
        self._taken: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
        self._calls: defaultdict[object, deque[datetime]] = defaultdict(deque)
        # When Graph last said that it could not deliver something.
        self.missed_at: datetime | None = None
        # When a message that orders a sweep, or carries one on, was lost altogether.
        self.sweep_lost_at: datetime | None = None
        # The subscription that lived when all had become quiet.
        self._settled = ""
        # What each run was ordered to do: the text of its message.
        self.orders: dict[Job, str] = {}

    def state(self, user_id: str) -> UserState:
        known = self._services.blobs.texts.get(user_id)
        return user_state.from_json(user_id, known[0]) if known else UserState(user_id)

    def wrong(self, what: str) -> None:
        self.wrongs.append(what)

    def counted(self, process: object, limit: int, now: datetime) -> None:
        """A profile call of *process*, which may make *limit* in any five minutes."""
        made = self._calls[process]
        made.append(now)
        while now - made[0] >= BUDGET_WINDOW:
            made.popleft()
        if limit and len(made) > limit:
            self.wrong(f"{len(made)} profile calls in five minutes, of {limit}")

    def queued(self, text: str) -> None:
        """A message was put into queue `photo-sync`."""
        if json.loads(text).get("attempt", 1) > MOST_ATTEMPTS:
            self.wrong(f"a message is tried for ever: {text}")

    def wrote(self, user_id: str, by: Job | None) -> None:
        """A file or the profile of a user was written by this run."""
        if by and by.is_over and user_id in self.erased:
            # So late that only the claim would have kept others waiting, which a person deleted.
            self.damaged.add(user_id)
        writers = self._writers[user_id]
        if writers and writers[-1] is by:
            return
        # Without the state there is no claim either: both write, and one of them writes again.
        if by in writers and user_id not in self.erased:
            self.wrong(f"two runs wrote at once for {user_id}")
        writers.append(by)

    def before_write(self, user_id: str, photo: bytes) -> None:
        """A run is about to write the files of this photo."""
        if not photo.startswith(user_id.encode()):
            self.wrong(f"{user_id} gets a picture of somebody else")
        calm = user_id not in self.disturbed | self.erased
        if calm and self._sharepoint.shows(user_id, photo):
            self.wrong(f"the same photo is written twice for {user_id}")

    def before_removal(self, user_id: str) -> Callable[[], None]:
        """A run is about to take files back; what is wrong with that counts once it is done."""
        wrongs = list(self._removal(user_id))
        return lambda: self.wrongs.extend(wrongs)

    def after_run(self, user_id: str) -> None:
        """What the state of somebody says of SharePoint once a run is over must be so."""
        self.forgive()
        recorded = self.state(user_id)
        if recorded.status == user_state.SYNCED and not recorded.claim:
            # The photo is there: what was missed before is over.
            self._looks_before[user_id] = len(self._exchange.looks[user_id])
        if user_id in self.damaged | self.erased or user_id in self._exchange.left:
            return
        known = self.state(user_id)
        # Of somebody restored a moment ago nobody has looked yet: the profile may be a new one.
        if known.left_since or known.claim or not known.sha256:
            return
        held = [each for each in self._exchange.album(user_id) if sha256(each) == known.sha256]
        if held and not self._sharepoint.shows(user_id, held[0]):
            self.wrong(f"the state of {user_id} names a photo that SharePoint does not show")

    def forgive(self) -> None:
        """
        Whatever is right again is no stranger's doing any more. That nothing is shown is right only
        where no state names a picture, nor was erased: a profile that is emptied and moved shows
        nothing either.
        """
        for user_id in list(self.damaged):
            named = self.state(user_id).sha256 or user_id in self.erased
            nothing = [] if named else [None]
            photos = [*self._exchange.album(user_id), *nothing]
            if any(self._sharepoint.shows(user_id, photo) for photo in photos):
                self.damaged.discard(user_id)

    def all_is_well(self) -> None:
        """A day has ended: what was out of order is in order, or was found to be wrong."""
        for user_id in self._exchange.everybody:
            # Nobody has looked after the others yet.
            if self.state(user_id).status == user_state.SYNCED:
                self.disturbed.discard(user_id)
                self.erased.discard(user_id)
                self.cleared.discard(user_id)
        self._writers.clear()
        self.orders.clear()

    def missed(self, user_ids: set[str]) -> Iterator[str]:
        """Who of these, being in scope, has another picture in SharePoint than in Exchange."""
        for user_id in sorted(user_ids):
            photo = self._exchange.photos.get(user_id)
            shown = self._sharepoint.shows(user_id, photo)
            if self._exchange.is_in_scope(user_id) and not shown:
                files = dict(self._sharepoint.files(user_id)), self._sharepoint.urls[user_id]
                yield f"{user_id} has {photo!r}, SharePoint shows {files}: {self.state(user_id)}"

    def untrue(self, busy: set[str]) -> Iterator[str]:
        """Who was told of the last change and does not show it, though nothing is under way."""
        self.forgive()
        told = {each for each in self.told if self.state(each).status != user_state.FAILED}
        told -= self.misled() | self.damaged | self.cleared | busy
        return self.missed(told & set(self._exchange.photos))

    def unsaid(self, user_ids: set[str]) -> Iterator[str]:
        """Whose picture is shown while the mailbox is in trouble, and no state says so."""
        for user_id in sorted(user_ids):
            known, error = self.state(user_id), self._exchange.troubles[user_id]
            told = known.reason in {error.code, "gave-up"}
            if self._exchange.is_in_scope(user_id) and known.picture_url and not told:
                yield f"{error!r} stands nowhere in {known}"

    def misled(self) -> set[str]:
        """Whose mailbox or profile answers with an error."""
        return self._exchange.troubles.keys() | self._sharepoint.troubles.keys()

    def remains(self) -> Iterator[str]:
        """What there still is of who has left, and claims of runs that are over."""
        for user_id in self._exchange.left:
            shown = dict(self._sharepoint.files(user_id)), self._sharepoint.urls[user_id]
            if user_id in self._services.blobs.texts or any(shown):
                yield f"{user_id} has left, and there are {shown}, {self.state(user_id)}"
        for user_id in self._exchange.users:
            # Out of scope it is a doubt, for the day on which the user comes back.
            if self._exchange.is_in_scope(user_id) and self.state(user_id).claim:
                yield f"a claim is left: {self.state(user_id)}"

    def overlooked(self) -> Iterator[str]:
        """Of whom the state says that the picture is looked after, and it is not."""
        for user_id in self._exchange.users:
            in_scope = self._exchange.is_in_scope(user_id)
            if not in_scope and self.state(user_id).status == user_state.SYNCED:
                yield f"{user_id} is out of scope, and {self.state(user_id)}"

    def unsubscribed(self) -> Iterator[str]:
        """
        Unless just one subscription lives, and the console says which.

        One whose maker died, or was not answered, before it wrote down the id is found in Graph's
        list alone. Where Graph hides that, and allows another, all is told twice until it expires.
        """
        subscriptions = self._services.subscriptions
        told = self._document(keeper.NAME)
        found = [told.get("id")] == list(subscriptions.live)
        if subscriptions.hides and not subscriptions.refuses_second:
            found = told.get("id") in subscriptions.live
        is_deaf = told.get("id") in subscriptions.deaf
        if not found or told.get("status") != "live" or is_deaf:
            yield f"Graph has {list(subscriptions.live)}, and {keeper.NAME} says {told}"

    def settle(self) -> None:
        """All is quiet: the subscription that lives now has no reason to be made anew."""
        self._settled = self._document(keeper.NAME).get("id", "")

    def remade(self) -> Iterator[str]:
        """Unless the subscription is the one that was there when all was quiet."""
        now = self._document(keeper.NAME).get("id", "")
        if now != self._settled:
            yield f"subscription {self._settled} lived, and {now} was made in its place"

    def unswept(self) -> Iterator[str]:
        """
        Unless a sweep was at work since the newest subscription was made, and since Graph said
        that something was missed.

        Either is a message that asks for a sweep. Storage does not lose messages; where one
        is lost all the same, the hourly timer makes up for it, and without timers nobody does: nor
        for the page of a sweep that is at work, which keeps every later one waiting.
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

    def _removal(self, user_id: str) -> Iterator[str]:
        looks = self._exchange.looks[user_id]
        if user_id in self.erased:
            # Nobody can know since when a photo is missing, nor for how long somebody has left.
            return
        if looks and looks[-1].left:
            yield from self._forgetting(looks)
            return
        misses = [each for each in looks[self._looks_before[user_id] :] if not each.found]
        own = [each for each in looks if each.by is current()]
        now = self._services.subscriptions.clock()
        if not own or own[-1].found:
            yield "a picture is removed by a run that has not looked"
        elif self._claimed_since(user_id, now - own[-1].at):
            yield "a picture is removed by a run that has not looked under its claim"
        if not misses or now - misses[0].at < SECOND_LOOK_AFTER - APART:
            yield "a picture is removed at the first look"
        if self._exchange.outage and user_id in self._exchange.photos:
            job = current()
            text = self.orders.get(job, "{}") if job else "{}"
            key = self._exchange.outage, json.loads(text).get("sweepId", "")
            self._taken[key].add(user_id)
            if len(self._taken[key]) > sweep_rules.BRAKE_USERS:
                yield "an outage of Exchange takes pictures along"

    def _claimed_since(self, user_id: str, ago: timedelta) -> bool:
        """Whether this run has claimed the user after that; before it writes it renews nothing."""
        blobs = self._services.blobs
        is_own = user_id in blobs.texts and blobs.writers.get(user_id) is current()
        # Moments of calls are not told apart by less.
        return is_own and blobs.age(user_id) < ago - timedelta(milliseconds=1)

    def _forgetting(self, looks: list[Look]) -> Iterator[str]:
        since = looks[-1].at
        for each in reversed(looks):
            if not each.left:
                break
            since = each.at
        if looks[-1].by is not current():
            yield "somebody is forgotten by a run that has not asked"
        if self._services.subscriptions.clock() - since < FORGET_AFTER - APART:
            yield "somebody is forgotten who may be restored"
