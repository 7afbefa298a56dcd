"""Lists of directory objects: filtered, searched, sorted, counted and in pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from local.m365.graph import filters, query, searches
from local.m365.graph.filters import Kind, Test, unsupported
from local.m365.graph.wire import bad_request, context
from local.m365.tenant.tenant import Tenant

One = TypeVar("One", bound=query.HasId)
_NARROWING = ("$filter", "$search")
OPTIONS = (*_NARROWING, "$select", "$top", "$orderby", "$count", "$skiptoken")
_NO_HEADER = (
    "Request with $search query parameter only works through MSGraph with a special request "
    "header: 'ConsistencyLevel: eventual'"
)


def listed(
    tenant: Tenant, request: Request, kind: Kind, everything: Iterable[One], of: str
) -> tuple[dict[str, Any], list[One]]:
    """What a list answers besides its `value`, and the objects of the requested page."""
    options = query.options(request.query_params, *OPTIONS, "$expand")
    counted = query.counted(options.get("$count"), request.headers)
    query.selected(options.get("$select"), kind)
    matches = matching(options, request.headers, kind)
    size = query.page_size(options.get("$top"))
    found = sorted((one for one in everything if matches(one)), key=lambda one: one.id)
    order = options.get("$orderby")
    if order is not None:
        name, down = _order(order, options, request.headers, kind)
        found.sort(key=lambda one: _key(kind.value(one, name)), reverse=down)
    url = tenant.urls.graph + request.url.path
    form = tenant.switches.list_pages
    chosen, following = query.page(found, options, size, url, form=form, by_id=order is None)
    suffix = f"({options['$select']})" if "$select" in options else ""
    body: dict[str, Any] = {"@odata.context": context(tenant, of + suffix)}
    # Documented (query-parameters): only on the first page.
    if counted and "$skiptoken" not in options:
        body["@odata.count"] = len(found)
    if following is not None:
        body["@odata.nextLink"] = following
    return body, list(chosen)


def answered(
    tenant: Tenant, request: Request, kind: Kind, everything: Iterable[One], of: str
) -> Response:
    """A page of *everything* by the request's options, without `$expand`."""
    options = query.options(request.query_params, *OPTIONS)
    body, chosen = listed(tenant, request, kind, everything, of)
    names = query.selected(options.get("$select"), kind)
    return JSONResponse({**body, "value": [shown(kind, one, names) for one in chosen]})


def count(request: Request, kind: Kind, everything: Iterable[Any]) -> Response:
    """
    The answer to `/$count`: a number as text.

    Documented (facts/graph.md section 10): only with the header, and the answer without it.
    """
    options = query.options(request.query_params, *_NARROWING)
    if not query.reads_index(request.headers):
        raise bad_request("$count is not currently supported.", "Request_BadRequest")
    # The path segment replaces the option.
    matches = matching({**options, "$count": "true"}, request.headers, kind)
    return PlainTextResponse(str(sum(1 for one in everything if matches(one))))


def shown(kind: Kind, one: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: kind.value(one, name) for name in names}


def matching(options: Mapping[str, str], headers: Mapping[str, str], kind: Kind) -> Test:
    """The test that $filter and $search describe together (D, facts/graph.md section 10)."""
    tests: list[Test] = []
    if "$filter" in options:
        advanced = query.is_advanced(options, headers)
        tests.append(filters.parse(options["$filter"], kind, advanced=advanced))
    if "$search" in options:
        if not query.reads_index(headers):
            raise unsupported(_NO_HEADER)
        tests.append(searches.parse(options["$search"], kind))
    return lambda one: all(test(one) for test in tests)


def _order(
    text: str, options: Mapping[str, str], headers: Mapping[str, str], kind: Kind
) -> tuple[str, bool]:
    """
    The property to sort by, and whether descending.

    Documented (facts/graph.md section 10): which properties, and that sorting with a filter or a
        search needs an advanced query. Reported: the three sentences. Assumed: one property only.
    """
    raw, *direction = text.split()[:3] or [""]
    if direction not in ([], ["asc"], ["desc"]):
        raise bad_request("Invalid orderby clause")
    name = kind.spelled(raw)
    if name is None:
        raise filters.no_property(kind, raw, "Invalid orderby clause")
    if query.is_advanced(options, headers):
        if name not in (*kind.sorts, *kind.sorts_advanced):
            raise unsupported("An unsupported property was specified.")
    elif any(option in options for option in _NARROWING):
        raise unsupported("Sorting not supported for current query.")
    elif name not in kind.sorts:
        raise unsupported(f"Unsupported sort property '{name}' for '{kind.name}'.")
    return name, direction == ["desc"]


def _key(value: Any) -> tuple[bool, Any]:
    # Null sorts first.
    return (value is not None, value.casefold() if isinstance(value, str) else value)
