"""SharePoint: of each user three files and the address that the profile shows."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from shared.errors import Throttled
from shared.microsoft365.throttle import Budget
from shared.sharepoint.inspection import Inspection, inspected
from shared.sharepoint.picture_location import PictureLocation
from shared.sharepoint.publisher import TIMESTAMP, Plan, Removal
from shared.user import User
from shared.written_file import WrittenFile
from tests.machine.jobs import Job, at, current

T = TypeVar("T")
# The My Site hosts of two geographies.
HOSTS = "https://contoso-my.sharepoint.com", "https://contosoeur-my.sharepoint.com"


def renditions(photo: bytes) -> tuple[bytes, bytes, bytes]:
    return b"S:" + photo, b"M:" + photo, b"L:" + photo


class SharePoint:
    """What all pages show, and who is told before anything of it is written."""

    def __init__(self, wrote: Callable[[str, Job | None], None]) -> None:
        """*wrote* is told whose files or profile a run has changed."""
        self.files: dict[str, dict[int, bytes]] = defaultdict(dict)
        self.urls: dict[str, str] = defaultdict(str)
        # Where each user is at home.
        self.hosts: dict[str, str] = defaultdict(lambda: HOSTS[0])
        self._wrote = wrote

    def url(self, user_id: str) -> str:
        """Of the user's picture where the user is at home."""
        return PictureLocation("Profile Pictures", user_id).url(self.hosts[user_id])

    def shows(self, user_id: str, photo: bytes | None) -> bool:
        if photo is None:
            return not self.files[user_id] and not self.urls[user_id]
        wanted = dict(enumerate(renditions(photo)))
        return self.files[user_id] == wanted and self.urls[user_id] == self.url(user_id)

    def damage(self, user_id: str, place: int) -> None:
        """What a stranger does: a file is lost or another picture's, or the profile shows none."""
        if place == 3:
            self.urls[user_id] = ""
        elif place == 2:
            self.files[user_id].pop(place, None)
        else:
            self.files[user_id][place] = b"a stranger's"

    def move(self, user_id: str) -> None:
        """To the other geography: the profile goes along, and names what stays behind."""
        self.hosts[user_id] = next(host for host in HOSTS if host != self.hosts[user_id])
        self.files[user_id].clear()

    def there(self, user_id: str, wanted: Sequence[WrittenFile]) -> tuple[WrittenFile | None, ...]:
        there = [self.files[user_id].get(place, b"") for place in range(3)]
        return tuple(
            known if known.holds(content) else None
            for known, content in zip(wanted, there, strict=True)
        )

    def change(
        self, user_id: str, place: int, content: bytes | str, host: str, by: Job | None
    ) -> None:
        """Place 3 is the profile; without *content* a file of this host is recycled."""
        self._wrote(user_id, by)
        if isinstance(content, str):
            self.urls[user_id] = content
        elif host != self.hosts[user_id]:
            # Whom a move overtakes writes where nobody looks any more.
            return
        elif content:
            self.files[user_id][place] = content
        else:
            self.files[user_id].pop(place, None)


class Desk:
    """SharePoint as one instance of the app reaches it: within its own budget of profile calls."""

    def __init__(
        self,
        sharepoint: SharePoint,
        limit: int,
        *,
        clock: Callable[[], datetime],
        before_write: Callable[[str, bytes | None], None],
        called: Callable[[], None],
    ) -> None:
        """*called* is told of each profile call that reaches SharePoint."""
        self._sharepoint = sharepoint
        self.budget = Budget(limit, clock)
        self._before_write = before_write
        self._called = called

    def plan(self, user: User, picture_url: str, *, replace: bool = False) -> Plan:
        location = PictureLocation("Profile Pictures", user.id)

        def plan() -> Plan:
            url = self._sharepoint.url(user.id)
            shown = self._sharepoint.urls[user.id] == url
            change = {TIMESTAMP: "now"} if shown else {"PictureURL": url, TIMESTAMP: "now"}
            return Plan(user.user_principal_name, location, url, change)

        return self._ask("plan", plan)

    def inspect(self, user: User, picture_url: str, files: Sequence[WrittenFile]) -> Inspection:
        def look() -> Inspection:
            shown = self._sharepoint.urls[user.id]
            if shown != self._sharepoint.url(user.id):
                return Inspection(f"The profile shows {shown or 'no picture any more'}.")
            return inspected(self._sharepoint.there(user.id, files))

        return self._ask("inspect", look)

    def find(self, plan: Plan, wanted: Sequence[WrittenFile]) -> tuple[WrittenFile | None, ...]:
        return at("find", lambda: self._sharepoint.there(plan.location.name, wanted))

    def publish(
        self, plan: Plan, renditions: Sequence[bytes], *, before_write: Callable[[], None]
    ) -> tuple[WrittenFile, ...]:
        user_id = plan.location.name
        host = next(each for each in HOSTS if plan.picture_url.startswith(each))
        self._before_write(user_id, renditions[0][2:])
        for place, content in enumerate(renditions):
            self._write(user_id, place, content, host, before_write)
        self._write(user_id, 3, plan.picture_url, host, before_write)
        return tuple(map(WrittenFile.of, renditions))

    def plan_removal(self, user: User, picture_url: str) -> Removal:
        location = PictureLocation("Profile Pictures", user.id)
        change = {"PictureURL": ""}
        return self._ask("plan", lambda: Removal(user.user_principal_name, location, change))

    def plan_forgetting(self, leaver: User, picture_url: str) -> Removal:
        return self.plan_removal(leaver, picture_url)

    def plan_withdrawal(self, user: User, picture_url: str, *, exists: bool) -> Removal:
        raise AssertionError("Nobody uninstalls PhotoSync here.")

    def remove(self, plan: Removal, *, before_write: Callable[[], None]) -> None:
        assert plan.location
        user_id = plan.location.name
        host = self._sharepoint.hosts[user_id]
        self._before_write(user_id, None)
        self._write(user_id, 3, "", host, before_write)
        for place in range(3):
            self._write(user_id, place, b"", host, before_write)

    def _ask(self, call: str, look: Callable[[], T]) -> T:
        """A profile call that only reads."""
        return at(call, look, check=self._spend)

    def _write(
        self,
        user_id: str,
        place: int,
        content: bytes | str,
        host: str,
        before_write: Callable[[], None],
    ) -> None:
        def check() -> None:
            # A request ends within its limit: it may stand still before it, not in it.
            before_write()
            if place == 3:
                self._spend()

        write: Callable[[], Any] = functools.partial(
            self._sharepoint.change, user_id, place, content, host, current()
        )
        at("write", write, check=check)

    def _spend(self) -> None:
        seconds = self.budget.take()
        if seconds:
            raise Throttled("The profile budget is spent.", retry_after=seconds)
        self._called()
