"""Finds users in Microsoft Graph by their names or any of their addresses."""

from __future__ import annotations

import re
import unicodedata
from typing import Any
from urllib.parse import quote

from shared.errors import BadRequest, Refused
from shared.graph import batch
from shared.graph.client import USER_FIELDS, read_user
from shared.graph.errors import code_and_message
from shared.microsoft365.http import Http
from shared.microsoft365.reply import fault
from shared.user import User, is_object_id

# The most results; to find a user beyond them, type more of the name.
MOST = 25
_LONGEST = 200
_HEADERS = {"ConsistencyLevel": "eventual"}
_FIELDS = f"{USER_FIELDS},mail,proxyAddresses,otherMails"
_SMTP = "smtp:"


class UserSearch:
    """
    One call per search (graph.md section 10). It reads an index that may lag.

    Errors: BadRequest, Throttled, ServiceDown, AccessDenied, Refused.
    """

    def __init__(self, http: Http) -> None:
        self._http = http

    def search(self, text: str) -> list[User]:
        """
        Users with an address, or words in the name, that begin with *text* or its words.

        At most MOST, sorted by name.
        """
        wanted = _checked(text)
        queries = _prefix_queries(wanted) if "@" in wanted else [_phrase_query(wanted)]
        return self._ask(queries, wanted)

    def addressed(self, address: str) -> list[User]:
        """Users with *address* in any property; there may be more than one."""
        wanted = _checked(address)
        return self._ask(_prefix_queries(wanted), wanted, exactly=True)

    def _ask(self, queries: list[str], wanted: str, *, exactly: bool = False) -> list[User]:
        # One page per query; a longer search text finds users on further pages.
        options = f"&$count=true&$top={MOST}&$select={_FIELDS}"
        requests = [
            {**batch.get(str(number), f"/users?{query}{options}"), "headers": _HEADERS}
            for number, query in enumerate(queries)
        ]
        found: dict[str, User] = {}
        refused: list[Refused] = []
        for reply in batch.send(self._http, requests).values():
            if reply.ok:
                told = reply.read(lambda fields: _matching(fields["value"], wanted, exactly))
                found |= {user.id: user for user in told}
                continue
            error = fault(reply, *code_and_message(reply))
            if not isinstance(error, Refused):
                raise error
            refused.append(error)
        if refused and not found:
            raise refused[0]
        return sorted(found.values(), key=_sort_key)[:MOST]


def _sort_key(user: User) -> tuple[str, str]:
    name, upn = user.display_name.casefold(), user.user_principal_name.casefold()
    return name or upn, upn


def _checked(text: str) -> str:
    # Some systems write an accent as a separate character; directories mostly do not.
    wanted = unicodedata.normalize("NFC", " ".join(text.split()))
    if not _split(wanted) or len(wanted) > _LONGEST or not wanted.isprintable():
        raise BadRequest(f"Type up to {_LONGEST} characters of a name or an address.")
    return wanted


def _prefix_queries(text: str) -> list[str]:
    """
    One query for each property that may hold an address.

    They are not joined by `or`: each is documented alone, and joined ones were refused (section
    10). The primary address has the prefix SMTP:, the others smtp:; whether Graph's comparison is
    case-sensitive is undocumented.
    """
    literal = text.replace("'", "''")
    filters = [
        *(f"startsWith({name},'{literal}')" for name in ("userPrincipalName", "mail")),
        *(
            f"proxyAddresses/any(a:startsWith(a,'{kind}{literal}'))"
            for kind in (_SMTP, _SMTP.upper())
        ),
        f"otherMails/any(a:startsWith(a,'{literal}'))",
    ]
    return [f"$filter={quote(each, safe='')}" for each in filters]


def _phrase_query(text: str) -> str:
    # A quote or backslash would break the phrase, and no name is found by one.
    phrase = re.sub(r'["\\]', " ", text)
    names = ("displayName", "userPrincipalName", "mail")
    return "$search=" + quote(" OR ".join(f'"{name}:{phrase}"' for name in names), safe="")


def _matching(items: Any, wanted: str, exactly: bool) -> list[User]:
    # Graph may silently ignore a query that it does not support (documented).
    readable = [item for item in items if _is_readable(item)]
    return [read_user(item) for item in readable if _matches(item, wanted.casefold(), exactly)]


def _is_readable(item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    id_, upn = item.get("id"), item.get("userPrincipalName")
    return isinstance(id_, str) and is_object_id(id_) and isinstance(upn, str)


def _matches(item: dict[str, Any], wanted: str, exactly: bool) -> bool:
    addresses = _addresses(item)
    if exactly:
        return wanted in addresses
    if any(each.startswith(wanted) for each in addresses):
        return True
    words = _split(_plain(f"{item.get('displayName') or ''} {' '.join(addresses)}"))
    return all(any(word.startswith(each) for word in words) for each in _split(_plain(wanted)))


def _plain(text: str) -> str:
    """*text* in lower case without accents: Graph may match a name typed without them."""
    characters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in characters if not unicodedata.combining(character))


def _split(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _addresses(item: dict[str, Any]) -> set[str]:
    values = [item.get("userPrincipalName"), item.get("mail")]
    for name in ("proxyAddresses", "otherMails"):
        listed = item.get(name)
        values += listed if isinstance(listed, list) else []
    texts = (each.casefold() for each in values if isinstance(each, str))
    return {each.removeprefix(_SMTP) for each in texts}
