"""
SharePoint: each user's three files, and the address in the profile.

A user belongs to one of two geographies. A move takes the profile along, but not the files.
"""

from __future__ import annotations

import copy
import functools
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.errors import NoProfile, OtherHost, PhotoSyncError, Throttled
from shared.sharepoint.inspection import Inspection, inspected
from shared.sharepoint.picture_location import PictureLocation
from shared.sharepoint.publisher import TIMESTAMP, Plan, Removal
from shared.user import User
from shared.written_file import WrittenFile
from tests.machine.instance_budget import InstanceBudget
from tests.machine.jobs import Job, at, current
from tests.race.world import renditions

HOSTS = ("https://contoso-my.sharepoint.com", "https://contosoeur-my.sharepoint.com")


class SharePoint:
    """The files and profiles, with a callback for each write."""

    def __init__(
        self, wrote: Callable[[str, Job | None], None], name_of: Callable[[str], str]
    ) -> None:
        """*wrote* gets the user and the run of each write; *name_of* returns a user's UPN."""
        self._files: dict[tuple[str, str], dict[int, bytes]] = defaultdict(dict)
        self._homes: dict[str, str] = {}
        self.urls: dict[str, str] = defaultdict(str)
        # Users whose profile is missing or being moved.
        self.troubles: dict[str, PhotoSyncError] = {}
        self._wrote = wrote
        self._name_of = name_of

    def home(self, user_id: str) -> str:
        """The host of the user's geography."""
        return self._homes.get(user_id, HOSTS[0])

    def move(self, user_id: str) -> None:
        """
        A user moves to the other geography.

        In reality, files from an earlier stay remain there: no profile shows them, and PhotoSync
        looks for files in the user's geography. Here they are deleted, because `shows` would see
        them.
        """
        home = HOSTS[self.home(user_id) == HOSTS[0]]
        if home not in self.urls[user_id]:
            self._files.pop((user_id, home), None)
        self._homes[user_id] = home

    def files(self, user_id: str) -> dict[int, bytes]:
        """The files that the profile shows; those in the user's geography if it shows none."""
        shown = self.urls[user_id]
        return self._files[user_id, _host(shown) if shown else self.home(user_id)]

    def check(self, user: User) -> None:
        """Raise if the profile cannot be read by this name."""
        if user.id in self.troubles:
            raise copy.copy(self.troubles[user.id])
        if user.user_principal_name != self._name_of(user.id):
            raise NoProfile("There is no profile by this name.")

    def shows(self, user_id: str, photo: bytes | None) -> bool:
        if photo is None:
            return not self.files(user_id) and not self.urls[user_id]
        wanted = dict(enumerate(renditions(photo)))
        return self.files(user_id) == wanted and bool(self.urls[user_id])

    def damage(self, user_id: str, place: int) -> None:
        """Delete or replace a file, or clear the profile's picture."""
        if place == 3:
            self.urls[user_id] = ""
        elif place == 2:
            self.files(user_id).pop(place, None)
        else:
            self.files(user_id)[place] = b"a stranger's"

    def there(
        self, user_id: str, host: str, wanted: Sequence[WrittenFile]
    ) -> tuple[WrittenFile | None, ...]:
        there = [self._files[user_id, host].get(place, b"") for place in range(3)]
        return tuple(
            known if known.holds(content) else None
            for known, content in zip(wanted, there, strict=True)
        )

    def change(
        self, user_id: str, host: str, place: int, content: bytes | str, by: Job | None
    ) -> None:
        """Place 3 is the profile; without *content* a file is recycled."""
        self._wrote(user_id, by)
        if isinstance(content, str):
            self.urls[user_id] = content
        elif content:
            self._files[user_id, host][place] = content
        else:
            self._files[user_id, host].pop(place, None)


@dataclass(frozen=True)
class Withdrawal(Removal):
    """A removal, with the host of the files; `profile_goes` if it is deleted with its user."""

    host: str = ""
    profile_goes: bool = False


