"""
The tenant's geographies: which hosts belong to the tenant, and which geography a user belongs to.

The home geography has the hosts in the settings. A satellite has `NAME-my` and `NAME-admin`, where
NAME is the tenant's name followed by a Microsoft code, or one of SHAREPOINT_GEOS. No token is
requested for or sent to any other host, whatever a profile says. Facts: sharepoint.md section 10.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from shared.errors import GiveUp, OtherHost, Settled, Throttled, TryLater
from shared.settings.app import Settings
from shared.sharepoint.client import PERSONAL_HOST, SharePointClient
from shared.sharepoint.picture_library import PictureLibrary
from shared.sharepoint.picture_location import host_and_port
from shared.user import User

# Codes of the geographies (section 10); one that is missing here can be set in SHAREPOINT_GEOS.
CODES = frozenset(
    "apc are aus bra can che deu eur fra gbr ind jpn kor nam nor pol qat swe zaf".split()
)


@dataclass(frozen=True)
class Geo:
    """One geography: its two hosts, the client for them, and its picture library."""

    my_url: str
    admin_url: str
    sharepoint: SharePointClient
    library: PictureLibrary


class Residence(NamedTuple):
    """The geography that a user belongs to: it holds the files and returned this profile."""

    geo: Geo
    profile: Mapping[str, str]


class Geos:
    """All geographies of the tenant; threads may share it. *enter* opens the hosts of one."""

    def __init__(self, settings: Settings, enter: Callable[[str, str], SharePointClient]) -> None:
        self._settings = settings
        self._enter = enter
        self._entered: dict[str, Geo] = {}
        self._lock = threading.Lock()
        self.home = self._open(settings.sharepoint_my_url, settings.sharepoint_admin_url)

    @property
    def satellites(self) -> Mapping[str, Geo]:
        """Those in SHAREPOINT_GEOS, in its order; others become known with their first user."""
        return {name: self._satellite(name) for name in self._settings.sharepoint_geos}

    def of(self, url: str) -> Geo | None:
        """The geography whose My Site host *url* is on; None for any other host or an empty URL."""
        try:
            asked, home = urlsplit(url), urlsplit(self.home.my_url)
            host, port = host_and_port(asked)
            if (host, port) == host_and_port(home):
                return self.home
        except ValueError:
            return None
        name = host.removesuffix(f"-my.{self._settings.sharepoint_suffix}")
        # The satellite's URLs are built from the name only, so the rest of *url* has no effect.
        ours = name != host and port == 443 and self._is_ours(name)
        return self._satellite(name) if ours else None

    def residence(self, user: User, picture_url: str = "") -> Residence:
        """
        The user's geography and the profile there; one call for users of the home geography.

        *picture_url* is the URL of our last picture, if any: a satellite's user is looked up there
        first. Raises OtherHost if the personal site is not on a host of the tenant, NoProfile, and
        what SharePointClient raises.
        """
        known = self.of(picture_url)
        if known and known is not self.home:
            profile = self._profile_if_there(known, user)
            if profile is not None:
                return Residence(known, profile)
        profile = self.home.sharepoint.profile(user)
        geo = self._named(profile, asked=self.home)
        if geo is self.home:
            return Residence(geo, profile)
        profile = geo.sharepoint.profile(user)
        if self._named(profile, asked=geo) is not geo:
            raise OtherHost(
                f"SharePoint's geographies do not agree on where the user is: {geo.my_url} names "
                f"{profile[PERSONAL_HOST]}. The user is probably being moved. Sweeps check again "
                "once a day."
            )
        return Residence(geo, profile)

    def _profile_if_there(self, geo: Geo, user: User) -> Mapping[str, str] | None:
        """The profile in *geo* if it confirms that *geo* is the user's; else ask the home one."""
        try:
            profile = geo.sharepoint.profile(user)
        except Throttled:
            raise
        except (Settled, GiveUp, TryLater):
            # The geography may be gone and the user moved. If not, it is called once more later.
            return None
        return profile if self.of(profile.get(PERSONAL_HOST, "")) is geo else None

    def _named(self, profile: Mapping[str, str], *, asked: Geo) -> Geo:
        """The geography of the personal site in *profile*; *asked* if the profile has none."""
        host_url = profile.get(PERSONAL_HOST, "")
        try:
            host = urlsplit(host_url).netloc
        except ValueError:
            host = ""
        geo = self.of(host_url) if host else asked
        if geo is None:
            raise OtherHost(
                f"The user's personal site is on {host}, which is not a host of this tenant "
                "according to the settings, so PhotoSync writes nothing there. For a satellite "
                "geography, add the name before -my to SHAREPOINT_GEOS. If the tenant was renamed, "
                "set SHAREPOINT_TENANT to its new name."
            )
        return geo

    def _is_ours(self, name: str) -> bool:
        """Whether *name* is a satellite's host prefix, by SHAREPOINT_GEOS or by its form."""
        home = self._settings.sharepoint_tenant
        regular = name.startswith(home) and name.removeprefix(home) in CODES
        return regular or name in self._settings.sharepoint_geos

    def _satellite(self, name: str) -> Geo:
        suffix = self._settings.sharepoint_suffix
        with self._lock:
            if name not in self._entered:
                my_url, admin_url = (f"https://{name}-{host}.{suffix}" for host in ("my", "admin"))
                self._entered[name] = self._open(my_url, admin_url, is_home=False)
            return self._entered[name]

    def _open(self, my_url: str, admin_url: str, *, is_home: bool = True) -> Geo:
        sharepoint = self._enter(my_url, admin_url)
        folder = self._settings.picture_folder
        library = PictureLibrary(sharepoint.picture_folders, folder, is_home=is_home)
        return Geo(my_url, admin_url, sharepoint, library)
