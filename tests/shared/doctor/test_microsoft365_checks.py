"""The doctor finds exactly what was broken in the simulated Microsoft 365."""

from __future__ import annotations

import pytest

from shared import runtime
from shared.doctor.microsoft365_checks import CHECKS, FILES, GRAPH, PROFILES
from shared.microsoft365 import tokens
from tests.local.m365.simulator import IDENTITY, IDENTITY_HEADER, PHOTOSYNC_APP, SECRET
from tests.shared.doctor.clinic import Clinic


def test_nothing_wrong(clinic: Clinic):
    """Every check passes, none names an action, and the report names roles but never a token."""
    examined = clinic.examine()

    assert (examined.ok, examined.wrong) == (True, [])
    assert [check.name for check in examined.checks] == ["settings", "storage", *CHECKS]
    assert {check.action for check in examined.checks} == {""}
    assert "ProfilePhoto.Read.All, User.Read.All" in examined.of(GRAPH).detail
    assert not [check for check in examined.checks if "eyJ" in check.detail]


def test_empty_page_of_users(clinic: Clinic):
    """Users on the second page count even if the first page is empty."""
    clinic.tenant.switches.list_pages = "empty"

    assert clinic.examine().ok


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
    """A missing role is named in every check that it makes fail."""
    clinic.register(**{side: getattr(clinic.app, side) - {role}})
    examined = clinic.examine()

    assert examined.causes == wrong
    assert all(role in examined.of(name).detail + examined.of(name).action for name in wrong)
    assert all("manage.py grant" in examined.of(name).action for name in wrong)
    assert not [check for check in examined.checks if "SYNC_GROUP_ID" in check.action]


def test_role_shows_as_soon_as_it_is_granted(clinic: Clinic):
    """The same doctor sees a newly granted role, because it signs in again."""
    roles = clinic.app.graph_roles
    clinic.register(graph_roles=frozenset())
    doctor = runtime.build(clinic.env).doctor

    assert not doctor.examine()["ok"]
    clinic.register(graph_roles=roles)
    assert doctor.examine()["ok"]


def test_full_control(clinic: Clinic):
    """Sites.FullControl.All needs no grant on the site."""
    clinic.register(sharepoint_roles=frozenset({"Sites.FullControl.All", "User.ReadWrite.All"}))
    found = clinic.examine().of("permission to write")

    assert found.detail == "The roles in the tokens allow writing."


def test_no_grant_on_the_site(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    """Sites.Selected without a grant on the site gives access to no folder."""
    monkeypatch.setattr(clinic.tenant, "site_grants", {})
    examined = clinic.examine()

    assert examined.causes == ["picture folder"]
    assert "root site" in examined.of("picture folder").action


def test_secret_instead_of_certificate(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    """Graph accepts a token obtained with a secret, SharePoint refuses it."""
    clinic.register(secret=SECRET)

    def by_secret(client_id: str, authority: str, key: object) -> object:
        # The product's type requires a key, which prevents this mistake.
        return registration(client_id, authority, SECRET)  # type: ignore[arg-type]

    registration = tokens._Registration
    monkeypatch.setattr(tokens, "_Registration", by_secret)
    examined = clinic.examine()

    assert examined.causes == [FILES, PROFILES]
    assert "appidacr 1" in examined.of(FILES).detail
    assert "CLIENT_CERTIFICATE" in examined.of(FILES).action


def test_managed_identity(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    """A managed identity has no certificate to check; its roles are checked as usual."""
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
        ("CLIENT_ID", PHOTOSYNC_APP[:-3] + "fff", [GRAPH, FILES, PROFILES], "CLIENT_ID"),
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
    """A well-formed but wrong setting is named by the first check that it makes fail."""
    examined = clinic.examine({setting: value, "SHAREPOINT_TENANT": "fabrikam"})

    assert examined.causes == causes
    assert action in examined.of(causes[-1]).action


def test_unknown_satellite(clinic: Clinic):
    """A name in SHAREPOINT_GEOS that the tenant does not have is reported; the rest passes."""
    examined = clinic.examine({"SHAREPOINT_GEOS": "fabrikamdach"})
    tokens = [f"token for SharePoint {what} of fabrikamdach" for what in ("files", "profiles")]

    assert examined.causes == tokens
    assert "fabrikamdach in SHAREPOINT_GEOS" in examined.of(tokens[0]).action
    assert examined.wrong == [
        *tokens,
        "picture folder of fabrikamdach",
        "read a profile of fabrikamdach",
    ]
