"""The functions of Bicep that infra/ calls, and the limits of parameters."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.infra.hashes import guid, unique_string
from tests.infra.template import INFRA

# As given to `bicep snapshot`.
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
TENANT = "22222222-2222-2222-2222-222222222222"


def as_text(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, bool):
        return "true" if value else "false"
    assert isinstance(value, str | int), value
    return str(value)


class Refused(AssertionError):
    """The error of a template that refuses its parameters."""


def _fail(sentence: str) -> None:
    raise Refused(sentence)


def _union(*maps: dict[str, Any]) -> dict[str, Any]:
    """Merge *maps*, also nested ones; otherwise the value of the last map wins."""
    made: dict[str, Any] = {}
    for each in maps:
        for name, value in each.items():
            both = isinstance(value, dict) and isinstance(made.get(name), dict)
            made[name] = _union(made[name], value) if both else value
    return made


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "empty": lambda value: not value,
    "contains": lambda whole, part: part in whole,
    "concat": lambda *lists: [item for each in lists for item in each],
    "length": len,
    "filter": lambda items, fits: [each for each in items if fits(each)],
    "map": lambda items, make: [make(each) for each in items],
    "join": lambda items, between: between.join(items),
    "startsWith": str.startswith,
    "split": str.split,
    "trim": str.strip,
    "indexOf": str.find,
    "substring": lambda whole, start: whole[start:],
    "toObject": lambda items, name, value: {name(each): value(each) for each in items},
    "fail": _fail,
    "union": _union,
    "string": as_text,
    "replace": str.replace,
    "toLower": str.lower,
    "range": lambda first, count: list(range(first, first + count)),
    "guid": guid,
    "uniqueString": unique_string,
    "loadTextContent": lambda name: (INFRA / name).read_text(),
    "loadJsonContent": lambda name: json.loads((INFRA / name).read_text()),
    "subscription": lambda: {"id": f"/subscriptions/{SUBSCRIPTION}"},
    "tenant": lambda: {"tenantId": TENANT},
    "environment": lambda: {"suffixes": {"storage": "core.windows.net"}},
    "subscriptionResourceId": lambda kind, name: (
        f"/subscriptions/{SUBSCRIPTION}/providers/{kind}/{name}"
    ),
}

# By the decorator that sets one.
LIMITS: dict[str, Callable[[Any, Any], bool]] = {
    "allowed": lambda value, allowed: value in allowed,
    "minLength": lambda value, limit: len(value) >= limit,
    "maxLength": lambda value, limit: len(value) <= limit,
    "minValue": lambda value, limit: value >= limit,
    "maxValue": lambda value, limit: value <= limit,
}
