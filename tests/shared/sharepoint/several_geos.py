"""A tenant with several geographies; each of its hosts requires its own token."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import requests

from shared.microsoft365.http import Http
from shared.settings.app import Settings
from shared.sharepoint.client import SharePointClient
from shared.sharepoint.geos import Geos
from shared.sharepoint.publisher import Plan, Publisher
from tests.doubles.claims import covered
from tests.doubles.web import Answer, Clock, answer, http
from tests.shared.settings.test_app import ENOUGH
from tests.shared.sharepoint.publishing_desk import ANNE, PICTURES, Site

HOME, EUROPE, DACH = "contoso", "contosoeur", "fabrikamdach"
FOLDERS = {HOME: "Profile Pictures", EUROPE: "Profilbilder", DACH: "Profielafbeeldingen"}


def my(name: str) -> str:
    return f"https://{name}-my.sharepoint.com"


def url_of(name: str, user_id: str = ANNE.id) -> str:
    """PictureURL of a user's files in a geography."""
    folder = FOLDERS[name].replace(" ", "%20")
    return f"{my(name)}:443/User%20Photos/{folder}/{user_id}_MThumb.jpg"


class Tokens:
    """One token per host, which names the host."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def bearer(self, audience: str, *, refused: str = "") -> str:
        self.asked.add(audience)
        return f"for {audience}"


class SeveralGeos:
    """
    Anne belongs to geography `home`, which every admin host confirms; only there can her
    profile be written.

    `calls` are host and method of each request, in order.
    """

    def __init__(self, home: str = EUROPE, **settings: str) -> None:
        self.home = home
        self.tokens = Tokens()
        self.calls: list[tuple[str, str]] = []
        self.clock = Clock()
        self.sites = {name: Site({}, (folder,)) for name, folder in FOLDERS.items()}
        self.faults: dict[str, Answer] = {}  # by the name of a geography
        self.live_in(home)
        read = Settings.from_mapping({**ENOUGH, "SHAREPOINT_GEOS": DACH, **settings})
        self.geos = Geos(read, self._enter)
        self.publisher = Publisher(self.geos, read, lambda upns: False, self.clock)

    def live_in(self, name: str, host: str = "") -> None:
        """Move Anne; every geography knows immediately."""
        self.home = name
        for site in self.sites.values():
            site.personal_host = host or f"{my(name)}/"

    @property
    def profile(self) -> Mapping[str, str]:
        """Anne's profile in her geography."""
        return self.sites[self.home].profile or {}

    def publish(self, picture_url: str = "") -> Plan:
        plan = self.publisher.plan(ANNE, picture_url)
        self.publisher.publish(plan, PICTURES, before_write=covered)
        return plan

    def reads(self) -> list[str]:
        """The hosts where a profile was read since the last call."""
        found = [host for host, method in self.calls if method == "GET" and "-admin" in host]
        self.calls.clear()
        return found

    def _enter(self, my_url: str, admin_url: str) -> SharePointClient:
        return SharePointClient(self._http(my_url), self._http(admin_url))

    def _http(self, audience: str) -> Http:
        return http(self._answer, audience=audience, clock=self.clock, tokens=self.tokens)

    def _answer(self, request: requests.PreparedRequest) -> Answer:
        url = urlsplit(str(request.url))
        self.calls.append((url.netloc, str(request.method)))
        # A host refuses the tokens of other hosts (sharepoint.md section 3).
        if request.headers["Authorization"] != f"Bearer for https://{url.netloc}":
            return answer({}, 401)
        name, _, host = url.netloc.partition(".")[0].rpartition("-")
        if name in self.faults:
            return self.faults[name]
        people = any(part in url.path for part in ("PeopleManager", "ProcessQuery", "contextinfo"))
        assert people == (host == "admin"), "files are on the My Site host, profiles on the other"
        if people and request.method == "POST" and name != self.home:
            return answer({"odata.error": {"code": "-1, UserNotFoundException"}}, 500)
        return self.sites[name](request)
