"""Graph's `users/delta`: the users created, changed or deleted since an earlier round."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.m365.graph import query
from local.m365.graph.lists import shown
from local.m365.graph.user_queries import USERS
from local.m365.graph.wire import USER_READ, Refusal, bad_request, collection, route
from local.m365.tenant.tenant import Tenant

PAGE = query.DEFAULT_PAGE  # the actual number varies (D)
LIFE = timedelta(days=7)
_MOST_FILTERED = 50
_IDS = re.compile(r"\s*id eq '(?P<id>[^']+)'\s*")
_KEPT = ("$deltatoken", "$skiptoken")
State = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Round:
    """
    The state behind a link of a delta query.

    `changes` from index `sent` on are not yet sent; `state` is the client's state after them.
    """

    names: tuple[str, ...]
    ids: frozenset[str] | None  # the only users covered; None: all users
    changes: tuple[dict[str, Any], ...]
    state: State
    began: datetime
    of: str = "users"  # for `@odata.context`
    sent: int = 0


def routes(tenant: Tenant) -> list[Route]:
    # Documented (delta-query-overview): the short name, and the forms that SDKs write.
    spelled = ("delta", "delta()", "microsoft.graph.delta()")
    return [
        route(tenant, "GET", f"/users/{name}", USER_READ, users_delta, scopes=USER_READ)
        for name in spelled
    ]


async def users_delta(tenant: Tenant, request: Request, client_id: str) -> Response:
    """
    A page of changes, and the link to the next page or the next round.

    Documented (facts/graph.md section 11): everything except the size of a page and the answer to
        an unknown token. Photos are not tracked, since they are not a property of the user (D,
        2022; section 1).
    """
    options = query.options(request.query_params, "$select", "$filter", *_KEPT)
    given = [options[name] for name in _KEPT if options.get(name)]
    if given and given != ["latest"]:
        if len(options) > 1:
            raise bad_request("A token already says what was asked for.", "Request_BadRequest")
        now = _found(tenant, given[0])
        if options.get("$deltatoken"):
            minimal = "return=minimal" in request.headers.get("prefer", "").replace(" ", "")
            now = _next(tenant, now, minimal=minimal)
    else:
        now = _first(tenant, options)
        if given:
            now = replace(now, changes=())
    return _answer(tenant, now)


def _found(tenant: Tenant, token: str) -> Round:
    now: Round | None = tenant.delta_rounds.get(token)
    if now is None or tenant.now() > now.began + LIFE:
        # Documented: 410, with the URL for starting again. Assumed: code and sentence.
        again = f"{tenant.urls.graph}/v1.0/users/delta?$deltatoken="
        message = "The sync state is not found; begin again."
        raise Refusal(410, "syncStateNotFound", message, {"Location": again})
    return now


def _first(tenant: Tenant, options: dict[str, str]) -> Round:
    chosen = options.get("$select")
    names = tuple(dict.fromkeys([*query.selected(chosen, USERS), "id"]))
    ids = _ids(options["$filter"]) if "$filter" in options else None
    state = _state(tenant, names, ids)
    of = f"users({chosen})" if chosen else "users"
    return Round(names, ids, tuple(map(_set_fields, state.values())), state, tenant.now(), of)


def _ids(text: str) -> frozenset[str]:
    """Documented: only `id eq`, joined by `or`, at most fifty. Assumed: how others are refused."""
    found = [_IDS.fullmatch(part) for part in re.split(r"\bor\b", text)]
    ids = frozenset(match["id"].casefold() for match in found if match)
    if not all(found) or len(found) > _MOST_FILTERED:
        raise bad_request("Unsupported or invalid query filter clause.", "Request_UnsupportedQuery")
    return ids


def _next(tenant: Tenant, before: Round, *, minimal: bool) -> Round:
    """The changes of all users since *before*."""
    state = _state(tenant, before.names, before.ids)
    changes = []
    for key, fields in state.items():
        known = before.state.get(key)
        if known is None:
            changes.append(_set_fields(fields))
        elif known != fields:
            # Null is included here: a value that was removed.
            new = {name: value for name, value in fields.items() if known[name] != value}
            changes.append({"id": fields["id"], **({} if minimal else _set_fields(fields)), **new})
    for key in before.state.keys() - state.keys():
        reason = "changed" if key in tenant.deleted_users else "deleted"
        changes.append({"id": before.state[key]["id"], "@removed": {"reason": reason}})
    return replace(before, changes=tuple(changes), sent=0, state=state, began=tenant.now())


def _state(tenant: Tenant, names: tuple[str, ...], ids: frozenset[str] | None) -> State:
    return {
        key: shown(USERS, user, names)
        for key, user in tenant.users.items()
        if ids is None or key in ids
    }


def _set_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Documented: properties that were never set are omitted."""
    return {name: value for name, value in fields.items() if value is not None}


def _answer(tenant: Tenant, now: Round) -> Response:
    end = now.sent + PAGE
    token = tenant.new_id()
    tenant.delta_rounds[token] = replace(now, sent=end)
    url = f"{tenant.urls.graph}/v1.0/users/delta"
    link = (
        {"@odata.nextLink": f"{url}?$skiptoken={token}"}
        if end < len(now.changes)
        else {"@odata.deltaLink": f"{url}?$deltatoken={token}"}
    )
    return collection(tenant, now.of, now.changes[now.sent : end], **link)
