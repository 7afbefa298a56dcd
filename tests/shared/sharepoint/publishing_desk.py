"""A publisher in front of a SharePoint with one profile, and the URLs that tests use."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import requests

from shared.settings.app import Settings
from shared.sharepoint.client import SharePointClient
from shared.sharepoint.geos import Geos
from shared.sharepoint.publisher import Plan, Publisher, Removal
from shared.user import User
from tests.doubles.claims import covered
from tests.doubles.web import NOON, Answer, Clock, answer, http
from tests.shared.settings.test_app import ENOUGH

MY = "https://contoso-my.sharepoint.com"
ID = "306225cd-94aa-4c5f-9a13-1a2344795973"
COLLEAGUE = "6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0"
ANNE = User(ID, "anne@contoso.com", account_enabled=True, is_guest=False)
LIBRARY = f"{MY}:443/User%20Photos"
OWN_URL = f"{LIBRARY}/Profile%20Pictures/{ID}_MThumb.jpg"
# NOON in whole seconds since the year 1, computed independently of the code under test.
NOON_SECONDS = str((NOON.toordinal() - 1) * 86_400 + 12 * 3600)
SYNCED = {
    "PictureURL": OWN_URL,
    "SPS-PicturePlaceholderState": "0",
    "SPS-PictureExchangeSyncState": "1",
    "SPS-PictureTimestamp": "63783110969",
}
CSOM = "{http://schemas.microsoft.com/sharepoint/clientquery/2009}"
PICTURES = (b"small", b"middle", b"large")


def all_written() -> Answer:
    """ProcessQuery's response when everything was written."""
    return answer([{"ErrorInfo": None}, 2, {"IsNull": False}])


class Site:
    """SharePoint with one profile: what is written shows in `files`, `profile` and `events`."""

    def __init__(self, profile: dict[str, str] | None, folders: tuple[str, ...]) -> None:
        self.profile = profile
        self.folders = folders
        self.files: dict[str, bytes] = {}
        self.events: list[str] = []
        self.listings = 0
        self.profile_calls = 0
        # After this many properties, a request ends in this way.
        self.stops: tuple[int, Callable[[], Answer]] | None = None
        self.etag_of: Callable[[bytes], str] = repr
        self.personal_host = ""
        self.faults: dict[str, Callable[[], Answer]] = {}  # by a part of the path

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        path = unquote(str(request.path_url))
        for part, fault in self.faults.items():
            if part in path:
                return fault()
        if "AddUsingPath" in path:
            return self._upload(path, request.body)
        if "recycle" in path:
            return self._recycle(path)
        if "GetFileBy" in path:
            return self._file(path)
        if "PeopleManager" in path or "ProcessQuery" in path:
            self.profile_calls += 1
            return self._people(path, request.body)
        if "contextinfo" in path:
            return answer({"FormDigestValue": "0xA", "FormDigestTimeoutSeconds": 1800})
        self.listings += 1
        return answer({"value": [{"Name": name} for name in ("Forms", *self.folders)]})

    def _people(self, path: str, body: Any) -> Answer:
        if "ProcessQuery" in path:
            return self._process(body)
        if "GetPropertiesFor" in path:
            return self._read()
        fields = json.loads(body)
        return self._write(fields["propertyName"], fields["propertyValue"])

    def _upload(self, path: str, body: Any) -> Answer:
        folder, name = re.findall(r"decodedurl='([^']*)'", path)
        self.files[f"{folder}/{name}"] = body
        self.events.append("file")
        return answer({"ETag": self.etag_of(body), "Length": str(len(body))})

    def _file(self, path: str) -> Answer:
        [name] = re.findall(r"decodedurl='([^']*)'", path)
        content = self.files.get(name)
        if content is None:
            return Answer(404)
        if path.endswith("$value"):
            self.events.append("read")
            return Answer(200, content)
        self.events.append("checked")
        return answer({"ETag": self.etag_of(content), "Length": str(len(content))})

    def _recycle(self, path: str) -> Answer:
        [name] = re.findall(r"decodedurl='([^']*)'", path)
        self.events.append("recycled")
        return answer({}, 200 if self.files.pop(name, None) else 404)

    def _write(self, name: str, value: str) -> Answer:
        assert self.profile is not None
        self.profile[name] = value
        self.events.append(name)
        return answer({"odata.null": True})

    def _process(self, body: Any) -> Answer:
        after, end = self.stops or (-1, all_written)
        for number, method in enumerate(ET.fromstring(body).iter(f"{CSOM}Method")):
            if number == after:
                return end()
            _, name, value = (each.text or "" for each in method.iter(f"{CSOM}Parameter"))
            self._write(name, value)
        return end()

    def _read(self) -> Answer:
        if self.profile is None:
            return answer({"odata.null": True})
        properties = [{"Key": key, "Value": value} for key, value in self.profile.items()]
        host = {"PersonalSiteHostUrl": self.personal_host}
        return answer({"UserProfileProperties": properties, **host})


