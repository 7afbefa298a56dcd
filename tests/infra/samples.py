"""Sample deployments."""

from __future__ import annotations

import functools
from typing import Any

from tests.infra.evaluation import deploy
from tests.infra.resource import Resource
from tests.infra.template import GROUP, MAIN

REQUIRED: dict[str, Any] = {
    "environmentName": "photosync-prod",
    "location": "westeurope",
    "sharepointTenant": "contoso",
}
OPERATOR = "55555555-5555-5555-5555-555555555555"
CONSOLE = "77777777-7777-7777-7777-777777777777"
WITH_CERTIFICATE = {
    "clientId": "66666666-6666-6666-6666-666666666666",
    "clientCertificate": "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/photosync)",
}


_THEIRS = "/subscriptions/99999999-9999-9999-9999-999999999999/resourceGroups/rg-hub/providers"
NETWORK = f"{_THEIRS}/Microsoft.Network/virtualNetworks/vnet-hub"
ZONES = f"{_THEIRS}/Microsoft.Network/privateDnsZones/privatelink"
# A company that names everything, and has a group, a network, a workspace and a key already.
BANK: dict[str, Any] = {
    "tags": "cost-center=4711, owner=platform=team",
    "appName": "func-photos",
    "storageAccountName": "stphotos",
    "planName": "asp-photos",
    "identityName": "mi-photos",
    "insightsName": "ai-photos",
    "alertPrefix": "photos-prod",
    "blobEndpointName": "pep-photos-blob",
    "queueEndpointName": "pep-photos-queue",
    "workspaceId": f"{_THEIRS}/Microsoft.OperationalInsights/workspaces/log-hub",
    "diagnosticLogs": True,
    "privateNetwork": True,
    "appSubnetId": f"{NETWORK}/subnets/functions",
    "endpointSubnetId": f"{NETWORK}/subnets/private",
    "blobZoneId": f"{ZONES}.blob.core.windows.net",
    "queueZoneId": f"{ZONES}.queue.core.windows.net",
    "encryptionKeyUri": "https://contoso.vault.azure.net/keys/photos",
    "encryptionIdentityId": f"{_THEIRS}/Microsoft.ManagedIdentity/userAssignedIdentities/mi-key",
    "allowedAddresses": "203.0.113.0/24, 198.51.100.7",
    "zoneRedundant": True,
    "storageSku": "Standard_ZRS",
    "alertEmail": "admin@contoso.com",
    "operatorPrincipalId": OPERATOR,
}


@functools.cache
def plain() -> list[Resource]:
    """Only the required parameters."""
    return deploy(MAIN, REQUIRED)[0]


@functools.cache
def everything() -> list[Resource]:
    """With everything that can be switched on."""
    more = {
        "privateNetwork": True,
        "operatorPrincipalId": OPERATOR,
        "alertEmail": "admin@contoso.com",
        "consoleSignIn": CONSOLE,
        "lockOrdersDays": 365,
        **WITH_CERTIFICATE,
    }
    return deploy(MAIN, REQUIRED | more)[0]


@functools.cache
def bank() -> list[Resource]:
    """Into an existing group, with everything existing that can be."""
    return deploy(GROUP, REQUIRED | BANK)[0]


def every(resources: list[Resource], type_: str) -> list[Resource]:
    """All deployed resources of a type, or of a type that ends like this."""
    return [each for each in resources if each.type.endswith(type_) and not each.existing]


def one(resources: list[Resource], type_: str, name: str = "") -> Resource:
    """The only deployed resource of a type, or of a type and a name."""
    named = [each for each in every(resources, type_) if not name or each.name == name]
    assert len(named) == 1, f"{len(named)} of {type_} {name}"
    return named[0]


def with_more(**more: Any) -> list[Resource]:
    """The required parameters, and *more*."""
    return deploy(MAIN, REQUIRED | more)[0]


def site(resources: list[Resource]) -> dict[str, Any]:
    """The properties of the function app."""
    return one(resources, "Microsoft.Web/sites").properties


def app_settings(resources: list[Resource]) -> dict[str, str]:
    """The settings of the function app."""
    return dict(one(resources, "Microsoft.Web/sites/config", "appsettings").properties)
