"""The supported OData options of a list, and its pages; all other options are refused."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar
from urllib.parse import quote

from local.m365.graph.filters import Kind, no_property
from local.m365.graph.wire import Refusal, bad_request

DEFAULT_PAGE = 100
LARGEST_PAGE = 999
# Forms of a list's pages besides the normal one (facts/graph.md section 5, all reported). short: a
# third of the requested size. empty: every other page, starting with the first
# (microsoft-graph-docs#17354). stuck: the next link never changes (#2635, #4897 there). circle: the
# last page links back (microsoft-graph-docs-contrib#1239).
FORMS = ("full", "short", "empty", "stuck", "circle")


def page_size(raw: str | None) -> int:
    """
    The page size that $top requests.

    Documented: 100 by default, 999 at most (facts/graph.md section 5).
    Assumed: a larger value is refused, not reduced.
    """
    if raw is None:
        return DEFAULT_PAGE
    if not raw.isdecimal() or not 1 <= int(raw) <= LARGEST_PAGE:
        raise bad_request(
            f"Invalid page size specified: '{raw}'. Must be between 1 and 999 inclusive.",
            "Request_UnsupportedQuery",
        )
    return int(raw)


def options(raw: Mapping[str, str], *known: str) -> dict[str, str]:
    """
    The query's options by name. Raises Refusal for one that is not *known*.

    Documented (query-parameters): the `$` is optional. Assumed: names are case-insensitive.
    Reported: the sentence for $skip (microsoft-graph-docs#9279).
    """
    found = {f"${name.removeprefix('$')}".lower(): value for name, value in raw.items()}
    for name in found:
        if name == "$skip":
            raise bad_request("'$skip' is not supported by the service.", "Request_BadRequest")
        if name not in known:
            raise bad_request(f"The query option '{name}' is not supported here.")
    return found


def counted(raw: str | None, headers: Mapping[str, str]) -> bool:
    """
    Whether $count requests the total number of objects.

    Documented: without the header it is ignored (facts/graph.md section 10).
    """
    if raw not in (None, "true", "false"):
        raise bad_request(f"Invalid value '{raw}' for $count.", "Request_BadRequest")
    return raw == "true" and reads_index(headers)


def reads_index(headers: Mapping[str, str]) -> bool:
    """Whether the query uses the index, which supports more and may be stale (D, section 5)."""
    return headers.get("consistencylevel", "").casefold() == "eventual"


def is_advanced(options: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    """Whether a query has both requirements of advanced queries (D, section 10)."""
    return reads_index(headers) and options.get("$count") == "true"


def selected(raw: str | None, kind: Kind, *, alone: bool = False) -> list[str]:
    """
    The properties to show, in the requested order; unknown ones are refused.

    Documented (delta-query-overview, List users): 501 for properties shown only of an object
    *alone*.
    """
    if not raw:
        return list(kind.default)
    names = []
    for name in (name.strip() for name in raw.split(",")):
        spelled = kind.spelled(name)
        if spelled is None:
            raise no_property(kind, name, "Parsing OData Select and Expand failed")
        if spelled in kind.alone and not alone:
            raise Refusal(501, "NotImplemented", "This operation target is not yet supported.")
        names.append(spelled)
    return names


class HasId(Protocol):
    @property
    def id(self) -> str: ...


One = TypeVar("One", bound=HasId)


class _Place(NamedTuple):
    """Where a page starts: after the object with this id. The first page has turn 0."""

    last: str
    turn: int


def page(
    found: Sequence[One],
    options: Mapping[str, str],
    size: int,
    url: str,
    *,
    form: str,
    by_id: bool,
) -> tuple[Sequence[One], str | None]:
    """
    One page of *found* and the link to the next.

    The token contains the last object of the page and a digest of the other options. A link rebuilt
    with other options, or guessed, is refused (facts/graph.md section 5: follow the whole link).
    *form* is one of FORMS. If the list is not sorted *by_id*, the position depends on that object,
    and the token has expired once the object is gone (reported: the code; assumed: when).
    """
    others = {name: value for name, value in options.items() if name != "$skiptoken"}
    token = options.get("$skiptoken")
    at = _Place("", 0) if token is None else _unseal(token, others)
    if by_id:
        start = bisect_right(found, at.last, key=lambda one: one.id)
    else:
        start = _after(found, at.last) if at.last else 0
    width = _width(form, size, at.turn)
    chosen = found[start : start + width]
    following = _following(found, at, start + width, form)
    if following is None:
        return chosen, None
    query = {**others, "$skiptoken": _seal(following, others)}
    pairs = "&".join(f"{name}={quote(value, safe=',')}" for name, value in query.items())
    return chosen, f"{url}?{pairs}"


def _after(found: Sequence[HasId], last: str) -> int:
    for number, one in enumerate(found, 1):
        if one.id == last:
            return number
    raise bad_request(
        "The specified page token value has expired and can no longer be included in your request.",
        "Directory_ExpiredPageToken",
    )


def _width(form: str, size: int, turn: int) -> int:
    if form == "empty":
        return size if turn else 0
    return max(1, size // 3) if form == "short" else size


def _following(found: Sequence[HasId], at: _Place, end: int, form: str) -> _Place | None:
    """Where the link to the next page leads; None without a link."""
    if form == "stuck" and at.turn:
        return at
    if end < len(found):
        turn = (at.turn + 1) % 2 if form == "empty" else 1
        return _Place(found[end - 1].id if end else at.last, turn)
    # Back to the start, by the same link each time.
    return _Place("", 1) if form == "circle" else None


def _seal(place: _Place, options: Mapping[str, str]) -> str:
    content = json.dumps([*place, _digest(place, options)]).encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _unseal(token: str, options: Mapping[str, str]) -> _Place:
    try:
        last, turn, digest = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        place = _Place(str(last), int(turn))
        valid = bool(digest == _digest(place, options))
    except (ValueError, TypeError, binascii.Error) as error:
        raise bad_request("Skip token is not valid.", "Request_BadRequest") from error
    if not valid:
        raise bad_request("Skip token does not belong to this query.", "Request_BadRequest")
    return place


def _digest(place: _Place, options: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps([*place, sorted(options.items())]).encode()).hexdigest()[:16]
