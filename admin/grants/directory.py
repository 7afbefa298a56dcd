"""Applications, service principals and app roles in Entra, through Graph (facts: section 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from admin.grants import refusals
from admin.grants.found import Application, Assignment, Principal, Resource
from admin.grants.graph import Answered, Graph
from admin.grants.wanted import DOCUMENTED_IDS, Service
from admin.terminal.fields import Fields
from admin.terminal.problems import Unsound

_PRINCIPAL = "id,appId,displayName,servicePrincipalType"
# Access to an app without a role: grants no rights.
_NO_ROLE = "00000000-0000-0000-0000-000000000000"


class Directory:
    """What `grant` reads and changes in Entra. Every method raises Problem."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def principal(self, name: str) -> Principal | None:
        """The service principal with this client id or object id."""
        for key in (f"(appId='{name}')", f"/{name}"):
            found = self._graph.find(
                f"servicePrincipals{key}", refusal=refusals.READING, select=_PRINCIPAL
            )
            if found is not None:
                return _principal(found)
        return None

    def resource(self, service: Service) -> Resource:
        """The service in this tenant."""
        found = self._graph.find(
            f"servicePrincipals(appId='{service.app_id}')",
            refusal=refusals.READING,
            select="id,appRoles",
        )
        if found is None:
            raise Unsound(
                f"This tenant has no service principal for {service.name}: check --cloud."
            )
        return Resource(service, found.text("id"), _role_ids(found))

    def assignments(self, principal: Principal, known: Sequence[Resource]) -> list[Assignment]:
        """Every app role that *principal* holds, on any resource."""
        names = {resource.id: _by_id(resource.role_ids) for resource in known}
        called = {resource.id: resource.service.name for resource in known}
        found = []
        listed = f"servicePrincipals/{principal.id}/appRoleAssignments"
        for one in self._graph.pages(listed, refusal=refusals.READING):
            resource_id, role_id = one.text("resourceId"), one.text("appRoleId")
            if role_id == _NO_ROLE:
                continue
            if resource_id not in names:
                names[resource_id] = self._names(resource_id)
            name = called.get(resource_id, one.text("resourceDisplayName"))
            role = names[resource_id].get(role_id, role_id)
            found.append(Assignment(one.text("id"), resource_id, name, role_id, role))
        return found

    def _names(self, resource_id: str) -> dict[str, str]:
        found = self._graph.find(
            f"servicePrincipals/{resource_id}", refusal=refusals.READING, select="appRoles"
        )
        return _by_id(_role_ids(found)) if found else {}

    def assign(self, principal_id: str, resource: Resource, role_id: str) -> None:
        """Grant one role; no error if it is granted already."""
        body = {"principalId": principal_id, "resourceId": resource.id, "appRoleId": role_id}
        try:
            self._graph.post(
                f"servicePrincipals/{resource.id}/appRoleAssignedTo",
                body,
                refusal=refusals.roles(resource.service),
            )
        except Answered as answer:
            if "already exists" not in answer.message:
                raise

    def unassign(self, one: Assignment, service: Service) -> None:
        self._graph.delete(
            f"servicePrincipals/{one.resource_id}/appRoleAssignedTo/{one.id}",
            refusal=refusals.roles(service),
        )

    def application(self, client_id: str) -> Fields | None:
        """A registration with its keys, which Graph returns only for one at a time."""
        return self._graph.find(
            f"applications(appId='{client_id}')",
            refusal=refusals.READING,
            select="id,appId,displayName,keyCredentials",
        )

    def applications_named(self, name: str) -> list[str]:
        """The client ids of all registrations with this name; names are not unique."""
        literal = name.replace("'", "''")
        found = self._graph.pages(
            "applications",
            refusal=refusals.READING,
            filter=f"displayName eq '{literal}'",
            select="appId",
        )
        return [one.text("appId") for one in found]

    def register(self, name: str, key: Mapping[str, Any]) -> Application:
        """A new single-tenant registration, created with its certificate."""
        made = self._graph.post(
            "applications",
            {"displayName": name, "signInAudience": "AzureADMyOrg", "keyCredentials": [key]},
            refusal=refusals.REGISTERING,
            repeatable=False,
        )
        return Application(made.text("id"), made.text("appId"), name, has_key=True)

    def add_key(self, application: Application, key: Mapping[str, Any]) -> None:
        """Add a key. Graph replaces the whole list, so the existing keys are sent again."""
        # Read now: the list may have changed while the admin read the plan.
        told = self._graph.get(
            f"applications/{application.id}", refusal=refusals.READING, select="keyCredentials"
        )
        # Reported: an existing key stays if its keyId is sent without the key itself.
        kept = [{**one.raw, "key": None} for one in told.parts("keyCredentials")]
        self._graph.patch(
            f"applications/{application.id}",
            {"keyCredentials": [*kept, dict(key)]},
            refusal=refusals.KEYS,
        )

    def create_principal(self, client_id: str) -> Principal:
        """The new service principal, or one that an unanswered request already created."""
        try:
            made = self._graph.post(
                "servicePrincipals", {"appId": client_id}, refusal=refusals.REGISTERING
            )
        except Answered as answer:
            # As reported; the status is not documented.
            if "already in use" not in answer.message:
                raise
            made = self._graph.get(
                f"servicePrincipals(appId='{client_id}')",
                refusal=refusals.READING,
                select=_PRINCIPAL,
            )
        return _principal(made)


def undocumented(resources: Sequence[Resource]) -> list[str]:
    """A sentence for each role whose id in this tenant differs from the documented one."""
    return [
        f"{role} of {resource.service.name} has another id here than documented: "
        f"{resource.role_ids[role]}."
        for resource in resources
        for (service, role), documented in DOCUMENTED_IDS.items()
        if service == resource.service
        and resource.role_ids.get(role, documented).casefold() != documented
    ]


def _principal(found: Fields) -> Principal:
    return Principal(
        found.text("id"),
        found.text("appId"),
        found.text("displayName"),
        found.text("servicePrincipalType"),
    )


def _role_ids(found: Fields) -> dict[str, str]:
    """The enabled app roles by name; delegated scopes are listed elsewhere."""
    return {
        role.text("value"): role.text("id")
        for role in found.parts("appRoles")
        if role.flag("isEnabled") and "Application" in (role.raw.get("allowedMemberTypes") or ())
    }


def _by_id(role_ids: Mapping[str, str]) -> dict[str, str]:
    return {role_id: role for role, role_id in role_ids.items()}
