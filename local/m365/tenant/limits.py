"""The services' throttling limits, counted here and checked by `faults` for each request."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from local.m365.tenant.fault_plan import Fault
from local.m365.tenant.journal_names import client_of, user_of
from local.m365.tenant.roster import Roster
from local.m365.tenant.switches import Switches

PHOTO_WINDOW = timedelta(minutes=10)
PEOPLE_WINDOW = timedelta(minutes=5)
_PHOTO = re.compile(r"/v1\.0/users(/[^/]+|\('[^/]+'\))/photos?(/|$)", re.IGNORECASE)
_PEOPLE = ("/_api/sp.userprofiles.peoplemanager", "/_vti_bin/client.svc/processquery")
_Mailbox = tuple[str | None, str]  # client id, and the user as far as known


class Limits:
    """
    Counts concurrent and recent requests; *switches* set the limits.

    Documented: Graph's photos, 4 concurrent requests and 10,000 in 10 minutes for an app and a
        mailbox (facts/graph.md section 4); PeopleManager, 3,000 and more calls of a tenant in 5
        minutes, by its licences, and refused ones count too (facts/sharepoint.md section 5).
    Assumed: windows slide; Graph counts refused requests too; above the concurrency limit,
        Retry-After is one second; items of a `$batch` count like requests.
    """

    def __init__(self, roster: Roster, switches: Switches, now: Callable[[], datetime]) -> None:
        self._roster = roster
        self._switches = switches
        self._now = now
        self._at_once: Counter[_Mailbox] = Counter()
        self._photos: dict[_Mailbox, deque[datetime]] = {}
        self._people: dict[str, deque[datetime]] = {}

    @contextmanager
    def passing(self, service: str, scope: Any, host: str = "") -> Iterator[Fault | None]:
        """
        Count a request to *host* while it runs; yield the refusal if it exceeds a limit.

        Documented: "each geo gets its own limits" (facts/sharepoint.md section 5).
        """
        if service == "sharepoint" and scope["path"].lower().startswith(_PEOPLE):
            limit = self._switches.people_calls_per_5_minutes
            yield _counted(self._recent(host), self._now(), PEOPLE_WINDOW, limit, "people calls")
        elif service == "graph" and _PHOTO.match(scope["path"]):
            with self._photo(_mailbox(self._roster, scope)) as refusal:
                yield refusal
        else:
            yield None

    def count_people(self, host: str, calls: int) -> None:
        """Count *calls* more for a request to *host* that was already admitted."""
        self._recent(host).extend([self._now()] * calls)

    def _recent(self, host: str) -> deque[datetime]:
        return self._people.setdefault(host.rpartition("-")[0], deque())

    @contextmanager
    def _photo(self, mailbox: _Mailbox) -> Iterator[Fault | None]:
        recent = self._photos.setdefault(mailbox, deque())
        limit = self._switches.photo_requests_per_10_minutes
        refusal = _counted(recent, self._now(), PHOTO_WINDOW, limit, "photos")
        at_once = self._switches.photo_requests_at_once
        if refusal is None and 0 < at_once <= self._at_once[mailbox]:
            refusal = Fault("429", retry_after=1.0, reason="limit: photos at once")
        if refusal is not None:
            yield refusal
            return
        self._at_once[mailbox] += 1
        try:
            yield None
        finally:
            self._at_once[mailbox] -= 1


def _mailbox(roster: Roster, scope: Any) -> _Mailbox:
    path = scope["path"]
    return client_of(scope["headers"], b""), user_of(roster, path, "", b"") or path.casefold()


def _counted(
    recent: deque[datetime], now: datetime, window: timedelta, limit: int, what: str
) -> Fault | None:
    """Count one more; a 429 if the window has more than *limit* (0: no limit)."""
    if limit == 0:
        return None
    while recent and recent[0] <= now - window:
        recent.popleft()
    recent.append(now)
    if len(recent) <= limit:
        return None
    wait = recent[-limit] + window - now
    return Fault("429", retry_after=wait.total_seconds(), reason=f"limit: {what}")
