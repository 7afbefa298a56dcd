"""The app's settings: read once from a mapping, never changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from shared.errors import SettingsError
from shared.pictures import sizes
from shared.settings.clouds import CLOUDS
from shared.user import is_object_id

_BASE_URL = re.compile(r"https://[a-z0-9.-]+(:[0-9]+)?/?", re.IGNORECASE)
_WEBHOOK = re.compile(r"https://[^/?#@\s]+/[^\s#]+")
_SHARE = re.compile(r"0?\.[0-9]{1,6}|1(\.0{1,6})?")
_TENANT_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.IGNORECASE)
# Graph refuses a longer one (graph.md section 2, documented).
CLIENT_STATE_LIMIT = 128
# Too long to guess if it is random, which cannot be checked; a few repeated characters are not.
_FEWEST_OF_STATE, _FEWEST_DIFFERENT = 20, 8


@dataclass(frozen=True)
class StorageSettings:
    """Either a connection string or both service URIs, reached with a managed identity."""

    connection_string: str = field(repr=False)
    blob_uri: str
    queue_uri: str
    identity_client_id: str

    @classmethod
    def from_mapping(cls, env: Mapping[str, str]) -> StorageSettings:
        """Read only these: messages need them in order to wait. Raises SettingsError."""
        read = _Reader(env)
        settings = read.storage("AzureWebJobsStorage")
        read.check()
        return settings


@dataclass(frozen=True)
class AuditSettings:
    """Whether audits repair, in how many days they check everyone, and their share of calls."""

    repair: bool
    days: int
    share: float


@dataclass(frozen=True)
class Settings:
    """All of them; docs/settings.md says what each one means."""

    tenant_id: str
    client_id: str
    client_certificate: str = field(repr=False)
    managed_identity_client_id: str
    login_url: str
    graph_url: str
    sharepoint_my_url: str
    sharepoint_admin_url: str
    # The prefix and suffix of host names in this tenant, in lower case, and the prefixes of its
    # other geographies: see `sharepoint.geos`.
    sharepoint_tenant: str
    sharepoint_suffix: str
    sharepoint_geos: tuple[str, ...]
    webhook_url: str = field(repr=False)
    client_state: str = field(repr=False)
    picture_sizes: tuple[int, ...]
    picture_sync_state: str
    picture_folder: str
    replace_custom_picture: bool
    remove_when_gone: bool
    # None: never.
    forget_after: timedelta | None
    sync_group_id: str
    excluded_group_id: str
    excluded_users: frozenset[str]
    include_guests: bool
    # For all instances together; 0: detect the tenant's class.
    profile_calls: int
    audit: AuditSettings
    dry_run: bool
    storage: StorageSettings

    @classmethod
    def from_mapping(cls, env: Mapping[str, str]) -> Settings:
        """Read *env*, or raise one SettingsError that names every missing or bad setting."""
        read = _Reader(env)
        cloud = CLOUDS[read.choice("M365_CLOUD", tuple(CLOUDS))]
        name = read.text("SHAREPOINT_TENANT", _is_tenant_name, _TENANT_RULE)
        suffix = cloud.sharepoint_suffix
        identity = read.text("MANAGED_IDENTITY_CLIENT_ID", is_object_id, _GUID_RULE, default="")
        settings = cls(
            tenant_id=read.text("TENANT_ID", is_object_id, _GUID_RULE),
            client_id=read.credential("CLIENT_ID", identity, is_object_id, _GUID_RULE),
            client_certificate=read.credential("CLIENT_CERTIFICATE", identity, bool, "set"),
            managed_identity_client_id=identity,
            login_url=read.url("LOGIN_URL", cloud.login_url),
            graph_url=read.url("GRAPH_URL", cloud.graph_url),
            sharepoint_my_url=read.url("SHAREPOINT_MY_URL", f"https://{name}-my.{suffix}"),
            sharepoint_admin_url=read.url("SHAREPOINT_ADMIN_URL", f"https://{name}-admin.{suffix}"),
            sharepoint_tenant=name.lower(),
            sharepoint_suffix=suffix,
            sharepoint_geos=read.geos("SHAREPOINT_GEOS", home=name.lower()),
            webhook_url=read.text("WEBHOOK_URL", _is_webhook, _WEBHOOK_RULE, default=""),
            client_state=read.client_state("CLIENT_STATE", apart_from="WEBHOOK_URL"),
            picture_sizes=read.sizes("PICTURE_SIZES"),
            picture_sync_state=read.choice("PICTURE_SYNC_STATE", ("1", "0")),
            picture_folder=read.text("PICTURE_FOLDER", _is_folder_name, _FOLDER_RULE, default=""),
            replace_custom_picture=read.choice("CUSTOM_PICTURE", ("keep", "replace")) == "replace",
            remove_when_gone=read.choice("REMOVED_PHOTO", ("remove", "keep")) == "remove",
            forget_after=read.days("FORGET_AFTER_DAYS", 30),
            sync_group_id=read.group("SYNC_GROUP_ID"),
            excluded_group_id=read.group("EXCLUDED_GROUP_ID"),
            excluded_users=read.names("EXCLUDED_USERS"),
            include_guests=read.flag("INCLUDE_GUESTS"),
            profile_calls=read.number("PROFILE_CALLS_PER_5_MINUTES", 3000, zero="automatic"),
            audit=read.audit("AUDIT"),
            dry_run=read.flag("DRY_RUN"),
            storage=read.storage("AzureWebJobsStorage"),
        )
        _check_console_settings(read)
        read.check()
        return settings


def _check_console_settings(read: _Reader) -> None:
    # Read before all others, by `settings.console`, which cannot report an error to anybody.
    read.text("CONSOLE_SIGN_IN", is_object_id, _GUID_RULE, default="")
    read.choice("CONSOLE_KEYS", ("true", "false"))


_TENANT_RULE = '"contoso" for contoso.sharepoint.com'
_GUID_RULE = "a GUID such as 00000000-0000-0000-0000-000000000000"
_WEBHOOK_RULE = "the https:// address of /api/notifications with its ?code="
_STATE_RULE = (
    f"a random text of {_FEWEST_OF_STATE} to {CLIENT_STATE_LIMIT} characters, at least "
    f"{_FEWEST_DIFFERENT} of them different"
)
_GEOS_RULE = (
    'names separated by commas, such as "fabrikamdach" for fabrikamdach-my.sharepoint.com, without '
    "the -my and the rest of the address"
)
_FOLDER_RULE = "the name of one folder in /User Photos, without / or \\"


def _is_tenant_name(value: str) -> bool:
    return bool(_TENANT_NAME.fullmatch(value))


def _is_geo_name(value: str) -> bool:
    # Somebody who pastes a host name means the part before this ending.
    return _is_tenant_name(value) and not value.endswith(("-my", "-admin"))


def _is_folder_name(value: str) -> bool:
    return not set(value) & set('/\\"*:<>?|') and value not in {".", ".."}


def _is_base_url(value: str) -> bool:
    try:
        port = urlsplit(value).port
    except ValueError:  # brackets that hold no address, a port beyond 65535
        return False
    return port != 0 and bool(_BASE_URL.fullmatch(value))


def _is_webhook(value: str) -> bool:
    return bool(_WEBHOOK.fullmatch(value))


def _is_client_state(value: str) -> bool:
    fits = _FEWEST_OF_STATE <= len(value) <= CLIENT_STATE_LIMIT
    return fits and len(set(value)) >= _FEWEST_DIFFERENT


def _code(webhook: str) -> str:
    """The key in the webhook's address; empty if there is none."""
    try:
        return parse_qs(urlsplit(webhook).query).get("code", [""])[0]
    except ValueError:
        return ""


