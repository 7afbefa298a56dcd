"""
What Azure Resource Manager accepts, as far as infra/ uses it: `resource_types.json`.

It is generated from the types that Bicep's own compiler uses, which Azure/bicep-types-az publishes.
After a change of types, versions or nested properties in infra/:

    git clone --depth 1 https://github.com/Azure/bicep-types-az /tmp/types
    python -m tests.infra.schema /tmp/types/generated
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.infra.resource import Resource
from tests.infra.samples import bank, everything

FILE = Path(__file__).with_name("resource_types.json")
# Bicep's own, no part of what is sent.
_BICEP = {"parent", "scope", "dependsOn"}
_REQUIRED, _ANY_NAME, _BY_NAME = "!", "*", "@"
# The flags of a property there.
_NEEDED, _READ_ONLY = 1, 2
_SIMPLE = {"AnyType": "any", "BooleanType": "bool", "IntegerType": "int", "StringType": "string"}


def faults(resource: Resource, types: dict[str, Any]) -> list[str]:
    """The errors that Azure would report for *resource*."""
    kind = f"{resource.type}@{resource.api_version}"
    if kind not in types:
        return [f"{kind} is not in {FILE.name}"]
    sent = {name: value for name, value in resource.body.items() if name not in _BICEP}
    return [f"{resource.file} {resource.symbol}{fault}" for fault in _faults(sent, types[kind])]


def _faults(value: Any, expected: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(expected, dict) and _BY_NAME in expected:
        return _faults(value, expected[_BY_NAME].get(value.get("name"), {}))
    if isinstance(expected, dict):
        return _object_faults(value, expected) if isinstance(value, dict) else [": no object"]
    if isinstance(expected, list):
        if not isinstance(value, list):
            return [": no array"]
        return [f"[]{fault}" for item in value for fault in _faults(item, expected[0])]
    return [] if _fits(value, expected) else [f" = {value!r}, which is no {expected}"]


def _object_faults(value: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    found = [f".{name} is missing" for name in expected.get(_REQUIRED, []) if name not in value]
    for name, inner in value.items():
        if name in expected:
            found += [f".{name}{fault}" for fault in _faults(inner, expected[name])]
        elif _ANY_NAME in expected:
            found += [f".{name}{fault}" for fault in _faults(inner, expected[_ANY_NAME])]
        else:
            found.append(f".{name} is unknown, or cannot be written")
    return found


def _fits(value: Any, expected: str) -> bool:
    kinds = {"string": str, "int": int, "bool": bool}
    choices = expected.split(" | ")
    for choice in choices:
        wanted = kinds.get(choice)
        if wanted and isinstance(value, wanted) and (wanted is not int or value is not True):
            return True
    return "any" in choices or value in choices


class _Drawing:
    """One type in our short form, no deeper than *used*."""

    def __init__(self, types: list[dict[str, Any]]) -> None:
        self._types = types

    def whole(self, kind: str, used: list[dict[str, Any]]) -> Any:
        body = next(
            self._at(each["body"])
            for each in self._types
            if each["$type"] == "ResourceType" and each["name"].lower() == kind.lower()
        )
        if body["$type"] != "DiscriminatedObjectType":
            return self._object(body, used)
        drawn = {}
        for name, element in body["elements"].items():
            same = [each for each in used if each["name"] == name]
            if same:
                drawn[name] = self._object(self._at(element), same)
        return {_BY_NAME: drawn}

    def _at(self, reference: dict[str, str]) -> dict[str, Any]:
        return self._types[int(reference["$ref"].removeprefix("#/"))]

    def _object(self, declared: dict[str, Any], used: list[dict[str, Any]]) -> dict[str, Any]:
        drawn: dict[str, Any] = {}
        for name, each in declared["properties"].items():
            if not each["flags"] & _READ_ONLY:
                values = [one[name] for one in used if one.get(name) is not None]
                drawn[name] = self._any(self._at(each["type"]), values)
            if each["flags"] & _NEEDED:
                drawn[_REQUIRED] = sorted([*drawn.get(_REQUIRED, []), name])
        if "additionalProperties" in declared:
            values = [value for one in used for value in one.values()]
            drawn[_ANY_NAME] = self._any(self._at(declared["additionalProperties"]), values)
        return drawn

    def _any(self, kind: dict[str, Any], used: list[Any]) -> Any:
        match kind["$type"]:
            case "ArrayType" if used:
                items = [item for each in used for item in each]
                return [self._any(self._at(kind["itemType"]), items)]
            case "ObjectType" if used:
                return self._object(kind, used)
            case "ArrayType":
                item = self._any(self._at(kind["itemType"]), [])
                return f"({item})[]" if " | " in item else f"{item}[]"
            case "UnionType":
                return " | ".join(self._any(self._at(each), []) for each in kind["elements"])
            case "StringLiteralType":
                return kind["value"]
            case other:
                return _SIMPLE.get(other) or kind["name"]


def draw(generated: Path, resources: list[Resource]) -> dict[str, Any]:
    """Every type that *resources* use."""
    types = {}
    for kind in {f"{each.type}@{each.api_version}" for each in resources}:
        provider, _, version = kind.partition("@")
        place = f"*/{provider.partition('/')[0].lower()}/{version}/types.json"
        found = [json.loads(file.read_text("utf-8")) for file in sorted(generated.glob(place))]
        known = [each for each in found if kind in {one.get("name") for one in each}]
        assert known, f"{kind} is in none of {generated}/{place}"
        bodies = [each.body for each in resources if each.type == provider]
        types[kind] = _Drawing(known[0]).whole(kind, bodies)
    return types


if __name__ == "__main__":
    drawn = draw(Path(sys.argv[1]), everything() + bank())
    FILE.write_text(json.dumps(drawn, indent=1, sort_keys=True) + "\n")
