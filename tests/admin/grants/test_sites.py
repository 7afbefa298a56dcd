"""Sites.Selected with write on the My Site root, which only a device-code sign-in can grant."""

from __future__ import annotations

import pytest

from admin.grants.found import SitePermission
from admin.grants.graph import Graph
from admin.grants.sites import Sites
from local.m365.tenant.admins import GLOBAL, PRIVILEGED, SITES
from local.m365.tenant.geo import Geo
from tests.admin.command_result import CommandResult, assert_printed
from tests.admin.grants.conftest import MANAGED, Grant, somebody_signs_in
from tests.admin.grants.test_granting import SITE, works
from tests.admin.grants.test_graph import URL
from tests.doubles.web import FunctionAdapter, answer, in_turn
from tests.local.m365.simulator import Cloud

ME = ("--identity", MANAGED, "--json", "--device-code")


def by_code(
    tenant: Cloud, grant: Grant, *arguments: str, roles: tuple[str, ...] = (GLOBAL,)
) -> CommandResult:
    with somebody_signs_in(tenant, *roles):
        return grant(*ME, *arguments)


def test_from_nothing_to_all_and_back(tenant: Cloud, grant: Grant):
    """One sign-in gives roles and site, and the identity works; one takes both away again."""
    given = by_code(tenant, grant, "--yes")
    assert given.code == 0
    assert set(given.states.values()) == {"done"}
    assert works(tenant) == (200, 200)
    assert by_code(tenant, grant, "--check").code == 0

    taken = by_code(tenant, grant, "--yes", "--revoke")
    assert taken.code == 0
    assert taken.states[SITE] == "done"
    assert works(tenant) == (403, 403)
    assert MANAGED not in tenant.tenant.site_grants


@pytest.mark.parametrize("shows_roles", [True, False])
def test_a_lesser_permission_is_changed(tenant: Cloud, grant: Grant, shows_roles: bool):
    """`read` becomes `write`, whether or not the list of permissions has the roles."""
    tenant.tenant.switches.site_lists_show_roles = shows_roles
    tenant.tenant.site_grants[MANAGED] = "read"

    assert by_code(tenant, grant, "--check").states[SITE] == "missing"
    assert by_code(tenant, grant, "--yes").states[SITE] == "done"
    assert tenant.tenant.site_grants[MANAGED] == "write"


def test_greater_permission_is_reported(tenant: Cloud, grant: Grant):
    """`fullcontrol` is more than needed: a grant leaves it, a check reports it."""
    tenant.tenant.site_grants[MANAGED] = "fullcontrol"

    given = by_code(tenant, grant, "--yes")
    assert (given.code, given.states[SITE]) == (0, "ok")
    checked = by_code(tenant, grant, "--check")
    assert checked.code == 1
    assert checked.states["https://contoso-my.sharepoint.com fullcontrol"] == "surplus"


@pytest.mark.parametrize("role", ["fullcontrol", "owner", "read"])
def test_other_permission_is_left(tenant: Cloud, grant: Grant, role: str):
    """Grant gives only `write`, so a revocation removes nothing else, and says so."""
    tenant.tenant.site_grants[MANAGED] = role

    taken = by_code(tenant, grant, "--yes", "--revoke")

    assert taken.states[f"https://contoso-my.sharepoint.com {role}"] == "left"
    assert tenant.tenant.site_grants[MANAGED] == role
    with somebody_signs_in(tenant, GLOBAL):
        assert "left as they are" in grant(*ME[:2], "--device-code", "--yes", "--revoke").out


def test_role_without_sites(tenant: Cloud, grant: Grant):
    """A Privileged Role Administrator is told what the site needs; the roles are granted."""
    result = by_code(tenant, grant, "--yes", roles=(PRIVILEGED,))

    assert result.code == 3
    assert result.states[SITE] == "unknown"
    assert result.states["SharePoint Sites.Selected"] == "done"
    assert "SharePoint Administrator" in result.err

    assert by_code(tenant, grant, "--yes", roles=(SITES,)).states[SITE] == "done"


def test_no_such_host(tenant: Cloud, grant: Grant):
    """A wrong tenant name is an error; nothing is granted elsewhere."""
    result = by_code(tenant, grant, "--dry-run", "--sharepoint-tenant", "fabrikam")

    assert_printed(result, 1, err="There is no fabrikam-my.sharepoint.com")


def test_every_geography(tenant: Cloud, grant: Grant, monkeypatch: pytest.MonkeyPatch):
    """Each My Site root that is named is granted on, checked and revoked, and no other."""
    world = tenant.tenant
    satellites = {
        name: Geo(name, "Profilbilder", world.new_id, world.now)
        for name in ("contosoeur", "fabrikamdach", "contosoapc")
    }
    monkeypatch.setattr(world, "satellites", satellites)
    named = ("--sharepoint-geos", "contosoeur,fabrikamdach")
    sites = [f"https://{name}-my.sharepoint.com write" for name in ("contosoeur", "fabrikamdach")]

    given = by_code(tenant, grant, "--yes", *named)
    assert given.code == 0
    assert [given.states[site] for site in (SITE, *sites)] == ["done"] * 3
    assert [MANAGED in geo.site_grants for geo in satellites.values()] == [True, True, False]
    assert by_code(tenant, grant, "--check", *named).code == 0

    del satellites["fabrikamdach"].site_grants[MANAGED]
    checked = by_code(tenant, grant, "--check", *named)
    assert (checked.code, checked.states[sites[1]]) == (1, "missing")

    taken = by_code(tenant, grant, "--yes", "--revoke", *named)
    assert taken.code == 0
    assert not any(geo.site_grants for geo in satellites.values())


@pytest.mark.parametrize(("apps", "shared"), [(["C-1"], False), (["c-1", "c-2"], True)])
def test_apps_of_a_permission(apps: list[str], shared: bool):
    """Graph returns each app twice, and may list several in one permission."""
    identities = [{"application": {"id": app}} for app in apps]
    fields = {"grantedToIdentities": identities, "grantedToIdentitiesV2": identities}
    listed = {"value": [{"id": "1", "roles": ["write"], **fields}]}
    web = in_turn(answer({"id": "site-1"}), answer(listed))
    sites = Sites(Graph(URL, "token", transport=FunctionAdapter(web)), device_code=True)

    (found,) = sites.read("contoso-my.sharepoint.com", "c-1").permissions

    assert found == SitePermission("1", ("write",), shared=shared)
