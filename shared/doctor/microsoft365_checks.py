"""The doctor's checks of Entra, Microsoft Graph and SharePoint. They write nothing there."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from shared.doctor import clock_check, group_check, subscription_check
from shared.doctor.examination import Finding, Step
from shared.doctor.remedies import entra_remedy, remedy
from shared.errors import NoMailbox, NoPhoto, NoProfile, OtherHost, PhotoSyncError
from shared.graph.client import GraphClient
from shared.graph.groups import Groups
from shared.graph.subscriptions import SubscriptionClient
from shared.graph.user_listing import UserListing
from shared.microsoft365 import app_roles
from shared.microsoft365.app_roles import FILES_NEED, PROFILES_NEED, Claims, Need
from shared.microsoft365.certificates import credential
from shared.microsoft365.http import Http, Tokens
from shared.settings.app import Settings
from shared.sharepoint.client import PICTURE_LIBRARY
from shared.sharepoint.geos import Geo, Geos
from shared.sharepoint.picture_library import picture_folder
from shared.storage.documents import Documents
from shared.user import User

SETTINGS = "settings"
CLOCK, CERTIFICATE = "clock", "certificate"
GRAPH = "token for Graph"
FILES, PROFILES = "token for SharePoint files", "token for SharePoint profiles"
GROUPS, USERS, PHOTO = "groups", "list users", "read a photo"
FOLDER, PROFILE, WRITE = "picture folder", "read a profile", "permission to write"
SUBSCRIPTION = "subscription"
CHECKS = (
    *(CLOCK, CERTIFICATE, GRAPH, FILES, PROFILES, GROUPS, USERS, PHOTO),
    *(FOLDER, PROFILE, WRITE, SUBSCRIPTION),
)

_NOT_GRAPH = "Check GRAPH_URL and M365_CLOUD, and that no proxy answers instead of Graph."
_NO_CERTIFICATE = "Set CLIENT_CERTIFICATE to a valid certificate with its private key."
_GRANT = "Run python manage.py grant, which grants"
_RESTART = "then restart the app, which otherwise keeps old tokens for an hour"
_GRANT_USERS = f"{_GRANT} User.Read.All of Microsoft Graph; {_RESTART}"
_GRANT_GROUPS = (
    "Run python manage.py grant --groups, which grants GroupMember.Read.All of Microsoft Graph; "
    f"{_RESTART}."
)
_GRANT_PHOTO = f"{_GRANT} ProfilePhoto.Read.All of Microsoft Graph; {_RESTART}."
_GRANT_PROFILE = f"{_GRANT} User.ReadWrite.All of SharePoint; {_RESTART}."
_GRANT_MISSING = f"{_GRANT} what is missing; {_RESTART}."
_GRANT_FILES = (
    f"{_GRANT} the write access that Sites.Selected needs on the root site of the My Site host. "
    f"Then check that this site has the library {PICTURE_LIBRARY}."
)


class Clients(NamedTuple):
    """The clients for Microsoft 365, created anew for one examination."""

    tokens: Tokens
    # Without a token: Graph's time must not depend on one.
    unauthenticated: Http
    graph_http: Http
    graph: GraphClient
    listing: UserListing
    geos: Geos
    subscriptions: SubscriptionClient


class _Host(NamedTuple):
    """One host that needs a token."""

    check: str
    url: str
    needs: tuple[Need, ...]
    # What to do if Entra knows no such host.
    unknown: str


class Microsoft365Checks:
    """The checks of one examination; later ones use what earlier ones found."""

    def __init__(
        self,
        settings: Settings,
        clients: Clients,
        documents: Documents,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._clients = clients
        self._documents = documents
        self._clock = clock
        self._claims: dict[str, Claims] = {}
        self._found: list[User] = []

    def steps(self) -> Iterator[Step]:
        """All of CHECKS and those of satellites, in the order in which to fix what is wrong."""
        before = (SETTINGS,)
        yield Step(CLOCK, self._check_clock, _or(_NOT_GRAPH), before)
        yield Step(CERTIFICATE, self._certificate, _or(_NO_CERTIFICATE), before)
        for host in self._hosts():
            yield self._token_step(host)
        yield Step(GROUPS, self._groups, _of_groups, (GRAPH,))
        # With a group, its members are listed.
        listed = (GRAPH, GROUPS) if self._settings.sync_group_id else (GRAPH,)
        yield Step(USERS, self._users, _or(f"{_GRANT_USERS}."), listed)
        yield Step(PHOTO, self._photo, _or(_GRANT_PHOTO), (USERS,))
        yield Step(FOLDER, self._home_folder, _or(_GRANT_FILES), (FILES,))
        yield Step(PROFILE, self._profile, _or(_GRANT_PROFILE), (PROFILES, USERS))
        yield Step(WRITE, self._may_write, str, (FILES, PROFILES))
        for name, geo in self._clients.geos.satellites.items():
            yield from self._satellite(name, geo)
        yield Step(SUBSCRIPTION, self._subscription, _or(f"{_GRANT_USERS}."), (GRAPH,))

    def _satellite(self, name: str, geo: Geo) -> Iterator[Step]:
        """The checks of the home geography, for another one that SHAREPOINT_GEOS names."""
        files, profiles = f"{FILES} of {name}", f"{PROFILES} of {name}"
        unknown = f"Check {name} in SHAREPOINT_GEOS: Entra does not know this host."
        yield self._token_step(_Host(files, geo.my_url, (FILES_NEED,), unknown))
        yield self._token_step(_Host(profiles, geo.admin_url, (PROFILES_NEED,), unknown))
        yield Step(f"{FOLDER} of {name}", lambda: self._folder(geo), _or(_GRANT_FILES), (files,))

        def profile() -> Finding:
            try:
                geo.sharepoint.profile(self._found[0])
            except NoProfile:
                return Finding("Profiles can be read. The user checked has none here.")
            return Finding("Profiles can be read.")

        yield Step(f"{PROFILE} of {name}", profile, _or(_GRANT_PROFILE), (profiles, USERS))

    def _hosts(self) -> tuple[_Host, ...]:
        settings = self._settings
        return (
            _Host(
                GRAPH,
                settings.graph_url,
                app_roles.needs_of_graph(group=bool(_groups(settings))),
                "Check GRAPH_URL and M365_CLOUD: Entra does not know this service.",
            ),
            _Host(
                FILES,
                settings.sharepoint_my_url,
                (FILES_NEED,),
                "Check SHAREPOINT_TENANT (or SHAREPOINT_MY_URL): Entra does not know this host.",
            ),
            _Host(
                PROFILES,
                settings.sharepoint_admin_url,
                (PROFILES_NEED,),
                "Check SHAREPOINT_TENANT (or SHAREPOINT_ADMIN_URL): Entra does not know this host.",
            ),
        )

    def _check_clock(self) -> Finding:
        return clock_check.probe(self._clients.unauthenticated, self._clock)

    def _certificate(self) -> Finding:
        if self._settings.managed_identity_client_id:
            return Finding("A managed identity is used; it needs no certificate.")
        held = credential(self._settings.client_certificate)
        return clock_check.certificate(held.certificate, self._clock())

    def _token_step(self, host: _Host) -> Step:
        return Step(
            host.check,
            lambda: self._token(host),
            lambda error: entra_remedy(error, host.unknown),
            (SETTINGS,),
        )

    def _token(self, host: _Host) -> Finding:
        claims = app_roles.read(self._clients.tokens.bearer(host.url))
        if claims is None:
            return Finding(
                "The token cannot be parsed, so its roles are unknown.",
                "Check LOGIN_URL and M365_CLOUD: Entra's tokens for this service can be parsed.",
            )
        if host.check != GRAPH and claims.proof not in {"", app_roles.BY_CERTIFICATE}:
            return Finding(
                f"The token was not obtained with a certificate (appidacr {claims.proof}). "
                "SharePoint refuses such tokens.",
                "Set CLIENT_CERTIFICATE or MANAGED_IDENTITY_CLIENT_ID: a client secret works "
                "only for Graph.",
            )
        self._claims[host.check] = claims
        held = ", ".join(sorted(claims.roles)) or "none"
        missing = app_roles.missing(host.needs, claims.roles)
        if not missing:
            return Finding(f"Roles in the token for {host.url}: {held}.")
        # Other roles may be enough for the checks that follow.
        return Finding(
            f"Roles in the token for {host.url}: {held}; missing: {', '.join(missing)}.",
            _GRANT_MISSING,
            usable=True,
        )

    def _groups(self) -> Finding:
        return group_check.probe(self._clients.graph_http, _groups(self._settings))

    def _users(self) -> Finding:
        # The first page may be empty, and the second not.
        users = (user for page in self._clients.listing.all_pages() for user in page.users)
        self._found = list(itertools.islice(users, 1))
        if not self._found:
            return Finding(
                "The list of users is empty.",
                "Check that SYNC_GROUP_ID names a group that has users in it."
                if self._settings.sync_group_id
                else "Check that TENANT_ID names the right tenant: it has no users.",
            )
        return Finding("Users can be listed.")

    def _photo(self) -> Finding:
        try:
            self._clients.graph.photo_etag(self._found[0].id)
        except (NoPhoto, NoMailbox):
            return Finding("Photos can be read. The user checked has none.")
        return Finding("Photos can be read.")

    def _home_folder(self) -> Finding:
        return self._folder(self._clients.geos.home)

    def _folder(self, geo: Geo) -> Finding:
        found = geo.sharepoint.picture_folders()
        wanted = self._settings.picture_folder
        has_wanted = wanted.casefold() in {name.casefold() for name in found}
        names = ", ".join(sorted(found)) or "none"
        if not wanted or (not has_wanted and geo is not self._clients.geos.home):
            return Finding(f'The pictures are in the folder "{picture_folder(found)}".')
        if not has_wanted:
            return Finding(
                f'{PICTURE_LIBRARY} has no folder "{wanted}"; its folders: {names}.',
                "Set PICTURE_FOLDER to the name of one of these folders, or leave it empty.",
            )
        return Finding(f'The pictures are in the folder "{wanted}", as PICTURE_FOLDER says.')

    def _profile(self) -> Finding:
        try:
            geo, _ = self._clients.geos.residence(self._found[0])
        except NoProfile:
            return Finding("Profiles can be read. The user checked has none yet.")
        except OtherHost as error:
            # If Entra knows no such host, that is already reported.
            if FILES not in self._claims:
                return Finding("Profiles can be read.")
            return Finding(
                f"Profiles can be read. {error}",
                "Check SHAREPOINT_TENANT (or SHAREPOINT_MY_URL), and SHAREPOINT_GEOS.",
            )
        if geo is self._clients.geos.home:
            return Finding("Profiles can be read.")
        return Finding(f"Profiles can be read. The user checked belongs to {geo.my_url}.")

    def _may_write(self) -> Finding:
        roles = self._claims[FILES].roles | self._claims[PROFILES].roles
        missing = [
            *app_roles.missing((FILES_NEED,), self._claims[FILES].roles),
            *app_roles.missing((PROFILES_NEED,), self._claims[PROFILES].roles),
        ]
        if missing:
            return Finding(
                f"The roles in the tokens do not allow writing; missing: {', '.join(missing)}.",
                _GRANT_MISSING,
            )
        if app_roles.EVERY_SITE in roles:
            return Finding("The roles in the tokens allow writing.")
        return Finding(
            "The roles in the tokens allow writing. Sites.Selected also needs write access to the "
            "root of the My Site host; only the first copy shows whether it has that."
        )

    def _subscription(self) -> Finding:
        return subscription_check.probe(
            self._clients.subscriptions, self._documents, self._settings.webhook_url, self._clock()
        )


def _groups(settings: Settings) -> Groups:
    return Groups(settings.sync_group_id, settings.excluded_group_id)


def _of_groups(error: PhotoSyncError) -> str:
    return remedy(error, group_check.remedy(error, _GRANT_GROUPS), what="Microsoft 365")


def _or(otherwise: str) -> Callable[[PhotoSyncError], str]:
    return lambda error: remedy(error, otherwise, what="Microsoft 365")
