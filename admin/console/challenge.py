"""
How an app asks an unknown caller to sign in, if App Service authentication is on.

It is a redirect to the login page, or 401 with `WWW-Authenticate` (functions.md, Sign-in). The
answer is not trusted: only ids are read from it, and only Microsoft's login hosts, or the host in
LOGIN_URL, are ever called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, urlsplit

import requests

from shared.settings.clouds import CLOUDS
from shared.user import is_object_id

_PARAMETER = re.compile(r'(\w+)="?([^",\s]+)"?')
# Longest header read; App Service sends a tenth of that. A huge one would take minutes to search.
_LONGEST = 2000
_PLATFORM = "/.auth/login/"
# Other names of the same hosts (Entra, instance discovery).
_ALIASES = {
    "login.windows.net": "global",
    "login.microsoft.com": "global",
    "sts.windows.net": "global",
    "login.partner.microsoftonline.cn": "china",
    "login.usgovcloudapi.net": "usgov",
}


@dataclass(frozen=True)
class Challenge:
    """The registration, tenant and login host named; each empty if not named."""

    client_id: str = ""
    tenant: str = ""
    login_url: str = ""


def read(answer: requests.Response, own_host: str, login_url: str) -> Challenge | None:
    """What *answer* of *own_host* asks for; None if it does not ask for a sign-in."""
    headers = answer.headers
    if 300 <= answer.status_code < 400:
        return _of_redirect(headers.get("Location", ""), own_host, login_url)
    told = headers.get("WWW-Authenticate", "")[:_LONGEST]
    if answer.status_code != 401 or not told.casefold().startswith("bearer"):
        return None
    named = {name.casefold(): value for name, value in _PARAMETER.findall(told)}
    client_id = named.get("resource_id") or named.get("client_id") or ""
    return _challenge(_split(named.get("authorization_uri", "")), client_id, login_url)


def host_of(location: str) -> str:
    """The host that a redirect leads to; empty if it is not a URL."""
    return _split(location).hostname or ""


def _of_redirect(location: str, own_host: str, login_url: str) -> Challenge | None:
    parts = _split(location)
    if parts.path.casefold().startswith(_PLATFORM) and parts.netloc in {"", own_host}:
        return Challenge()
    if not _known(login_url, parts):
        return None
    client_ids = parse_qs(parts.query).get("client_id", [""])
    return _challenge(parts, client_ids[0], login_url)


def _challenge(parts: SplitResult, client_id: str, login_url: str) -> Challenge:
    tenant = parts.path.strip("/").partition("/")[0]
    known = _known(login_url, parts)
    return Challenge(_guid(client_id.removeprefix("api://")), _guid(tenant) if known else "", known)


def _known(login_url: str, parts: SplitResult) -> str:
    """The login URL for the host of an address; empty for an unknown host."""
    hosts: Mapping[str, str] = {
        **{alias: CLOUDS[cloud].login_url for alias, cloud in _ALIASES.items()},
        **{urlsplit(cloud.login_url).netloc: cloud.login_url for cloud in CLOUDS.values()},
        **({urlsplit(login_url).netloc: login_url} if login_url else {}),
    }
    return hosts.get(parts.netloc.casefold(), "") if parts.scheme == "https" else ""


def _guid(text: str) -> str:
    return text.lower() if is_object_id(text) else ""


def _split(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        # Raises ValueError for an invalid port.
        return parts if parts.port != 0 else urlsplit("")
    except ValueError:
        return urlsplit("")
