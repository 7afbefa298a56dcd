"""`grant --console`: the registration for signing in, and its roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from admin.grants.console import registration
from admin.terminal.fields import Fields
from local.m365.graph import registrations
from local.m365.tenant.admins import APPLICATIONS, GLOBAL, PRIVILEGED, SITES
from local.m365.tenant.records import App, Group, User
from local.m365.tenant.roles import GRAPH
from local.m365.tenant.sign_ins import consented, role_ids
from tests.admin.command_result import CommandResult, assert_one_sentence
from tests.admin.grants.conftest import Grant, somebody_signs_in
from tests.local.m365.simulator import Cloud

URL = "https://photosync-abc.azurewebsites.net"
CALLBACK = f"{URL}/.auth/login/aad/callback"
GROUP = "0a1c9a3e-6f0e-4a60-9d51-000000000001"
NEW = ("--console", "--url", URL, "--yes", "--json")
GUID = "0a1c9a3e-6f0e-4a60-9d51-1f5e0b3ad0ff"


@pytest.fixture
def anne(tenant: Cloud) -> User:
    return tenant.add_user("anne")


@pytest.fixture
def help_desk(tenant: Cloud, anne: User) -> str:
    tenant.tenant.groups[GROUP] = Group({anne.id.casefold()}, "Help desk")
    return GROUP


def client_id(result: CommandResult) -> str:
    return str(result.document["identity"]["clientId"])


def app(tenant: Cloud, result: CommandResult) -> App:
    return tenant.tenant.apps[client_id(result)]


def settings(tenant: Cloud, result: CommandResult) -> Mapping[str, Any]:
    return registrations.shown(app(tenant, result))


def values(tenant: Cloud, one: App, member: str) -> set[str]:
    known = registrations.roles(one)
    return {known[role] for role in role_ids(tenant.tenant, one, member)}


def test_registration_for_sign_in(tenant: Cloud, grant: Grant):
    """One tenant, one address to return to, ID tokens, two roles, one scope, and no secret."""
    result = grant(*NEW)

    assert (result.code, result.err, set(result.states.values())) == (0, "", {"done"})
    made, shown = app(tenant, result), settings(tenant, result)
    tokens = {"enableIdTokenIssuance": True, "enableAccessTokenIssuance": False}
    assert shown["web"]["redirectUris"] == [CALLBACK]
    assert shown["web"]["implicitGrantSettings"] == tokens
    assert shown["identifierUris"] == [f"api://{made.client_id}"]
    assert shown["api"]["requestedAccessTokenVersion"] == 2
    [scope] = shown["api"]["oauth2PermissionScopes"]
    assert shown["api"]["preAuthorizedApplications"] == [
        {"appId": registration.AZURE_CLI, "delegatedPermissionIds": [scope["id"]]}
    ]
    roles = {role["value"]: role["allowedMemberTypes"] for role in shown["appRoles"]}
    assert roles == {"Viewer": ["User"], "Operator": ["User"]}
    assert shown["isFallbackPublicClient"] is True
    assert (made.certificate, made.keys, made.secret) == (None, (), None)


def test_only_assigned_people_sign_in(tenant: Cloud, grant: Grant):
    """Only assigned people can sign in, and so only an admin can consent."""
    made = app(tenant, grant(*NEW))

    assert made.requires_assignment
    asked = frozenset({"openid", "profile", "email", "offline_access"})
    assert consented(tenant.tenant, made.client_id, GRAPH.app_id) == asked
    assert consented(tenant.tenant, made.client_id, made.client_id) == {"user_impersonation"}


def test_people_and_groups_get_roles(tenant: Cloud, grant: Grant, anne: User, help_desk: str):
    """By user principal name, mail address, object id, or the name of a group."""
    bob, cleo = tenant.add_user("bob"), tenant.add_user("cleo")
    cleo.mail = "cleo.o'hara@contoso.com"
    names = ("--viewer", "Help desk", "--operator", "bob@contoso.com", "--viewer", cleo.mail)

    result = grant(*NEW, *names, "--operator", cleo.id)

    assert result.code == 0
    made = app(tenant, result)
    assert values(tenant, made, anne.id) == {"Viewer"}
    assert values(tenant, made, bob.id) == {"Operator"}
    assert values(tenant, made, cleo.id) == {"Viewer", "Operator"}


def test_output_names_the_settings(tenant: Cloud, grant: Grant):
    """The client id, and the commands that switch sign-in on, here and in the app."""
    result = grant(*NEW[:-1])
    [made] = [one for one in tenant.tenant.apps.values() if one.name == registration.NAME]

    assert f"azd env set CONSOLE_SIGN_IN {made.client_id}, and azd provision" in result.out
    assert f"PHOTOSYNC_CLIENT_ID={made.client_id}" in result.out


def test_a_second_time_nothing_is_done(tenant: Cloud, grant: Grant, help_desk: str):
    """It is recognised by its client id, and existing roles stay."""
    first = grant(*NEW, "--viewer", "Help desk")
    before = app(tenant, first)

    again = grant(*NEW, "--client-id", client_id(first), "--viewer", "Help desk")

    assert (again.code, set(again.states.values())) == (0, {"ok"})
    assert app(tenant, again) == before
    assert grant(*NEW[:3], "--check", "--client-id", client_id(first)).code == 0


def test_changes_of_ours_are_undone(tenant: Cloud, grant: Grant):
    """Other addresses, roles and clients stay; ours are restored."""
    first = grant(*NEW)
    made, before = app(tenant, first), settings(tenant, first)
    own: dict[str, Any] = {"id": GUID, "value": "Own", "displayName": "Own", "description": "Own"}
    own |= {"allowedMemberTypes": ["User"], "isEnabled": True}
    tenant.tenant.apps[made.client_id] = replace(
        made,
        requires_assignment=False,
        settings={
            **before,
            "web": {**before["web"], "redirectUris": ["https://other.example/callback"]},
            "api": {**before["api"], "oauth2PermissionScopes": [], "preAuthorizedApplications": []},
            "appRoles": [{**before["appRoles"][0], "isEnabled": False}, own],
        },
    )
    named = (*NEW, "--client-id", made.client_id)

    checked = grant(*NEW[:3], "--json", "--check", "--client-id", made.client_id)
    assert checked.code == 1
    assert "missing" in checked.states.values()
    assert grant(*named).code == 0
    restored = settings(tenant, first)
    assert restored["web"]["redirectUris"] == ["https://other.example/callback", CALLBACK]
    assert [role["value"] for role in restored["appRoles"]] == ["Viewer", "Own", "Operator"]
    assert all(role["isEnabled"] for role in restored["appRoles"])
    assert restored["api"] == before["api"]
    assert app(tenant, first).requires_assignment


def test_other_app_of_that_name_is_not_used(tenant: Cloud, grant: Grant):
    """Anybody may register an app with that name, so the name is not trusted."""
    tenant.tenant.apps[GUID] = App(GUID, name=registration.NAME)

    assert_one_sentence(grant(*NEW), 2, f"--client-id {GUID}")


def test_roles_are_removed(tenant: Cloud, grant: Grant, anne: User):
    """Of the people named, or of everybody, then with the consents; the registration stays."""
    tenant.add_user("bob")
    made = grant(*NEW, "--operator", "anne@contoso.com", "--viewer", "bob@contoso.com")
    revoke = ("--console", "--revoke", "--yes", "--json", "--client-id", client_id(made))

    assert grant(*revoke, "--operator", "bob@contoso.com").states == {"Bob Viewer": "done"}
    assert [one.member for one in tenant.tenant.assigned.values()] == [anne.id.casefold()]
    assert grant(*revoke).code == 0
    assert (tenant.tenant.assigned, tenant.tenant.consents) == ({}, {})
    assert client_id(made) in tenant.tenant.apps


def test_a_dry_run_changes_nothing(tenant: Cloud, grant: Grant):
    """The plan is shown, and the directory is as it was."""
    before = dict(tenant.tenant.apps)

    result = grant("--console", "--url", URL, "--dry-run", "--json")

    assert (result.code, set(result.states.values())) == (0, {"missing"})
    assert tenant.tenant.apps == before


def test_it_waits_for_the_directory(tenant: Cloud, grant: Grant, anne: User):
    """New objects appear with a delay; it retries."""
    tenant.tenant.switches.directory_lag = 2

    result = grant(*NEW, "--operator", anne.user_principal_name)

    assert (result.code, set(result.states.values())) == (0, {"done"})


def test_least_role(grant: Grant):
    """It takes no more than Application Administrator."""
    assert grant(*NEW, roles=(APPLICATIONS,)).code == 0


@pytest.mark.parametrize("role", [SITES, PRIVILEGED])
def test_insufficient_role(tenant: Cloud, grant: Grant, role: str):
    """Registering is refused with a sentence that names the roles, and nothing else is tried."""
    tenant.tenant.switches.users_register_apps = False

    result = grant(*NEW, roles=(role,))

    assert result.code == 3
    assert "Application Administrator" in result.err
    assert set(result.states.values()) == {"failed", "skipped"}


def test_a_code_asks_for_no_more_than_it_needs(tenant: Cloud, grant: Grant, anne: User):
    """Registering and consenting; and reading people only if some are named."""
    write = {
        "Application.ReadWrite.All",
        "AppRoleAssignment.ReadWrite.All",
        "DelegatedPermissionGrant.ReadWrite.All",
    }
    people = {"User.ReadBasic.All", "GroupMember.Read.All"}
    with somebody_signs_in(tenant, GLOBAL) as scopes:
        made = grant(*NEW, "--device-code")
    assert (made.code, set(scopes)) == (0, write)
    known = ("--client-id", client_id(made))
    with somebody_signs_in(tenant, GLOBAL) as scopes:
        result = grant(*NEW, *known, "--device-code", "--viewer", anne.user_principal_name)
    assert (result.code, set(scopes)) == (0, write | people)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--console", "--yes"), 2, "PHOTOSYNC_URL"),
        (("--console", "--url", "http://photosync.example", "--yes"), 2, "https"),
        (("--console", "--url", f"{URL}/some/where", "--yes"), 2, "without a path"),
        (("--console", "--url", URL, "--identity", GUID, "--yes"), 2, "--console"),
        (("--identity", GUID, "--viewer", "anne", "--yes"), 2, "--console"),
        (("--console", "--url", URL, "--check"), 2, "--client-id"),
        (("--console", "--revoke", "--yes"), 2, "--client-id"),
        (("--console", "--url", URL, "--client-id", "me", "--yes"), 2, "--client-id"),
        (("--console", "--url", URL, "--client-id", GUID, "--check"), 1, GUID),
        ((*NEW, "--viewer", "nobody@contoso.com"), 1, "nobody@contoso.com"),
        ((*NEW, "--viewer", "Nobody"), 1, "Nobody"),
        ((*NEW, "--operator", "Twins"), 2, "object id"),
        ((*NEW, "--operator", "Mail only"), 2, "security group"),
        ((*NEW, "--operator", " "), 2, "--operator"),
    ],
)
def test_invalid_options(tenant, grant, arguments, code, words):
    """One sentence says what to type, and nothing was created."""
    for number in "12":
        tenant.tenant.groups[number] = Group(set(), "Twins")
    tenant.tenant.groups["3"] = Group(set(), "Mail only", security_enabled=False)

    assert_one_sentence(grant(*arguments), code, words)
    assert registration.NAME not in {one.name for one in tenant.tenant.apps.values()}


def test_changes_come_to_an_end():
    """A complete registration needs no changes, whatever else it contains."""
    nothing = registration.new(CALLBACK) | {"appId": GUID, "identifierUris": []}
    written = dict(nothing)
    for _ in range(3):
        written |= registration.changes(Fields(written), CALLBACK)

    assert registration.changes(Fields(written), CALLBACK) == {}
    assert registration.differences(Fields(written), CALLBACK) == []