class _Reader:
    """Reads one setting after another and collects what is wrong with them."""

    # A message never shows a value: a secret pasted under the wrong name would reach the log.

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.problems: list[str] = []

    def check(self) -> None:
        if self.problems:
            raise SettingsError("Fix these app settings: " + "; ".join(self.problems) + ".")

    def text(
        self, key: str, valid: Callable[[str], bool], rule: str, *, default: str | None = None
    ) -> str:
        value = self.env.get(key, "").strip()
        if not value and default is not None:
            return default
        if not value:
            self.problems.append(f"{key} is missing ({rule})")
        elif not valid(value):
            self.problems.append(f"{key} must be {rule}")
        return value

    def credential(self, key: str, identity: str, valid: Callable[[str], bool], rule: str) -> str:
        """Required only without a managed identity."""
        value = self.text(key, valid, rule, default="")
        if not value and not identity:
            self.problems.append(f"{key} is missing (or set MANAGED_IDENTITY_CLIENT_ID)")
        return value

    def client_state(self, key: str, *, apart_from: str) -> str:
        """The notifications' secret, which must not contain the webhook's key."""
        value = self.text(key, _is_client_state, _STATE_RULE)
        code = _code(self.env.get(apart_from, "").strip())
        if code and code in value:
            self.problems.append(
                f"{key} must not contain the key in {apart_from}: anyone with that key could forge "
                "notifications"
            )
        return value

    def url(self, key: str, default: str) -> str:
        rule = "an https:// address without a path"
        value = self.text(key, _is_base_url, rule, default=default)
        return value.rstrip("/")

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        """The first of *allowed* is the default."""
        value = self.env.get(key, "").strip().lower() or allowed[0]
        if value not in allowed:
            self.problems.append(f"{key} must be one of {', '.join(allowed)}")
            return allowed[0]
        return value

    def number(
        self, key: str, default: int, *, zero: str = "no limit", most: int = 999_999_999
    ) -> int:
        """A whole number up to *most*; *zero* says what 0 means."""
        value = self.env.get(key, "").strip() or str(default)
        if not (value.isascii() and value.isdecimal() and len(value) <= 9 and int(value) <= most):
            self.problems.append(f"{key} must be a whole number up to {most} (0 means {zero})")
            return default
        return int(value)

    def days(self, key: str, default: int) -> timedelta | None:
        """Whole days; 0 means never."""
        days = self.number(key, default, zero="never", most=9999)
        return timedelta(days=days) if days else None

    def share(self, key: str, default: float) -> float:
        """A fraction of the whole."""
        value = self.env.get(key, "").strip() or str(default)
        if not _SHARE.fullmatch(value) or not float(value):
            self.problems.append(f"{key} must be a number above 0 and up to 1, such as {default}")
            return default
        return float(value)

    def flag(self, key: str) -> bool:
        return self.choice(key, ("false", "true")) == "true"

    def group(self, key: str) -> str:
        """The object id of a group; empty if none is set."""
        return self.text(key, is_object_id, _GUID_RULE, default="").lower()

    def names(self, key: str) -> frozenset[str]:
        """A comma-separated list, compared case-insensitively."""
        values = self.env.get(key, "").split(",")
        return frozenset(value.strip().casefold() for value in values if value.strip())

    def geos(self, key: str, *, home: str) -> tuple[str, ...]:
        """The tenant's other geographies, without duplicates and without the *home* one."""
        names = [name.strip().lower() for name in self.env.get(key, "").split(",")]
        found = tuple(dict.fromkeys(name for name in names if name not in {"", home}))
        if not all(map(_is_geo_name, found)):
            self.problems.append(f"{key} must be {_GEOS_RULE}")
        return found

    def sizes(self, key: str) -> tuple[int, ...]:
        try:
            return sizes.read(self.env.get(key, ""))
        except ValueError as error:
            self.problems.append(f"{key} must be {error}")
            return ()

    def audit(self, name: str) -> AuditSettings:
        return AuditSettings(
            repair=self.choice(name, ("repair", "report")) == "repair",
            days=self.number(f"{name}_DAYS", 7, zero="never", most=30),
            share=self.share(f"{name}_SHARE", 0.2),
        )

    def storage(self, name: str) -> StorageSettings:
        read = {
            key: self.env.get(name + suffix, "").strip()
            for key, suffix in {
                "connection_string": "",
                "blob_uri": "__blobServiceUri",
                "queue_uri": "__queueServiceUri",
                "identity_client_id": "__clientId",
            }.items()
        }
        if not read["connection_string"] and not (read["blob_uri"] and read["queue_uri"]):
            self.problems.append(
                f"{name} is missing (or set {name}__blobServiceUri and {name}__queueServiceUri)"
            )
        return StorageSettings(**read)
