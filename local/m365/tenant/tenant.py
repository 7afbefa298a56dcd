"""All that the simulated tenant knows: people, photos, profiles, files, apps. No wire."""

from __future__ import annotations

import functools
import random
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import rsa

from local.m365.tenant.admins import DeviceCode
from local.m365.tenant.fault_plan import FaultPlan
from local.m365.tenant.journal import Journal
from local.m365.tenant.limits import Limits
from local.m365.tenant.records import App, Folder, Role, Subscription, Urls, User
from local.m365.tenant.roster import Roster
from local.m365.tenant.switches import Switches

USER_PHOTOS = "/User Photos"


class Tenant:
    """One Microsoft 365 tenant. Everything random in it comes from the seed."""

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
        self.apps: dict[str, App] = {}
        self.site_grants: dict[str, str] = {}  # client id -> its role on the -my root
        self.identity_header = ""  # what App Service puts into IDENTITY_HEADER
        self.trusted_ca: str | None = None  # path of the CA that deliveries trust
        self.journal = Journal()
        self.on_user_changed: list[Callable[[User, str], None]] = []
        self.on_lifecycle: list[Callable[[Subscription, str], None]] = []
        self.faults = FaultPlan()
        self.skew = timedelta()  # how far control has moved the clock
        self._seed = seed
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Forget people, groups, files, subscriptions and switches; keep apps and the journal."""
        self.rng = random.Random(self._seed)
        self.roster = Roster()
        self.deleted_users: dict[str, User] = {}  # softly: gone, but not yet for good
        self.left_groups: dict[str, list[str]] = {}  # of whom these were members
        self.groups: dict[str, set[str]] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.switches = Switches()
        self.limits = Limits(self.roster, self.switches, self.now)
        self.withdrawn: dict[Role, bool] = {}  # roles taken away; True: from old tokens too
        self.unseen: dict[str, int] = {}  # object id -> requests that do not see it yet
        self.device_codes: dict[str, DeviceCode] = {}
        self.folders: dict[str, Folder] = {}
        self.add_folder(USER_PHOTOS)
        self.add_folder(f"{USER_PHOTOS}/Forms")
        self.picture_folder = self.add_folder(f"{USER_PHOTOS}/Profile Pictures")

    @functools.cached_property
    def signing_key(self) -> rsa.RSAPrivateKey:
        """What Entra signs access tokens with; made on first use, new in every process."""
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def now(self) -> datetime:
        """The tenant's time, which control may have moved."""
        return self._clock() + self.skew

    def login_time(self) -> datetime:
        """
        What assertions and tokens are judged by: never moved.

        Clients sign by the machine's clock and keep tokens by it, so theirs cannot be moved along.
        """
        return self._clock()

    def new_id(self) -> str:
        """A GUID from the seed."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    @property
    def users(self) -> Mapping[str, User]:
        """Everybody by object id, in lower case; changed through the roster only."""
        return self.roster.by_id

    def user(self, id_or_upn: str) -> User | None:
        """The user of that object id or user principal name, in any case."""
        return self.users.get(id_or_upn.casefold()) or self.roster.named(id_or_upn)

    def add_user(self, user: User) -> User:
        self.roster.add(user)
        return user

    def touch(self, user: User, change: str) -> None:
        """Tell listeners that *user* was changed: `updated`, `deleted` or `photo`."""
        for listener in self.on_user_changed:
            listener(user, change)

    def folder(self, path: str) -> Folder | None:
        return self.folders.get(path.casefold())

    def add_folder(self, path: str) -> Folder:
        """Make the folder at *path* (server-relative, its parent exists)."""
        folder = Folder(path, self.new_id(), self.now())
        self.folders[path.casefold()] = folder
        return folder

    def name_picture_folder(self, name: str) -> None:
        """Rename the folder of pictures, as a My Site host in another language has it."""
        folder = self.folders.pop(self.picture_folder.path.casefold())
        folder.path = f"{USER_PHOTOS}/{name}"
        self.folders[folder.path.casefold()] = folder
