"""A resource as sent to Azure, and Azure's answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.infra.functions import SUBSCRIPTION


@dataclass(frozen=True)
class Resource:
    """One resource as it is sent to Azure."""

    symbol: str
    file: str
    type: str
    api_version: str
    existing: bool
    body: dict[str, Any]
    id: str

    @property
    def name(self) -> str:
        return str(self.body["name"])

    @property
    def properties(self) -> dict[str, Any]:
        """Azure's answer: the sent properties, and generated ones."""
        return _made_up(self) | dict(self.body.get("properties") or {})


def identify(kind: str, body: dict[str, Any], group: str) -> str:
    """The resource id that Azure gives to *body*, in a group that *group* is the id of."""
    name, parent, scope = body["name"], body.get("parent"), body.get("scope")
    if kind == "Microsoft.Resources/resourceGroups":
        return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}"
    if parent is not None:
        assert kind.startswith(f"{parent.type}/"), f"{kind} is no child of {parent.type}"
        return f"{parent.id}/{kind.removeprefix(parent.type + '/')}/{name}"
    return f"{group if scope is None else scope.id}/providers/{kind}/{name}"


def _made_up(resource: Resource) -> dict[str, Any]:
    name = resource.name
    storage = {
        service: f"https://{name}.{service}.core.windows.net/" for service in ("blob", "queue")
    }
    answers: dict[str, dict[str, Any]] = {
        "Microsoft.ManagedIdentity/userAssignedIdentities": {
            "clientId": "33333333-3333-3333-3333-333333333333",
            "principalId": "44444444-4444-4444-4444-444444444444",
        },
        "Microsoft.Storage/storageAccounts": {"primaryEndpoints": storage},
        "Microsoft.Web/sites": {"defaultHostName": f"{name}.azurewebsites.net"},
        "Microsoft.Insights/components": {"ConnectionString": "InstrumentationKey=0;Ingestion=x"},
    }
    return answers.get(resource.type, {})
