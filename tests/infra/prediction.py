"""Compares the predictions of `bicep snapshot` with our evaluator."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.infra.arm import Expressions
from tests.infra.evaluation import World, deploy_into
from tests.infra.resource import Resource
from tests.infra.template import MAIN

FOLDER = Path(__file__).with_name("snapshots")
# The predicted deployments, each a file of parameters.
NAMES = ("plain", "private")
# Their names, with the suffix of uniqueString().
_SHORT = {"photosync-yr5u7iz7wexjc": "APP", "styr5u7iz7wexjc": "STORAGE"}


def differences(name: str, snapshot: dict[str, Any]) -> set[str]:
    """Where a *snapshot* of deployment *name* and our evaluator differ; ignores API versions."""
    world = World({})
    outputs = deploy_into(world, MAIN, _given(name))
    # @secure() parameters stay expressions; the app has no settings yet.
    expressions = Expressions(world.resources, {"settings": world.settings, "present": {}})
    theirs = [expressions.value(each) for each in snapshot["predictedResources"]]
    written = [_written(each) for each in world.resources if not each.existing]
    found = {"output": expressions.value(snapshot["outputs"])} | _called(theirs)
    return set(_differences(found, {"output": outputs} | _called(written), ""))


def _given(name: str) -> dict[str, Any]:
    lines = (FOLDER / f"{name}.bicepparam").read_text("utf-8").splitlines()
    found = [re.fullmatch(r"param (\w+) = (.+)", line) for line in lines]
    values = {each[1]: each[2] for each in found if each}
    return {key: value == "true" or value.strip("'") for key, value in values.items()}


def _written(resource: Resource) -> dict[str, Any]:
    body = {name: each for name, each in resource.body.items() if name not in {"parent", "scope"}}
    names, parent = [resource.name], resource.body.get("parent")
    while parent is not None:
        names, parent = [parent.name, *names], parent.body.get("parent")
    return body | {"id": resource.id, "type": resource.type, "name": "/".join(names)}


def _called(resources: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    called = {_short(each): _readable(each) for each in resources}
    assert len(called) == len(resources)
    return called


def _short(resource: dict[str, Any]) -> str:
    """A role assignment is named after its scope, because its own name is a GUID."""
    if resource["type"].endswith("/roleAssignments"):
        about = resource["id"].rpartition("/providers/")[0].rpartition("/")[2]
        name = f"{resource['properties']['roleDefinitionId'].rpartition('/')[2][:8]} on {about}"
    else:
        name = resource["name"]
    for long, short in _SHORT.items():
        name = name.replace(long, short)
    return f"{resource['type'].rpartition('/')[2]} {name}"


def _readable(resource: dict[str, Any]) -> dict[str, Any]:
    """Without its API version, and with a workbook's JSON parsed."""
    plain = {name: each for name, each in resource.items() if name != "apiVersion"}
    properties = plain.get("properties", {})
    if "serializedData" in properties:
        book = json.loads(properties["serializedData"])
        plain["properties"] = properties | {"serializedData": book}
    return plain


def _differences(theirs: Any, ours: Any, place: str) -> Iterator[str]:
    theirs, ours = _by_name(theirs, ours)
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in theirs.keys() | ours.keys():
            inner = f"{place}.{name}" if place else name
            yield from _differences(theirs.get(name, ...), ours.get(name, ...), inner)
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for index, pair in enumerate(zip(theirs, ours, strict=True)):
            yield from _differences(*pair, f"{place}[{index}]")
    elif place.endswith(".query") and isinstance(theirs, str) and isinstance(ours, str):
        if _without_comments(theirs) != _without_comments(ours):
            yield place
    elif theirs != ours or type(theirs) is not type(ours):
        yield place


def _without_comments(query: str) -> list[str]:
    lines = [re.sub(r"(^|\s)//.*", "", line).rstrip() for line in query.splitlines()]
    return [line for line in lines if line]


def _by_name(theirs: Any, ours: Any) -> tuple[Any, Any]:
    """Lists of named things that are not equally long, by these names."""
    lists = isinstance(theirs, list) and isinstance(ours, list) and len(theirs) != len(ours)
    if lists and all(isinstance(item, dict) and "name" in item for item in theirs + ours):
        return {item["name"]: item for item in theirs}, {item["name"]: item for item in ours}
    return theirs, ours
