"""
What Azure Resource Manager takes, as far as infra/ uses it: `resource_types.json`.

It is drawn from the types that Bicep's own compiler checks against, which come with the Azure MCP
server, a package on PyPI. After a change of types, versions or nested properties in infra/:

    python -m venv /tmp/types && /tmp/types/bin/pip install msmcp-azure==3.0.0
    python -m tests.infra.schema /tmp/types/lib/python3*/site-packages/msmcp_azure/bin/azmcp

That server does not know the bodies of a few types; those stand below, from their reference pages.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.infra.resource import Resource
from tests.infra.samples import everything

FILE = Path(__file__).with_name("resource_types.json")
# Bicep's own, no part of what is sent.
_BICEP = {"parent", "scope", "dependsOn"}
_REQUIRED, _ANY_NAME, _BY_NAME = "!", "*", "@"

# learn.microsoft.com/azure/templates, the pages of these types
_RULE_CRITERION = {
    "dimensions": "Dimension[]",
    "failingPeriods": {"minFailingPeriodsToAlert": "int", "numberOfEvaluationPeriods": "int"},
    "metricMeasureColumn": "string",
    "metricName": "string",
    "operator": "Equals | GreaterThan | GreaterThanOrEqual | LessThan | LessThanOrEqual | string",
    "query": "string",
    "resourceIdColumn": "string",
    "threshold": "int",
    "timeAggregation": "Average | Count | Maximum | Minimum | Total | string",
}
_DOCUMENTED: dict[str, Any] = {
    "Microsoft.Insights/actionGroups@2023-01-01": {
        "name": "string",
        "location": "string",
        "tags": {_ANY_NAME: "string"},
        "properties": {
            _REQUIRED: ["enabled", "groupShortName"],
            "enabled": "bool",
            "groupShortName": "string",
            "emailReceivers": [
                {"name": "string", "emailAddress": "string", "useCommonAlertSchema": "bool"}
            ],
        },
    },
    "Microsoft.Insights/scheduledQueryRules@2023-12-01": {
        _REQUIRED: ["location", "name", "properties"],
        "name": "string",
        "location": "string",
        "tags": {_ANY_NAME: "string"},
        "kind": "LogAlert | LogToMetric | string",
        "properties": {
            "actions": {"actionGroups": ["string"], "customProperties": {_ANY_NAME: "string"}},
            "autoMitigate": "bool",
            "checkWorkspaceAlertsStorageConfigured": "bool",
            "criteria": {"allOf": [_RULE_CRITERION]},
            "description": "string",
            "displayName": "string",
            "enabled": "bool",
            "evaluationFrequency": "string",
            "muteActionsDuration": "string",
            "overrideQueryTimeRange": "string",
            "scopes": ["string"],
            "severity": "int",
            "skipQueryValidation": "bool",
            "targetResourceTypes": ["string"],
            "windowSize": "string",
        },
    },
    "Microsoft.Network/privateDnsZones@2024-06-01": {
        "name": "string",
        "location": "string",
        "tags": {_ANY_NAME: "string"},
        "properties": {},
    },
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01": {
        "name": "string",
        "location": "string",
        "tags": {_ANY_NAME: "string"},
        "properties": {
            "registrationEnabled": "bool",
            "resolutionPolicy": "Default | NxDomainRedirect | string",
            "virtualNetwork": {"id": "string"},
        },
    },
    "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-01-01": {
        "name": "default",
        "properties": {
            "allowProtectedAppendWrites": "bool",
            "allowProtectedAppendWritesAll": "bool",
            "immutabilityPeriodSinceCreationInDays": "int",
        },
    },
}


def faults(resource: Resource, types: dict[str, Any]) -> list[str]:
    """What Azure would say against *resource*; empty if nothing."""
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
    """One type in our short form, no deeper than *used* goes."""

    def __init__(self, answer: list[dict[str, Any]]) -> None:
        self._types = {each["name"]: each for each in answer if each["$type"] != "Resource"}
        self._body = next(each["bodyType"] for each in answer if each["$type"] == "Resource")

    def whole(self, used: list[dict[str, Any]]) -> Any:
        if self._body["$type"] != "DiscriminatedObject":
            return self._object(self._body, used)
        drawn = {}
        for element in self._body["elements"]:
            name = next(each["type"] for each in element["properties"] if each["name"] == "name")
            same = [each for each in used if each["name"] == name]
            if same:
                drawn[name] = self._object(element, same)
        return {_BY_NAME: drawn}

    def _object(self, declared: dict[str, Any], used: list[dict[str, Any]]) -> dict[str, Any]:
        drawn: dict[str, Any] = {}
        for each in declared["properties"]:
            flags = each.get("flags", "")
            if "ReadOnly" not in flags:
                values = [one[each["name"]] for one in used if one.get(each["name"]) is not None]
                drawn[each["name"]] = self._any(each["type"], values)
            if "Required" in flags:
                drawn.setdefault(_REQUIRED, []).append(each["name"])
        if "additionalPropertiesType" in declared:
            values = [value for one in used for value in one.values()]
            drawn[_ANY_NAME] = self._any(declared["additionalPropertiesType"], values)
        return drawn

    def _any(self, kind: str, used: list[Any]) -> Any:
        if not used:
            return kind
        if kind.endswith("[]"):
            return [self._any(kind[:-2], [item for each in used for item in each])]
        declared = self._types.get(kind)
        return self._object(declared, used) if declared else kind


def draw(azmcp: str, resources: list[Resource]) -> dict[str, Any]:
    """Every type that *resources* use."""
    types = dict(_DOCUMENTED)
    for kind in sorted({f"{each.type}@{each.api_version}" for each in resources} - types.keys()):
        name, _, version = kind.partition("@")
        command = [azmcp, "bicepschema", "get", "--resource-type", name]
        done = subprocess.run(command, capture_output=True, check=False)
        answer = json.loads(done.stdout)["results"].get("BicepSchemaResult")
        if not answer or f"{name}@{version}" not in {each.get("name") for each in answer}:
            sys.exit(f"{kind} is not what azmcp knows: {done.stdout[:300].decode()}")
        bodies = [each.body for each in resources if each.type == name]
        types[kind] = _Drawing(answer).whole(bodies)
    return dict(sorted(types.items()))


if __name__ == "__main__":
    FILE.write_text(json.dumps(draw(sys.argv[1], everything()), indent=1, sort_keys=True) + "\n")