class Desk:
    """A publisher and the site it writes to."""

    def __init__(
        self,
        profile: dict[str, str] | None,
        folders: tuple[str, ...] = ("Profile Pictures",),
        **settings: str,
    ) -> None:
        self.clock = Clock()
        self.colleagues: set[str] = set()
        self.site = Site(profile, folders)
        service = http(self.site, audience=MY, clock=self.clock)
        read = Settings.from_mapping({**ENOUGH, **settings})
        self.publisher = Publisher(
            Geos(read, lambda my_url, admin_url: SharePointClient(service, service)),
            read,
            lambda upns: bool(self.colleagues & set(upns)),
            self.clock,
        )

    @property
    def profile(self) -> dict[str, str]:
        """The profile, which exists."""
        assert self.site.profile is not None
        return self.site.profile

    def plan(self, picture_url: str = "", *, replace: bool = False) -> Plan:
        return self.publisher.plan(ANNE, picture_url, replace=replace)

    def plan_removal(self, picture_url: str = OWN_URL) -> Removal:
        return self.publisher.plan_removal(ANNE, picture_url)

    def remove(self, picture_url: str = OWN_URL) -> None:
        plan = self.plan_removal(picture_url)
        self.publisher.remove(plan, before_write=covered)

    def forget(self, picture_url: str = OWN_URL, *, leaver: User = ANNE) -> None:
        plan = self.publisher.plan_forgetting(leaver, picture_url)
        self.publisher.remove(plan, before_write=covered)

    def withdraw(
        self, picture_url: str = OWN_URL, *, user: User = ANNE, exists: bool = True
    ) -> None:
        plan = self.publisher.plan_withdrawal(user, picture_url, exists=exists)
        self.publisher.remove(plan, before_write=covered)

    def publish(self) -> Plan:
        plan = self.plan()
        self.written = self.publisher.publish(plan, PICTURES, before_write=covered)
        return plan


def published(url: str = OWN_URL, **settings: str) -> Desk:
    """Anne's picture has been copied to *url*, and nothing written since."""
    desk = Desk({**SYNCED, "PictureURL": url}, ("Profile Pictures",), **settings)
    desk.publish()
    desk.site.events.clear()
    return desk


def files_of(name: str, folder: str = "Profile Pictures") -> dict[str, bytes]:
    start = f"/User Photos/{folder}/{name}"
    return {
        f"{start}_SThumb.jpg": b"small",
        f"{start}_MThumb.jpg": b"middle",
        f"{start}_LThumb.jpg": b"large",
    }


ELSEWHERE = {
    "another site": "https://cdn.contoso.com/anne.jpg",
    "another library": f"{MY}/Documents/Profile%20Pictures/anne_MThumb.jpg",
    "out of the library": f"{LIBRARY}/Profile%20Pictures/..%2F..%2FDocuments%2Fx_MThumb.jpg",
    "no URL": "anne.jpg",
}