class Desk:
    """SharePoint as one instance of the app reaches it: within its own budget of profile calls."""

    def __init__(
        self,
        sharepoint: SharePoint,
        limit: int,
        *,
        clock: Callable[[], datetime],
        before_write: Callable[[str, bytes], None],
        before_removal: Callable[[str], Callable[[], None]],
        called: Callable[[], None],
    ) -> None:
        """*called* is called for each profile call that reaches SharePoint."""
        self._sharepoint = sharepoint
        self.budget = InstanceBudget(limit, clock)
        self._before_write = before_write
        self._before_removal = before_removal
        self._called = called

    def plan(self, user: User, picture_url: str, *, replace: bool = False) -> Plan:
        location = PictureLocation("Profile Pictures", user.id)

        def plan() -> Plan:
            self._sharepoint.check(user)
            url = location.url(self._sharepoint.home(user.id))
            shown = self._sharepoint.urls[user.id] == url
            change = {TIMESTAMP: "now"} if shown else {"PictureURL": url, TIMESTAMP: "now"}
            return Plan(user.user_principal_name, location, url, change)

        return at("plan", plan, check=self._spend)

    def inspect(self, user: User, picture_url: str, files: Sequence[WrittenFile]) -> Inspection:
        def look() -> Inspection:
            self._sharepoint.check(user)
            shown, home = self._sharepoint.urls[user.id], self._sharepoint.home(user.id)
            if not shown:
                return Inspection("The profile shows no picture any more.")
            if home not in shown:
                return Inspection("", outdated="The picture is at a former address.")
            return inspected(self._sharepoint.there(user.id, home, files))

        return at("inspect", look, check=self._spend)

    def find(self, plan: Plan, wanted: Sequence[WrittenFile]) -> tuple[WrittenFile | None, ...]:
        host = _host(plan.picture_url)
        return at("find", lambda: self._sharepoint.there(plan.location.name, host, wanted))

    def publish(
        self, plan: Plan, renditions: Sequence[bytes], *, before_write: Callable[[], None]
    ) -> tuple[WrittenFile, ...]:
        user_id, host = plan.location.name, _host(plan.picture_url)
        self._before_write(user_id, renditions[0][2:])
        for place, content in enumerate(renditions):
            self._write(user_id, host, place, content, before_write)
        self._write(user_id, host, 3, plan.picture_url, before_write)
        return tuple(map(WrittenFile.of, renditions))

    def plan_removal(self, user: User, picture_url: str) -> Removal:
        def plan() -> Removal:
            self._sharepoint.check(user)
            return _withdrawal(user, self._sharepoint.home(user.id))

        return at("plan", plan, check=self._spend)

    def plan_forgetting(self, leaver: User, picture_url: str) -> Removal:
        def plan() -> Removal:
            try:
                self._sharepoint.check(leaver)
            except (NoProfile, OtherHost):
                return replace(_withdrawal(leaver, _host(picture_url)), profile_goes=True)
            return _withdrawal(leaver, self._sharepoint.home(leaver.id))

        return at("plan", plan, check=self._spend)

    def remove(self, plan: Removal, *, before_write: Callable[[], None]) -> None:
        assert plan.location
        assert isinstance(plan, Withdrawal)
        user_id = plan.location.name

        report = self._before_removal(user_id)

        def check() -> None:
            # Raises if it is too late for a write: then nothing is removed.
            before_write()
            report()

        if plan.profile_goes:
            check()
            # It cannot be found by the recorded name: it is deleted with its user.
            self._sharepoint.urls[user_id] = ""
        else:
            self._write(user_id, plan.host, 3, "", check)
        for place in range(3):
            self._write(user_id, plan.host, place, b"", before_write)

    def _write(
        self,
        user_id: str,
        host: str,
        place: int,
        content: bytes | str,
        before_write: Callable[[], None],
    ) -> None:
        def check() -> None:
            # A request ends within its limit: a run may pause before it, not during it.
            before_write()
            if place == 3:
                self._spend()

        write: Callable[[], Any] = functools.partial(
            self._sharepoint.change, user_id, host, place, content, current()
        )
        at("write", write, check=check)

    def _spend(self) -> None:
        seconds = self.budget.take()
        if seconds:
            raise Throttled("The profile budget is spent.", retry_after=seconds)
        self._called()


def _withdrawal(user: User, host: str) -> Withdrawal:
    location = PictureLocation("Profile Pictures", user.id)
    return Withdrawal(user.user_principal_name, location, {"PictureURL": ""}, host=host)


def _host(url: str) -> str:
    return next((host for host in HOSTS if host in url), HOSTS[0])
