"""The OData options of a users list that the simulator knows; it refuses all others."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from local.m365.graph.wire import bad_request
from local.m365.tenant.records import User

DEFAULT_PAGE = 100
LARGEST_PAGE = 999
# What the pages of a list are like, beside the usual (facts/graph.md section 5, all reported):
# short: a third of what was asked for; empty: every other one, the first too
# (microsoft-graph-docs#17354); stuck: the next link never changes (#2635, #4897 there); circle: the
# last page leads back (microsoft-graph-docs-contrib#1239).
FORMS = ("full", "short", "empty", "stuck", "circle")


def page_size(raw: str | None) -> int:
    """
    What $top asks for.

    Documented: 100 by default, 999 at most (facts/graph.md section 5).
    Assumed: more is refused and not cut down.
    """
    if raw is None:
        return DEFAULT_PAGE
    if not raw.isdecimal() or not 1 <= int(raw) <= LARGEST_PAGE:
        raise bad_request(
            f"Invalid page size specified: '{raw}'. Must be between 1 and 999 inclusive.",
            "Request_UnsupportedQuery",
        )
    return int(raw)


def counted(raw: str | None, headers: Mapping[str, str]) -> bool:
    """
    Whether $count asks for the number of all that are listed.

    Documented: only with the header (facts/graph.md section 5). Reported: the sentence without
    (microsoft-graph-docs#11882).
    """
    if raw is not None and not is_advanced(headers):
        raise bad_request("$count is not currently supported.", "Request_BadRequest")
    if raw not in (None, "true", "false"):
        raise bad_request(f"Invalid value '{raw}' for $count.", "Request_BadRequest")
    return raw == "true"


def is_advanced(headers: Mapping[str, str]) -> bool:
    """Whether the index is asked, which knows more and may be behind (D, section 5)."""
    return headers.get("consistencylevel", "").casefold() == "eventual"


def selected(raw: str | None, known: Sequence[str], default: Sequence[str]) -> list[str]:
    """The properties to show, in the order asked; an unknown one is refused."""
    if not raw:
        return list(default)
    names = [name.strip() for name in raw.split(",")]
    spelled = {name.casefold(): name for name in known}
    for name in names:
        if name.casefold() not in spelled:
            message = f"Could not find a property named '{name}' on type 'microsoft.graph.user'."
            raise bad_request(f"Parsing OData Select and Expand failed: {message}")
    return [spelled[name.casefold()] for name in names]


def only(options: Mapping[str, str], *known: str) -> None:
    """Refuse any query option besides *known*."""
    for name in options:
        if name not in known:
            raise bad_request(f"The query option '{name}' is not supported here.")


class _Place(NamedTuple):
    """Where a page begins: behind the user with this id. The first page has turn 0."""

    last: str
    turn: int


def page(
    users: Sequence[User], options: Mapping[str, str], size: int, url: str, *, form: str = "full"
) -> tuple[Sequence[User], str | None]:
    """
    One page of *users* (sorted by id) and the link to the next.

    The token names the last user seen and seals the other options: a link that was rebuilt with
    other options, or by guessing, is refused (facts/graph.md section 5: follow the whole link).
    *form* is one of FORMS.
    """
    others = {name: value for name, value in options.items() if name != "$skiptoken"}
    token = options.get("$skiptoken")
    at = _Place("", 0) if token is None else _unseal(token, others)
    start = bisect_right(users, at.last, key=lambda user: user.id)
    width = _width(form, size, at.turn)
    chosen = users[start : start + width]
    following = _following(users, at, start + width, form)
    if following is None:
        return chosen, None
    query = {**others, "$skiptoken": _seal(following, others)}
    pairs = "&".join(f"{name}={quote(value, safe=',')}" for name, value in query.items())
    return chosen, f"{url}?{pairs}"


def _width(form: str, size: int, turn: int) -> int:
    if form == "empty":
        return size if turn else 0
    return max(1, size // 3) if form == "short" else size


def _following(users: Sequence[User], at: _Place, end: int, form: str) -> _Place | None:
    """What the link to the next page leads to; None without one."""
    if form == "stuck" and at.turn:
        return at
    if end < len(users):
        turn = (at.turn + 1) % 2 if form == "empty" else 1
        return _Place(users[end - 1].id if end else at.last, turn)
    # Back to the beginning, by one and the same link each time.
    return _Place("", 1) if form == "circle" else None


def _seal(place: _Place, options: Mapping[str, str]) -> str:
    content = json.dumps([*place, _digest(place, options)]).encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _unseal(token: str, options: Mapping[str, str]) -> _Place:
    try:
        last, turn, digest = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        place = _Place(str(last), int(turn))
        sound = bool(digest == _digest(place, options))
    except (ValueError, TypeError, binascii.Error) as error:
        raise bad_request("Skip token is not valid.", "Request_BadRequest") from error
    if not sound:
        raise bad_request("Skip token does not belong to this query.", "Request_BadRequest")
    return place


def _digest(place: _Place, options: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps([*place, sorted(options.items())]).encode()).hexdigest()[:16]
