"""`grant` against the simulated tenant."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from local.m365.tenant.admins import APPLICATIONS, PRIVILEGED
from local.m365.tenant.records import App
from tests.admin.command_result import assert_one_sentence, assert_printed
from tests.admin.grants.conftest import MANAGED, Grant
from tests.local.m365.entra.test_entra import claims_of
from tests.local.m365.simulator import IDENTITY_HEADER, TIMEOUT, Cloud

ME = ("--identity", MANAGED, "--json")
GRAPH = {"Microsoft Graph User.Read.All", "Microsoft Graph ProfilePhoto.Read.All"}
GROUP = "Microsoft Graph GroupMember.Read.All"
SHAREPOINT = {"SharePoint User.ReadWrite.All", "SharePoint Sites.Selected"}
EVERYWHERE = "SharePoint Sites.FullControl.All"
SITE = "https://contoso-my.sharepoint.com write"
FOLDER = "/_api/web/GetFolderByServerRelativePath(decodedurl='/User Photos/Profile Pictures')"


def set_apart(tenant: Cloud, **changes: Any) -> None:
    """Give the managed identity other rights than it has."""
    fields: dict[str, Any] = {"managed_identity": True, "name": "id-photosync", **changes}
    tenant.tenant.apps[MANAGED] = App(MANAGED, **fields)


def of_the_identity(tenant: Cloud, resource: str) -> dict[str, str]:
    """The headers of a request with a token that the identity got just now."""
    answer = requests.get(
        f"{tenant.tenant.urls.control}/msi/token",
        params={"resource": resource, "api-version": "2019-08-01", "client_id": MANAGED},
        headers={"X-IDENTITY-HEADER": IDENTITY_HEADER},
        timeout=TIMEOUT,
    )
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def works(tenant: Cloud) -> tuple[int, int]:
    """The status of listing users in Graph, and of uploading to SharePoint."""
    urls = tenant.tenant.urls
    users = requests.get(
        f"{urls.graph}/v1.0/users", headers=of_the_identity(tenant, urls.graph), timeout=TIMEOUT
    )
    path = f"{FOLDER}/Files/AddUsingPath(decodedurl='x_MThumb.jpg',overwrite=true)"
    upload = requests.post(
        urls.my + path, data=b"x", headers=of_the_identity(tenant, urls.my), timeout=TIMEOUT
    )
    return users.status_code, upload.status_code


def test_from_nothing_to_all_and_back(tenant: Cloud, grant: Grant):
    """A fresh identity is refused; after a grant it works; after a revocation it does not."""
    assert works(tenant) == (403, 403)

    given = grant(*ME, "--yes", "--full-control")
    assert (given.code, given.err) == (0, "")
    assert set(given.states) == {*GRAPH, "SharePoint User.ReadWrite.All", EVERYWHERE}
    assert set(given.states.values()) == {"done"}
    assert works(tenant) == (200, 200)

    taken = grant(*ME, "--yes", "--revoke", "--full-control")
    assert (taken.code, set(taken.states.values())) == (0, {"done"})
    assert works(tenant) == (403, 403)


def test_only_what_is_missing(tenant: Cloud, grant: Grant):
    """A second time nothing is done, and half of it if half was there."""
    set_apart(tenant, graph_roles=frozenset({"User.Read.All"}))

    first = grant(*ME, "--yes", "--full-control").states
    assert first["Microsoft Graph User.Read.All"] == "ok"
    assert first["Microsoft Graph ProfilePhoto.Read.All"] == "done"
    before = len(tenant.tenant.journal.after(0))
    again = grant(*ME, "--yes", "--full-control")
    assert (again.code, set(again.states.values())) == (0, {"ok"})
    entries = [e for e in tenant.tenant.journal.after(before) if e["service"] == "graph"]
    assert {entry["method"] for entry in entries} == {"GET"}


def test_a_group_takes_one_role_more(tenant: Cloud, grant: Grant):
    """GroupMember.Read.All is granted with --groups only, and revoked without it too."""
    assert GROUP not in grant(*ME, "--dry-run", "--full-control").states
    assert grant(*ME, "--yes", "--full-control", "--groups").states[GROUP] == "done"
    assert grant(*ME, "--check", "--full-control").states[GROUP] == "surplus"
    assert grant(*ME, "--yes", "--revoke", "--full-control").states[GROUP] == "done"


@pytest.mark.parametrize("name", ["client", "principal"])
def test_either_id_names_the_identity(tenant: Cloud, grant: Grant, name: str):
    """The portal shows two ids, and people copy one or the other."""
    shown = grant(*ME, "--dry-run", "--full-control").document["identity"]
    wanted = {"client": shown["clientId"], "principal": shown["principalId"]}[name]

    again = grant("--identity", wanted, "--dry-run", "--full-control", "--json")

    assert again.document["identity"] == shown
    assert shown["kind"] == "ManagedIdentity"
    assert shown["name"] == "id-photosync"


def test_dry_run_changes_nothing(tenant: Cloud, grant: Grant):
    """The plan is shown, and only GET requests are made."""
    before = len(tenant.tenant.journal.after(0))

    result = grant("--identity", MANAGED, "--dry-run", "--full-control")

    assert_printed(result, 0, "id-photosync", "admin@contoso.com", "User.Read.All", "missing")
    entries = [e for e in tenant.tenant.journal.after(before) if e["service"] == "graph"]
    assert {entry["method"] for entry in entries} == {"GET"}


def test_check_wants_exactly_the_need(tenant: Cloud, grant: Grant):
    """1 while something is missing, 0 when all is there, 1 again when there is more."""
    least = {
        "graph_roles": frozenset({"User.Read.All", "ProfilePhoto.Read.All"}),
        "sharepoint_roles": frozenset({"User.ReadWrite.All", "Sites.FullControl.All"}),
    }
    assert grant(*ME, "--check", "--full-control").code == 1
    set_apart(tenant, **least)
    right = grant(*ME, "--check", "--full-control")
    assert (right.code, right.document["ok"]) == (0, True)
    set_apart(tenant, **least | {"graph_roles": least["graph_roles"] | {"Mail.Read"}})
    more = grant(*ME, "--check", "--full-control")
    assert (more.code, more.document["ok"]) == (1, False)
    assert more.states["Microsoft Graph Mail.Read"] == "surplus"
    table = grant("--identity", MANAGED, "--check", "--full-control").out
    assert "0 missing, 1 more than needed." in table


def test_surplus_rights_stay(tenant: Cloud, grant: Grant):
    """A grant reports it and removes nothing; a revocation leaves it."""
    set_apart(tenant, graph_roles=frozenset({"Mail.Read"}))

    given = grant(*ME, "--yes", "--full-control")
    assert (given.code, given.document["ok"]) == (0, True)
    assert given.states["Microsoft Graph Mail.Read"] == "surplus"
    assert "More is granted" in grant("--identity", MANAGED, "--dry-run", "--full-control").out
    assert grant(*ME, "--yes", "--revoke", "--full-control").code == 0
    assert tenant.tenant.apps[MANAGED].graph_roles == {"Mail.Read"}


def test_the_azure_cli_cannot_open_a_site(tenant: Cloud, grant: Grant):
    """The roles are granted anyway; one sentence says how to grant the rest."""
    result = grant(*ME, "--yes")

    assert (result.code, result.states[SITE]) == (3, "unknown")
    assert {result.states[role] for role in GRAPH | SHAREPOINT} == {"done"}
    assert result.err.count("\n") == 1
    assert "--device-code" in result.err
    assert "--full-control" in result.err


@pytest.mark.parametrize(
    ("roles", "on_graph", "on_sharepoint"),
    [
        ((PRIVILEGED,), "done", "done"),
        ((APPLICATIONS,), "failed", "done"),
        ((), "failed", "failed"),
    ],
)
def test_refusal_names_the_role(tenant, grant, roles, on_graph, on_sharepoint):
    """The rest fails with the role that is needed, each sentence once."""
    result = grant(*ME, "--yes", "--full-control", roles=roles)

    assert {result.states[role] for role in GRAPH} == {on_graph}
    assert result.states[EVERYWHERE] == on_sharepoint
    failed = [on_graph, on_sharepoint].count("failed")
    assert result.code == (3 if failed else 0)
    assert result.err.count("\n") == failed
    if on_graph == "failed":
        assert "Privileged Role Administrator" in result.err


def test_token_that_may_not_read(grant: Grant, monkeypatch: pytest.MonkeyPatch):
    """A token without the scope to read is one sentence, and exit code 3."""
    monkeypatch.setattr("local.m365.control.admins.AZURE_CLI_SCOPES", ("User.Read",))

    assert_one_sentence(grant(*ME, "--check", "--full-control"), 3, "Application.Read.All")


def test_unknown_id(grant: Grant):
    """It is one sentence, and exit code 1."""
    unknown = "00000000-0000-4000-8000-000000000000"

    assert_one_sentence(grant("--identity", unknown, "--dry-run"), 1, unknown)


def test_claims_of_the_identity(tenant: Cloud, grant: Grant):
    """The next token has exactly what was granted."""
    grant(*ME, "--yes", "--sync-group")

    header = of_the_identity(tenant, tenant.tenant.urls.graph)["Authorization"]
    claims = claims_of({"access_token": header.removeprefix("Bearer ")})
    assert claims["roles"] == ["GroupMember.Read.All", "ProfilePhoto.Read.All", "User.Read.All"]
