"""Graph and SharePoint with a certificate, using the product's own clients without Azure."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from admin.acceptance.traffic import Traffic
from shared.graph.client import GraphClient
from shared.microsoft365.http import Http
from shared.microsoft365.reply import Reply
from shared.microsoft365.throttle import Throttle
from shared.microsoft365.tokens import EntraTokens
from shared.pictures.renditions import renditions
from shared.settings.app import Settings
from shared.sharepoint.client import SharePointClient
from shared.sharepoint.geos import Geos
from shared.sharepoint.picture_location import PictureLocation, shown_in
from shared.sharepoint.publisher import Plan, Publisher
from shared.user import User

SIZES = ("S", "M", "L")


class Library(NamedTuple):
    """A user's location in the picture library, and each file, None if it is missing."""

    location: PictureLocation
    files: tuple[bytes | None, ...]


class Microsoft365:
    """One tenant; creating it makes no calls. Errors are those of the product's clients."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.traffic = Traffic()
        self.tokens = EntraTokens.build(settings)
        self.graph_http = self.http("graph", settings.graph_url)
        self.graph = GraphClient(self.graph_http)
        self.geos = Geos(settings, self._enter)
        self.publisher = Publisher(self.geos, settings, self.graph.knows_any, _now)

    def http(self, service: str, url: str, throttle: Throttle | None = None) -> Http:
        """HTTP to one host of the tenant."""
        return Http(service, url, self.tokens, throttle=throttle, session=self.traffic.session)

    def _enter(self, my_url: str, admin_url: str) -> SharePointClient:
        throttle = Throttle(_now)
        files, profiles = (self.http("sharepoint", url, throttle) for url in (my_url, admin_url))
        return SharePointClient(files, profiles)

    @property
    def root_url(self) -> str:
        """The root host of the home geography; empty if it cannot be derived."""
        my = self.settings.sharepoint_my_url
        host = urlsplit(my).hostname or ""
        name, _, rest = host.partition(".")
        return f"https://{name.removesuffix('-my')}.{rest}" if name.endswith("-my") else ""

    def userphoto(self, user: User, size: str, *, called: str = "") -> Reply:
        """
        The answer of userphoto.aspx, whatever its status, for the name *called*, else for the UPN.

        Facts: sharepoint.md section 1.
        """
        geo, _ = self.geos.residence(user)
        account = quote(called or user.user_principal_name, safe="")
        path = f"/_layouts/15/userphoto.aspx?size={size}&accountname={account}"
        return self.http("sharepoint", geo.my_url).send("GET", path)

    def library(self, user: User) -> Library | None:
        """The user's files, if the profile points to our library; else None."""
        geo, profile = self.geos.residence(user)
        location = shown_in(profile, geo.my_url).here
        if location is None:
            return None
        client = geo.sharepoint
        held = tuple(
            client.picture(location.folder, name) if client.file(location.folder, name) else None
            for name in location.files
        )
        return Library(location, held)

    def plan(self, user: User) -> Plan:
        """What a copy would write, regardless of the profile."""
        return self.publisher.plan(user, "", replace=True)

    def pictures(self, photo: bytes) -> tuple[bytes, ...]:
        """Small, medium and large, as the product makes them."""
        return tuple(renditions(photo, self.settings.picture_sizes))

    def close(self) -> None:
        """Wait for uploads that Ctrl-C interrupted: they would arrive after the restore."""
        self.publisher.close()


def unclaimed() -> None:
    """Called before each write; checks no claim, because nothing else copies the test user."""


_now = functools.partial(datetime.now, UTC)
