"""The tenant as Graph shows it: the organization, its domains and its licences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.m365.entra.tokens import Claims
from local.m365.graph.admin import admin_route, selected
from local.m365.graph.rights import Right
from local.m365.graph.wire import collection, entity, not_found
from local.m365.tenant.tenant import Tenant

# Documented (List organization, List domains): User.Read is for people, and shows less.
_READ = Right(frozenset({"Directory.Read.All", "Directory.ReadWrite.All"}))
_READ_DOMAINS = Right(frozenset({"Domain.Read.All", "Domain.ReadWrite.All", "Directory.Read.All"}))
# Documented (List subscribedSkus): facts/graph.md section 11.
_READ_LICENCES = Right(
    frozenset(
        {
            "LicenseAssignment.Read.All",
            "Organization.Read.All",
            "Organization.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        }
    )
)
_SERVICES = ["Email", "OfficeCommunicationsOnline"]


def routes(tenant: Tenant) -> list[Route]:
    return [
        admin_route(tenant, "GET", "/organization", _READ, list_organizations),
        admin_route(tenant, "GET", "/organization/{id}", _READ, get_organization),
        admin_route(tenant, "GET", "/domains", _READ_DOMAINS, list_domains),
        admin_route(tenant, "GET", "/domains/{id}", _READ_DOMAINS, get_domain),
        admin_route(tenant, "GET", "/subscribedSkus", _READ_LICENCES, list_licences),
    ]


async def list_organizations(tenant: Tenant, request: Request, claims: Claims) -> Response:
    """Always one: the tenant of the token."""
    return _listed(tenant, request, "organization", [_organization(tenant)])


async def get_organization(tenant: Tenant, request: Request, claims: Claims) -> Response:
    return _one(tenant, request, "organization", [_organization(tenant)])


async def list_domains(tenant: Tenant, request: Request, claims: Claims) -> Response:
    return _listed(tenant, request, "domains", _domains(tenant))


async def get_domain(tenant: Tenant, request: Request, claims: Claims) -> Response:
    return _one(tenant, request, "domains", _domains(tenant))


async def list_licences(tenant: Tenant, request: Request, claims: Claims) -> Response:
    """
    A plan with SharePoint, with as many licences as the switch says, and a larger one without.
    """
    return _listed(tenant, request, "subscribedSkus", _licences(tenant))


def _listed(
    tenant: Tenant, request: Request, of: str, everything: Iterable[dict[str, Any]]
) -> Response:
    return collection(tenant, of, [selected(request, each) for each in everything])


def _one(
    tenant: Tenant, request: Request, of: str, everything: Iterable[dict[str, Any]]
) -> Response:
    name = str(request.path_params["id"])
    for each in everything:
        if each["id"].casefold() == name.casefold():
            return entity(tenant, of, selected(request, each))
    raise not_found(name)


def _organization(tenant: Tenant) -> dict[str, Any]:
    """Documented (organization resource), limited to the properties that a client reads."""
    verified = [
        {
            "capabilities": ", ".join(one["supportedServices"]),
            "isDefault": one["isDefault"],
            "isInitial": one["isInitial"],
            "name": one["id"],
            "type": one["authenticationType"],
        }
        for one in _domains(tenant)
    ]
    return {
        "id": tenant.tenant_id,
        "displayName": tenant.name.title(),
        "countryLetterCode": None,
        "onPremisesSyncEnabled": None,
        "preferredLanguage": "en",
        "tenantType": "AAD",
        "verifiedDomains": verified,
    }


def _domains(tenant: Tenant) -> list[dict[str, Any]]:
    """Documented (domain resource): the initial domain, and the domain of users' UPNs."""
    return [
        {
            "id": name,
            "authenticationType": "Managed",
            "availabilityStatus": None,
            "isAdminManaged": True,
            "isDefault": name == tenant.domain,
            "isInitial": name != tenant.domain,
            "isRoot": True,
            "isVerified": True,
            "supportedServices": _SERVICES,
        }
        for name in tenant.names[1:]
    ]


def _licences(tenant: Tenant) -> list[dict[str, Any]]:
    """Documented (subscribedSku resource), limited to the properties that a client reads."""
    bought = {
        "SPE_E3": (tenant.switches.licences, ["EXCHANGE_S_ENTERPRISE", "SHAREPOINTENTERPRISE"]),
        "POWER_BI_STANDARD": (1_000_000, ["BI_AZURE_P0", "SHAREPOINTWAC"]),
    }
    return [
        {
            "id": f"{tenant.tenant_id}_{name}",
            "skuPartNumber": name,
            "appliesTo": "User",
            "capabilityStatus": "Enabled",
            "consumedUnits": 0,
            "prepaidUnits": {"enabled": units, "suspended": 0, "warning": 0, "lockedOut": 0},
            "servicePlans": [
                {"servicePlanName": plan, "provisioningStatus": "Success", "appliesTo": "User"}
                for plan in plans
            ],
        }
        for name, (units, plans) in bought.items()
    ]
