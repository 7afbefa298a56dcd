"""An app's permissions on the roots of My Site hosts, through Graph (sharepoint.md section 9)."""

from __future__ import annotations

from collections.abc import Iterator

from admin.grants import refusals
from admin.grants.found import Principal, Site, SitePermission
from admin.grants.graph import Graph
from admin.grants.wanted import SITE_ROLE
from admin.terminal.fields import Fields
from admin.terminal.problems import NotFound, Problem


class Sites:
    """Permissions of apps on one site. Every method but `read` raises Problem."""

    def __init__(self, graph: Graph, *, device_code: bool) -> None:
        self._graph = graph
        self._refusal = refusals.sites(device_code=device_code)

    def read(self, host: str, client_id: str) -> Site:
        """The root site of *host*, and the current permissions of the app *client_id* there."""
        url = f"https://{host}"
        try:
            found = self._graph.find(f"sites/{host}", refusal=self._refusal)
            if found is None:
                raise NotFound(
                    f"There is no {host}: check --sharepoint-tenant, --sharepoint-geos and --cloud."
                )
            site_id = found.text("id")
            permissions = tuple(self._permissions(site_id, client_id)) if client_id else ()
        except Problem as problem:
            # Roles can still be granted.
            return Site(url, problem=problem)
        return Site(url, site_id, permissions)

    def _permissions(self, site_id: str, client_id: str) -> Iterator[SitePermission]:
        for one in self._graph.pages(f"sites/{site_id}/permissions", refusal=self._refusal):
            apps = _applications(one)
            if client_id.casefold() not in apps:
                continue
            if "roles" not in one.raw:
                # Documented to be in the list, but reported to be missing from it.
                path = f"sites/{site_id}/permissions/{one.text('id')}"
                one = self._graph.get(path, refusal=self._refusal)
            roles = one.raw.get("roles")
            yield SitePermission(
                one.text("id"),
                tuple(map(str, roles)) if isinstance(roles, list) else (),
                shared=len(apps) > 1,
            )

    def allow(self, site_id: str, principal: Principal) -> None:
        """Grant the app write."""
        identity = {"id": principal.app_id, "displayName": principal.name}
        self._graph.post(
            f"sites/{site_id}/permissions",
            {"roles": [SITE_ROLE], "grantedToIdentities": [{"application": identity}]},
            refusal=self._refusal,
        )

    def change(self, site_id: str, permission_id: str) -> None:
        """Change the app's permission to write."""
        self._graph.patch(
            f"sites/{site_id}/permissions/{permission_id}",
            {"roles": [SITE_ROLE]},
            refusal=self._refusal,
        )

    def forbid(self, site_id: str, permission_id: str) -> None:
        self._graph.delete(f"sites/{site_id}/permissions/{permission_id}", refusal=self._refusal)


def _applications(permission: Fields) -> set[str]:
    """The client ids that a permission applies to, in either form that Graph uses."""
    identities = [
        *permission.parts("grantedToIdentitiesV2"),
        *permission.parts("grantedToIdentities"),
        permission.part("grantedToV2"),
    ]
    return {identity.part("application").text("id").casefold() for identity in identities} - {""}
