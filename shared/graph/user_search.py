"""Finds users by what people call them, in Microsoft Graph: names, and any of their addresses."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from shared.errors import BadRequest
from shared.graph.client import USER_FIELDS, read_user
from shared.graph.errors import said
from shared.microsoft365.http import Http
from shared.microsoft365.reply import fault
from shared.user import User, is_object_id

# So many are told; whoever looks for one of more types more of the name.
MOST = 25
_LONGEST = 200
_HEADERS = {"ConsistencyLevel": "eventual"}
_FIELDS = f"{USER_FIELDS},mail,proxyAddresses,otherMails"
_SMTP = "smtp:"


class UserSearch:
    """
    One call a search (graph.md section 5, documented). It reads an index that may be behind.

    Errors: BadRequest, Throttled, ServiceDown, AccessDenied, Refused.
    """

    def __init__(self, http: Http) -> None:
        self._http = http

    def search(self, text: str) -> list[User]:
        """At most MOST users of whom an address begins so, or of whose name words do."""
        wanted = _checked(text)
        return self._ask(_beginning(wanted) if "@" in wanted else _words(wanted), wanted)

    def addressed(self, address: str) -> list[User]:
        """Whoever has *address*, in whatever property; more than one is possible."""
        wanted = _checked(address)
        return self._ask(_beginning(wanted), wanted, exactly=True)

    def _ask(self, query: str, wanted: str, *, exactly: bool = False) -> list[User]:
        # Of one page: whoever is on a further one is found by more of the name.
        path = f"/v1.0/users?{query}&$count=true&$top={MOST}&$select={_FIELDS}"
        reply = self._http.send("GET", path, headers=_HEADERS)
        if not reply.ok:
            raise fault(reply, *said(reply))
        return reply.read(lambda fields: _matching(fields["value"], wanted, exactly))


def _checked(text: str) -> str:
    wanted = " ".join(text.split())
    if not wanted or len(wanted) > _LONGEST or not wanted.isprintable():
        raise BadRequest(f"Type up to {_LONGEST} letters of a name or of an address.")
    return wanted


def _beginning(text: str) -> str:
    literal = text.replace("'", "''")
    clauses = [
        *(f"startsWith({name},'{literal}')" for name in ("userPrincipalName", "mail")),
        f"proxyAddresses/any(a:startsWith(a,'{_SMTP}{literal}'))",
        f"otherMails/any(a:startsWith(a,'{literal}'))",
    ]
    return f"$filter={quote(' or '.join(clauses), safe='')}"


def _words(text: str) -> str:
    # Neither ends the phrase in which it stands, and no name is found by either.
    phrase = re.sub(r'["\\]', " ", text)
    names = ("displayName", "userPrincipalName", "mail")
    return "$search=" + quote(" OR ".join(f'"{name}:{phrase}"' for name in names), safe="")


def _matching(items: Any, wanted: str, exactly: bool) -> list[User]:
    # Graph may leave out a query that it does not support, without a word (documented).
    readable = [item for item in items if _is_readable(item)]
    return [read_user(item) for item in readable if _fits(item, wanted.casefold(), exactly)]


def _is_readable(item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    id_, upn = item.get("id"), item.get("userPrincipalName")
    return isinstance(id_, str) and is_object_id(id_) and isinstance(upn, str)


def _fits(item: dict[str, Any], wanted: str, exactly: bool) -> bool:
    addresses = _addresses(item)
    if exactly:
        return wanted in addresses
    if any(each.startswith(wanted) for each in addresses):
        return True
    told = _split(f"{item.get('displayName') or ''} {' '.join(addresses)}".casefold())
    return all(any(word.startswith(each) for word in told) for each in _split(wanted))


def _split(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _addresses(item: dict[str, Any]) -> set[str]:
    told = [item.get("userPrincipalName"), item.get("mail")]
    for name in ("proxyAddresses", "otherMails"):
        listed = item.get(name)
        told += listed if isinstance(listed, list) else []
    texts = (each.casefold() for each in told if isinstance(each, str))
    return {each.removeprefix(_SMTP) for each in texts}
