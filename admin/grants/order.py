"""The options of the command line, checked before anybody signs in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from admin.terminal.problems import Unusable
from shared.settings.clouds import CLOUDS, Cloud
from shared.user import is_object_id

# Such as contoso.onmicrosoft.com; `common` would accept an account of any tenant.
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]", re.IGNORECASE)
_SHAREPOINT = re.compile(r"[a-z0-9][a-z0-9-]*", re.IGNORECASE)


@dataclass(frozen=True)
class ConsoleOrder:
    """
    `grant --console`: *app_url* is the console's address, *client_id* that of its registration if
    it exists, and the names are those of people and groups to assign to a role.
    """

    app_url: str
    client_id: str
    viewers: tuple[str, ...]
    operators: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.viewers, *self.operators)


@dataclass(frozen=True)
class Order:
    """One call of `grant`. Exactly one of *identity*, *app*, *new_app* and *console* is set."""

    identity: str
    app: str
    new_app: str
    certificate: Path | None
    cloud: str
    tenant: str
    login_url: str
    graph_url: str
    my_sites: tuple[str, ...]  # host names, home first; none with full control
    group: bool
    full_control: bool
    device_code: bool
    device_code_app: str
    check: bool
    revoke: bool
    dry_run: bool
    yes: bool
    timeout: float
    ca: str
    console: ConsoleOrder | None = None

    @property
    def is_read_only(self) -> bool:
        """Whether nothing will be changed."""
        return self.check or self.dry_run

    @classmethod
    def of(cls, given: Mapping[str, Any], *, ca: str, url: str = "", client_id: str = "") -> Order:
        """
        Build an order from click's options; *url* and *client_id* are the shared ones.

        Raises Unusable with one sentence.
        """
        _check_subject(given)
        _check_action(given)
        console = _console(given, url, client_id) if given["console"] else None
        cloud = CLOUDS[given["cloud"]]
        return cls(
            identity=given["identity"],
            app=given["app"],
            new_app=given["new_app"].strip(),
            certificate=_certificate(given),
            cloud=given["cloud"],
            tenant=_tenant(given["tenant"].strip()),
            login_url=_https("LOGIN_URL", given["login_url"]) or cloud.login_url,
            graph_url=_https("GRAPH_URL", given["graph_url"]) or cloud.graph_url,
            my_sites=() if given["full_control"] or console else _my_sites(given, cloud),
            group=given["groups"],
            full_control=given["full_control"],
            device_code=given["device_code"],
            device_code_app=given["device_code_app"],
            check=given["check"],
            revoke=given["revoke"],
            dry_run=given["dry_run"],
            yes=given["yes"],
            timeout=given["timeout"],
            ca=ca,
            console=console,
        )


def _check_subject(given: Mapping[str, Any]) -> None:
    named = [name for name in ("identity", "app", "new_app") if given[name].strip()]
    if len(named) + given["console"] != 1:
        raise Unusable(
            "Give exactly one of --identity ID (a managed identity), --app CLIENT_ID, --new-app "
            "NAME (with a certificate) and --console (for people)."
        )
    if (given["viewer"] or given["operator"]) and not given["console"]:
        raise Unusable("--viewer and --operator need --console: add it.")
    if given["console"] and given["certificate"]:
        raise Unusable("The console's registration has no certificate: leave --certificate out.")
    for name in ("identity", "app", "device_code_app"):
        if given[name] and not is_object_id(given[name]):
            option = name.replace("_", "-")
            raise Unusable(
                f"--{option} must be an id such as 01234567-89ab-cdef-0123-456789abcdef."
            )
    if given["identity"] and given["certificate"]:
        raise Unusable("A managed identity has no certificate: leave --certificate out.")
    if given["new_app"] and (given["check"] or given["revoke"]):
        raise Unusable("--check and --revoke need an existing app: give --app CLIENT_ID.")


def _console(given: Mapping[str, Any], url: str, client_id: str) -> ConsoleOrder:
    app_url = _https("PHOTOSYNC_URL", url).removesuffix("/api/console")
    if not app_url and not given["revoke"]:
        raise Unusable("Set PHOTOSYNC_URL, or give --url: sign-ins return to that address.")
    if urlsplit(app_url).path or urlsplit(app_url).query:
        raise Unusable("PHOTOSYNC_URL must be the address of the function app, without a path.")
    if client_id and not is_object_id(client_id):
        raise Unusable("--client-id must be an id such as 01234567-89ab-cdef-0123-456789abcdef.")
    if not client_id and (given["revoke"] or given["check"]):
        raise Unusable(
            "--check and --revoke need an existing registration: give --client-id, or set "
            "PHOTOSYNC_CLIENT_ID."
        )
    viewers, operators = (_names(given[role]) for role in ("viewer", "operator"))
    return ConsoleOrder(app_url, client_id.lower(), viewers, operators)


def _names(given: Sequence[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in given))
    if not all(name and name.isprintable() for name in names):
        raise Unusable(
            "--viewer and --operator take a user principal name, a mail address, an object id or "
            "a group's display name."
        )
    return names


def _tenant(name: str) -> str:
    # It becomes part of the sign-in address, and an argument of az.
    if name and not (is_object_id(name) or _DOMAIN.fullmatch(name)):
        raise Unusable(
            "--tenant (or TENANT_ID) must be the tenant's id or one of its domains, such as "
            "contoso.onmicrosoft.com."
        )
    return name


def _check_action(given: Mapping[str, Any]) -> None:
    if given["check"] and (given["revoke"] or given["dry_run"]):
        raise Unusable("--check changes nothing: leave out --revoke and --dry-run.")
    if given["revoke"] and given["certificate"]:
        raise Unusable("--revoke does not touch certificates: leave --certificate out.")


def _certificate(given: Mapping[str, Any]) -> Path | None:
    if given["certificate"]:
        return Path(given["certificate"])
    if not given["new_app"]:
        return None
    plain = re.sub(r"[^a-z0-9]+", "-", given["new_app"].lower()).strip("-")
    return Path(f"{plain or 'app'}.pem")


def _my_sites(given: Mapping[str, Any], cloud: Cloud) -> tuple[str, ...]:
    """The My Site hosts of the home geography and the satellites, each once."""
    names = [name.strip().lower() for name in given["sharepoint_geos"].split(",") if name.strip()]
    for name in names:
        if not _SHAREPOINT.fullmatch(name) or name.endswith(("-my", "-admin")):
            raise Unusable(
                "--sharepoint-geos (or SHAREPOINT_GEOS) takes names separated by commas, such as "
                "contosoeur for contosoeur-my.sharepoint.com."
            )
    satellites = (f"{name}-my.{cloud.sharepoint_suffix}" for name in names)
    return tuple(dict.fromkeys((_my_site(given, cloud), *satellites)))


def _my_site(given: Mapping[str, Any], cloud: Cloud) -> str:
    url = _https("SHAREPOINT_MY_URL", given["sharepoint_my_url"])
    if url:
        return urlsplit(url).hostname or ""
    name = given["sharepoint_tenant"].strip()
    if not name:
        raise Unusable(
            "Give --sharepoint-tenant NAME (NAME.sharepoint.com) or set SHAREPOINT_TENANT, or "
            "choose --full-control."
        )
    if not _SHAREPOINT.fullmatch(name):
        raise Unusable("--sharepoint-tenant takes only the NAME in NAME.sharepoint.com.")
    return f"{name.lower()}-my.{cloud.sharepoint_suffix}"


def _https(name: str, url: str) -> str:
    url = url.strip().rstrip("/")
    if url and (not url.startswith("https://") or not urlsplit(url).hostname):
        # The admin's token is sent there.
        raise Unusable(f"{name} must be empty, or begin with https:// and name a host.")
    return url
