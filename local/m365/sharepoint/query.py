"""OData's query options: which entities of an answer, in which order, and which members."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.m365.sharepoint.errors import bad_request
from local.m365.sharepoint.filters import Fields, parse_filter, parse_order, value_of
from local.m365.sharepoint.wire import Answer, Collection, Entity

_KNOWN = ("$select", "$expand", "$filter", "$orderby", "$top", "$skip")
_OF_COLLECTIONS = ("$filter", "$orderby", "$top", "$skip")


@dataclass(frozen=True)
class Query:
    """The query options of a request."""

    select: tuple[str, ...] = ()
    expand: tuple[str, ...] = ()
    test: Callable[[Fields], bool] | None = None
    order: tuple[tuple[str, bool], ...] = ()
    top: int | None = None
    skip: int = 0
    of_collections: bool = False


def parse(options: Mapping[str, str]) -> Query:
    """
    The query that *options* (names in lower case) describe, or 400.

    Documented (facts/sharepoint.md section 3): these six. Any other is refused, since ignoring it
    would be more tolerant than SharePoint.
    """
    for option in options:
        if option.startswith("$") and option not in _KNOWN:
            raise bad_request(f"The simulator does not support {option}.")
    raw_filter = options.get("$filter")
    return Query(
        select=_names(options.get("$select", "")),
        expand=_names(options.get("$expand", "")),
        test=parse_filter(raw_filter) if raw_filter is not None else None,
        order=tuple(parse_order(options["$orderby"])) if "$orderby" in options else (),
        top=_number(options, "$top"),
        skip=_number(options, "$skip") or 0,
        of_collections=any(name in options for name in _OF_COLLECTIONS),
    )


def answered(answer: Answer, query: Query) -> Answer:
    """
    *answer* reduced to what *query* requests.

    Assumed, as in OData: first the filter, then the order, then the page; options for collections
    are refused for anything else.
    """
    if isinstance(answer, Collection):
        chosen = _page(answer, query)
        return Collection([_shown(one, query.select, query.expand) for one in chosen.entities])
    if query.of_collections:
        names = ", ".join(_OF_COLLECTIONS)
        raise bad_request(f"{names} cannot be applied to the requested resource.")
    if isinstance(answer, Entity):
        return _shown(answer, query.select, query.expand)
    return answer


def _page(all_of_them: Collection, query: Query) -> Collection:
    found = [one for one in all_of_them.entities if query.test is None or query.test(one.fields)]
    for name, down in reversed(query.order):
        found.sort(key=lambda one: _key(value_of(one.fields, name)), reverse=down)
    end = None if query.top is None else query.skip + query.top
    return Collection(found[query.skip : end])


def _key(value: Any) -> tuple[bool, Any]:
    # Null sorts first.
    return (value is not None, value.casefold() if isinstance(value, str) else value)


def _shown(entity: Entity, select: tuple[str, ...], expand: tuple[str, ...]) -> Entity:
    """
    Only the members that `$select` requests, expanded inline if `$expand` requests it.

    Documented: both are lists of names, with a path for nested members. Assumed: unknown names in
    `$select` are ignored, and an expanded member that is not selected is omitted.
    """
    fields = dict(entity.fields)
    for name in dict.fromkeys(path.partition("/")[0] for path in expand):
        if name not in entity.related:
            raise bad_request(f"The simulator does not support {name} of {entity.type}.")
        inside = Query(_inside(select, name), _inside(expand, name))
        fields[name] = answered(entity.related[name](), inside)
    wanted = {path.partition("/")[0] for path in select}
    if wanted and "*" not in wanted:
        fields = {name: value for name, value in fields.items() if name in wanted}
    return replace(entity, fields=fields)


def _inside(paths: tuple[str, ...], name: str) -> tuple[str, ...]:
    split = (path.partition("/") for path in paths)
    return tuple(rest for first, _, rest in split if first == name and rest)


def _names(raw: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in raw.split(",") if name.strip())


def _number(options: Mapping[str, str], name: str) -> int | None:
    raw = options.get(name)
    if raw is None:
        return None
    if not raw.isascii() or not raw.isdecimal() or len(raw) > 9:
        raise bad_request(f"The value '{raw}' of {name} is not a number that is not negative.")
    return int(raw)
