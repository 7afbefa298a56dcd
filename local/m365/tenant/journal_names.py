"""Which user a request is about and which client sent it, from its path, query and body."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from html import unescape
from urllib.parse import parse_qs, unquote

from local.m365.tenant.records import User
from local.m365.tenant.roster import Roster

_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_UPN = re.compile(r"[\w.!#$%&'*+=?^`{}~-]+@[\w.-]+")
_FAMILY = re.compile(r"(\w+)_[SML]Thumb\.jpg", re.IGNORECASE)


def user_of(roster: Roster, path: str, query: str, body: bytes) -> str | None:
    """The object id of the first user that the request names by id, UPN or picture file."""
    text = body.decode("utf-8", "ignore") if body[:1] in (b"{", b"[", b"<") else ""
    if text[:1] == "<":
        text = unescape(text)
    for part in (path, unquote(query), text):
        for name in _names(part.replace("''", "'")):
            user = _by_name(roster, name)
            if user is not None:
                return user.id
    return None


def _by_name(roster: Roster, name: str) -> User | None:
    if _GUID.fullmatch(name):
        return roster.by_id.get(name.casefold())
    return roster.named(name) if "@" in name else roster.of_family(name)


def _names(text: str) -> Iterator[str]:
    yield from _GUID.findall(text)
    for name in _UPN.findall(text):
        yield name
        yield name.strip("'")
    yield from _FAMILY.findall(text)


def client_of(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> str | None:
    """The client id that the bearer token or the token request claims, unverified."""
    for key, value in headers:
        if key == b"authorization" and value.count(b".") == 2:
            return _claimed(value.split(b".")[1])
    if b"client_id=" in body:
        return parse_qs(body.decode("latin-1")).get("client_id", [None])[0]
    return None


def _claimed(part: bytes) -> str | None:
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    except ValueError:
        return None
    appid = claims.get("appid") if isinstance(claims, dict) else None
    return appid if isinstance(appid, str) else None
