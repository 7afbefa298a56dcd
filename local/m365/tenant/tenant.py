"""The state of the simulated tenant: people, photos, profiles, files, apps. No wire format."""

from __future__ import annotations

import asyncio
import functools
import random
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa

from local.m365.tenant.admins import DeviceCode
from local.m365.tenant.clouds import CLOUDS
from local.m365.tenant.fault_plan import FaultPlan
from local.m365.tenant.geo import HOME_FOLDER, Geo
from local.m365.tenant.journal import Journal
from local.m365.tenant.limits import Limits
from local.m365.tenant.records import (
    App,
    Assigned,
    Consent,
    Folder,
    Group,
    Role,
    Subscription,
    Urls,
    User,
)
from local.m365.tenant.roster import Roster
from local.m365.tenant.switches import Switches


class Tenant:
    """One Microsoft 365 tenant. All randomness comes from the seed."""

    name = "contoso"
    domain = "contoso.com"

    def __init__(
        self,
        tenant_id: str,
        *,
        seed: int = 0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.tenant_id = tenant_id
        self.urls = Urls()
        self.cloud = CLOUDS["global"]  # its host names, if the hosts have their real names
        self.apps: dict[str, App] = {}
        self.home = Geo("", HOME_FOLDER, self.new_id, self.now)
        self.satellites: dict[str, Geo] = {}  # by name
        self.sharepoint_name = self.name  # the start of SharePoint's host names
        self.former_names: list[str] = []  # before the tenant was renamed
        self.identity_header = ""  # what App Service sets in IDENTITY_HEADER
        self.trusted_ca: str | None = None  # path of the CA that deliveries trust
        self.journal = Journal()
        self.on_user_changed: list[Callable[[User, str], None]] = []
        self.on_lifecycle: list[Callable[[Subscription, str], None]] = []
        self.deliveries: set[asyncio.Task[None]] = set()  # under way or waiting for their retry
        self.faults = FaultPlan()
        self.skew = timedelta()  # how far the control API has moved the clock
        self._seed = seed
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Delete people, groups, files, subscriptions and switches; keep apps and the journal."""
        self.rng = random.Random(self._seed)
        self.roster = Roster()
        self.deleted_users: dict[str, User] = {}  # soft-deleted: gone, but can be restored
        self.left_groups: dict[str, list[str]] = {}  # groups that these users were members of
        self.groups: dict[str, Group] = {}
        self.assigned: dict[str, Assigned] = {}  # roles of people and groups, by id
        self.consents: dict[str, Consent] = {}  # by id
        self.subscriptions: dict[str, Subscription] = {}
        self.switches = Switches()
        self.limits = Limits(self.roster, self.switches, self.now)
        self.withdrawn: dict[Role, bool] = {}  # removed roles; True: from issued tokens too
        self.unseen: dict[str, int] = {}  # object id -> requests that do not see it yet
        self.device_codes: dict[str, DeviceCode] = {}
        self.delta_rounds: dict[str, Any] = {}  # the state behind Graph's delta links
        # The last picture that `userphoto.aspx` served, by user and size.
        self.served_pictures: dict[tuple[str, str], bytes] = {}
        for geo in self.geos:
            geo.empty()

    @functools.cached_property
    def signing_key(self) -> rsa.RSAPrivateKey:
        """The key that signs access tokens; created on first use, new in every process."""
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def now(self) -> datetime:
        """The tenant's time, which the control API may have moved."""
        return self._clock() + self.skew

    def login_time(self) -> datetime:
        """
        The time by which assertions and tokens are judged; never moved.

        Clients sign and cache tokens by the machine's clock, which cannot be moved along.
        """
        return self._clock()

    def new_id(self) -> str:
        """A GUID from the seed."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of this tenant at the login host: its id and its domains."""
        return (self.tenant_id, self.domain, f"{self.name}.onmicrosoft.com")

    @property
    def login_urls(self) -> tuple[str, ...]:
        """The base URLs of the login host under each of its names (facts/graph.md section 6)."""
        aliases = self.cloud.login_aliases if self.urls.proxy else ()
        return (self.urls.login, *(f"https://{alias}" for alias in aliases))

    @property
    def users(self) -> Mapping[str, User]:
        """All users by object id, in lower case; change it only through the roster."""
        return self.roster.by_id

    def user(self, id_or_upn: str) -> User | None:
        """The user with that object id or user principal name, ignoring case."""
        return self.users.get(id_or_upn.casefold()) or self.roster.named(id_or_upn)

    def add_user(self, user: User) -> User:
        user.attributes.setdefault("createdDateTime", f"{self.now():%Y-%m-%dT%H:%M:%SZ}")
        self.roster.add(user)
        return user

    def touch(self, user: User, change: str) -> None:
        """Tell listeners that *user* has changed: `updated`, `deleted` or `photo`."""
        for listener in self.on_user_changed:
            listener(user, change)

    @property
    def geos(self) -> list[Geo]:
        """All geographies, home first."""
        return [self.home, *self.satellites.values()]

    def geo_of(self, user: User) -> Geo | None:
        """The geography of the user's personal site and profile; None if it is not simulated."""
        if not user.personal_host:
            return self.home
        host = (urlsplit(user.personal_host).hostname or "").partition(".")[0]
        return self.satellites.get(host.removesuffix("-my"))

    def host_url(self, geo: Geo, kind: str) -> str:
        """The base URL of a geography's `my`, `admin` or (home only) `root` host."""
        if geo is self.home:
            return str(getattr(self.urls, kind))
        return f"https://{geo.name}-{kind}.{self.cloud.sharepoint}"

    # Most tenants have only the home geography.

    @property
    def site_grants(self) -> dict[str, str]:
        return self.home.site_grants

    @site_grants.setter
    def site_grants(self, grants: dict[str, str]) -> None:
        self.home.site_grants = grants

    @property
    def folders(self) -> dict[str, Folder]:
        return self.home.folders

    @property
    def picture_folder(self) -> Folder:
        return self.home.picture_folder

    def folder(self, path: str) -> Folder | None:
        return self.home.folder(path)

    def name_picture_folder(self, name: str) -> None:
        """Rename the home geography's picture folder."""
        self.home.name_picture_folder(name)
