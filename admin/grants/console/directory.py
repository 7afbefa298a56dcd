"""The console's registration, its roles and its consents in Entra, through Graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from admin.grants import refusals
from admin.grants.console.found import Assigned, Consent, Member
from admin.grants.console.registration import ROLES, Role
from admin.grants.graph import Answered, Graph
from admin.grants.wanted import GRAPH
from admin.terminal.fields import Fields
from admin.terminal.problems import Unsound

_APPLICATION = (
    "id,appId,displayName,signInAudience,identifierUris,web,api,appRoles,isFallbackPublicClient"
)
_PRINCIPAL = "id,appId,displayName,appRoleAssignmentRequired"


class ConsoleDirectory:
    """What `grant --console` reads and changes in Entra. Every method raises Problem."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def application(self, client_id: str) -> Fields:
        """The registration with this client id; empty if it does not exist."""
        path = f"applications(appId='{client_id}')"
        found = self._graph.find(path, refusal=refusals.READING, select=_APPLICATION)
        return found or Fields({})

    def again(self, object_id: str) -> Fields:
        """The registration as it is now."""
        path = f"applications/{object_id}"
        return self._graph.get(path, refusal=refusals.READING, select=_APPLICATION)

    def register(self, body: Mapping[str, Any]) -> Fields:
        return self._graph.post(
            "applications", body, refusal=refusals.REGISTERING, repeatable=False
        )

    def change(self, object_id: str, body: Mapping[str, Any]) -> None:
        self._graph.patch(f"applications/{object_id}", body, refusal=refusals.CONSOLE)

    def principal(self, client_id: str) -> Fields:
        """The service principal of the registration; empty if it does not exist."""
        path = f"servicePrincipals(appId='{client_id}')"
        found = self._graph.find(path, refusal=refusals.READING, select=_PRINCIPAL)
        return found or Fields({})

    def graph_id(self) -> str:
        """The object id of Microsoft Graph in this tenant."""
        found = self.principal(GRAPH.app_id).text("id")
        if not found:
            raise Unsound(f"This tenant has no service principal for {GRAPH.name}: check --cloud.")
        return found

    def require_assignment(self, principal_id: str) -> None:
        body = {"appRoleAssignmentRequired": True}
        self._graph.patch(f"servicePrincipals/{principal_id}", body, refusal=refusals.CONSOLE)

    def assigned(self, principal_id: str) -> Iterator[Assigned]:
        """Everybody who has one of the console's roles."""
        path = f"servicePrincipals/{principal_id}/appRoleAssignedTo"
        roles = {role.id: role for role in ROLES}
        for one in self._graph.pages(path, refusal=refusals.READING):
            role = roles.get(one.text("appRoleId").casefold())
            if role:
                member = Member(one.text("principalId"), one.text("principalDisplayName"))
                yield Assigned(one.text("id"), member, role)

    def assign(self, principal_id: str, role: Role, member: Member) -> None:
        """Assign a role; no error if it is assigned already."""
        body = {"principalId": member.id, "resourceId": principal_id, "appRoleId": role.id}
        path = f"servicePrincipals/{principal_id}/appRoleAssignedTo"
        try:
            self._graph.post(path, body, refusal=refusals.CONSOLE)
        except Answered as answer:
            if "already exists" not in answer.message:
                raise

    def unassign(self, principal_id: str, one: Assigned) -> None:
        path = f"servicePrincipals/{principal_id}/appRoleAssignedTo/{one.id}"
        self._graph.delete(path, refusal=refusals.CONSOLE)

    def consents(self, principal_id: str) -> Iterator[Consent]:
        """The consents for everybody; not those of single users."""
        path = f"servicePrincipals/{principal_id}/oauth2PermissionGrants"
        for one in self._graph.pages(path, refusal=refusals.READING):
            if one.text("consentType") == "AllPrincipals":
                scopes = frozenset(one.text("scope").split())
                yield Consent(one.text("id"), one.text("resourceId"), scopes)

    def grant_consent(self, principal_id: str, resource_id: str, scopes: set[str]) -> None:
        """Consent for everybody, in addition to existing consents."""
        for one in self.consents(principal_id):
            if one.resource_id == resource_id:
                body = {"scope": " ".join(sorted(one.scopes | scopes))}
                self._graph.patch(
                    f"oauth2PermissionGrants/{one.id}", body, refusal=refusals.CONSOLE
                )
                return
        self._graph.post(
            "oauth2PermissionGrants",
            {
                "clientId": principal_id,
                "consentType": "AllPrincipals",
                "resourceId": resource_id,
                "scope": " ".join(sorted(scopes)),
            },
            refusal=refusals.CONSOLE,
        )

    def revoke_consent(self, one: Consent) -> None:
        self._graph.delete(f"oauth2PermissionGrants/{one.id}", refusal=refusals.CONSOLE)
