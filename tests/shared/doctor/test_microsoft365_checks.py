"""The doctor finds exactly what was broken in the simulated Microsoft 365."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared import runtime
from shared.doctor.microsoft365_checks import CHECKS, FILES, GRAPH, PROFILES
from shared.microsoft365 import tokens
from tests.local.m365.simulator import IDENTITY, IDENTITY_HEADER, PHOTOSYNC_APP, SECRET
from tests.shared.doctor.clinic import Clinic


def test_sound(clinic: Clinic):
    """Where nothing is wrong every check is well, and nobody is told to do anything."""
    examined = clinic.examine()

    assert (examined.ok, examined.wrong) == (True, [])
    assert [check.name for check in examined.checks] == ["settings", "storage", *CHECKS]
    assert {check.action for check in examined.checks} == {""}


def test_again(clinic: Clinic):
    """One examination writes over the document of the last."""
    assert clinic.examine().ok
    assert clinic.examine().ok


def test_empty_page_of_users(clinic: Clinic):
    """Users on the second page are users, too."""
    clinic.tenant.switches.list_pages = "empty"

    assert clinic.examine().ok


def test_no_token_is_told(clinic: Clinic):
    """Roles are told, the token they stand in never is."""
    examined = clinic.examine()

    assert "ProfilePhoto.Read.All, User.Read.All" in examined.of(GRAPH).detail
    assert not [check for check in examined.checks if "eyJ" in check.detail]


@pytest.mark.parametrize(
    ("side", "role", "wrong"),
    [
        ("graph_roles", "User.Read.All", [GRAPH, "list users", "subscription"]),
        ("graph_roles", "ProfilePhoto.Read.All", []),
        ("sharepoint_roles", "Sites.Selected", [FILES, "picture folder", "permission to write"]),
        (
            "sharepoint_roles",
            "User.ReadWrite.All",
            [PROFILES, "read a profile", "permission to write"],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_missing_role(clinic: Clinic, side: str, role: str, wrong: list[str]):
    """A role that was not granted is named, and so is what it keeps from working."""
    app = clinic.tenant.apps[PHOTOSYNC_APP]
    held = {"graph_roles": app.graph_roles, "sharepoint_roles": app.sharepoint_roles}[side]
    changed: dict[str, Any] = {side: held - {role}}
    clinic.tenant.apps[PHOTOSYNC_APP] = replace(app, **changed)
    examined = clinic.examine()

    assert examined.causes == wrong
    assert all(role in examined.of(name).detail + examined.of(name).action for name in wrong)
    assert all("manage.py grant" in examined.of(name).action for name in wrong)
    assert not [check for check in examined.checks if "SYNC_GROUP_ID" in check.action]


def test_role_shows_as_soon_as_it_is_granted(clinic: Clinic):
    """The same doctor sees a role that was granted since: it signs in anew."""
    app = clinic.tenant.apps[PHOTOSYNC_APP]
    clinic.tenant.apps[PHOTOSYNC_APP] = replace(app, graph_roles=frozenset())
    doctor = runtime.build(clinic.env).doctor

    assert not doctor.examine()["ok"]
    clinic.tenant.apps[PHOTOSYNC_APP] = app
    assert doctor.examine()["ok"]


def test_full_control(clinic: Clinic):
    """Sites.FullControl.All needs no grant on the site."""
    app = clinic.tenant.apps[PHOTOSYNC_APP]
    roles = frozenset({"Sites.FullControl.All", "User.ReadWrite.All"})
    clinic.tenant.apps[PHOTOSYNC_APP] = replace(app, sharepoint_roles=roles)

    assert (
        clinic.examine().of("permission to write").detail
        == "The roles in the tokens allow writing."
    )


def test_no_grant_on_the_site(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    """Sites.Selected without a grant opens no folder."""
    monkeypatch.setattr(clinic.tenant, "site_grants", {})
    examined = clinic.examine()

    assert examined.causes == ["picture folder"]
    assert "root site" in examined.of("picture folder").action


def test_secret_instead_of_certificate(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    """A token that a secret got opens Graph, and SharePoint refuses it."""
    app = clinic.tenant.apps[PHOTOSYNC_APP]
    clinic.tenant.apps[PHOTOSYNC_APP] = replace(app, secret=SECRET)

    def by_secret(client_id: str, authority: str, key: object) -> object:
        # The product's type asks for a key, so that nobody does this by mistake.
        return registration(client_id, authority, SECRET)  # type: ignore[arg-type]

    registration = tokens._Registration
    monkeypatch.setattr(tokens, "_Registration", by_secret)
    examined = clinic.examine()

    assert examined.causes == [FILES, PROFILES]
    assert "appidacr 1" in examined.of(FILES).detail
    assert "CLIENT_CERTIFICATE" in examined.of(FILES).action


def test_managed_identity(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    """A managed identity has no certificate to look at; its roles are looked at like any."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{clinic.tenant.urls.control}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", IDENTITY_HEADER)
    examined = clinic.examine({"MANAGED_IDENTITY_CLIENT_ID": IDENTITY})

    assert examined.of("certificate").detail.startswith("A managed identity")
    assert examined.of(FILES).ok
    assert "Roles in the token" in examined.of(GRAPH).detail
    assert "none; missing: User.Read.All" in examined.of(GRAPH).detail


@pytest.mark.parametrize(
    ("setting", "value", "causes", "action"),
    [
        ("TENANT_ID", PHOTOSYNC_APP, [GRAPH, FILES, PROFILES], "TENANT_ID"),
        (
            "CLIENT_ID",
            "0a1c9a3e-6f0e-4a60-9d51-1f5e0b3adfff",
            [GRAPH, FILES, PROFILES],
            "CLIENT_ID",
        ),
        ("LOGIN_URL", "https://localhost:1", [GRAPH, FILES, PROFILES], "can reach Entra"),
        ("SHAREPOINT_MY_URL", "", [FILES], "SHAREPOINT_TENANT"),
        ("SHAREPOINT_ADMIN_URL", "", [PROFILES], "SHAREPOINT_TENANT"),
        ("GRAPH_URL", "https://localhost:1", ["clock", GRAPH], "Check"),
        ("PICTURE_FOLDER", "Photos", ["picture folder"], "PICTURE_FOLDER"),
        ("WEBHOOK_URL", "", ["subscription"], "WEBHOOK_URL"),
        ("EXCLUDED_GROUP_ID", PHOTOSYNC_APP, [GRAPH, "groups"], "GroupMember.Read.All"),
        ("SYNC_GROUP_ID", PHOTOSYNC_APP, [GRAPH, "groups"], "GroupMember.Read.All"),
    ],
)
def test_wrong_setting(clinic: Clinic, setting: str, value: str, causes: list[str], action: str):
    """A setting that is well formed and wrong is named by the first check that it spoils."""
    examined = clinic.examine({setting: value, "SHAREPOINT_TENANT": "fabrikam"})

    assert examined.causes == causes
    assert action in examined.of(causes[-1]).action


def test_satellite_that_entra_does_not_know(clinic: Clinic):
    """A name in SHAREPOINT_GEOS that is none of the tenant's is told, and nothing else fails."""
    examined = clinic.examine({"SHAREPOINT_GEOS": "fabrikamdach"})
    tokens = [f"token for SharePoint {what} of fabrikamdach" for what in ("files", "profiles")]

    assert examined.causes == tokens
    assert "fabrikamdach in SHAREPOINT_GEOS" in examined.of(tokens[0]).action
    assert examined.wrong == [
        *tokens,
        "picture folder of fabrikamdach",
        "read a profile of fabrikamdach",
    ]
