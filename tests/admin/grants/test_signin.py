"""The admin's token: its sources, and every way to fail."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from local.m365.tenant.admins import GLOBAL
from tests.admin.command_result import assert_one_sentence
from tests.admin.grants.conftest import MANAGED, Grant, somebody_signs_in
from tests.local.m365.simulator import Cloud

ME = ("--identity", MANAGED, "--check", "--full-control", "--json")
OTHER = "00000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "words"),
    [
        ((), {"PATH": ""}, 2, ("az login", "--device-code")),
        ((), {"AZ_MODE": "logged-out"}, 3, ("Please run 'az login'",)),
        # The account of az belongs to another tenant.
        (("--tenant", OTHER), {}, 2, (OTHER, "az login --tenant")),
        # Entra refuses a public client that does not exist.
        (
            ("--device-code", "--device-code-app", OTHER),
            {},
            3,
            ("AADSTS700016", "with --device-code-app."),
        ),
        # msal raises a ValueError.
        (("--device-code", "--tenant", OTHER), {}, 3, ("--tenant",)),
    ],
    ids=["no az", "signed out", "other tenant", "unknown client", "unknown tenant"],
)
def test_no_sign_in(grant: Grant, arguments, environ, code, words):
    """One sentence gives the reason, and what to do."""
    assert_one_sentence(grant(*ME, *arguments, **environ), code, *words)


def test_redacted_token(grant: Grant):
    """The documented next version shows a token only on request."""
    assert grant(*ME, AZ_MODE="redacted").document["admin"] == "admin@contoso.com"


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        *[
            (script, "The Azure CLI returned no token")
            for script in ("echo no json", "exit 3", "echo '{}'", "echo ERROR >&2; exit 1")
        ],
        (r"printf '\377'", "The Azure CLI returned no token"),
        # Graph answers 401 to an expired token.
        (f"""echo '{{"accessToken": "{"x" * 200}"}}'""", "sign in again"),
    ],
)
def test_unusable_token(grant: Grant, az: Path, script: str, sentence: str):
    """Whatever the program named az prints, there is one sentence."""
    (az / "az").write_text(f"#!/bin/sh\n{script}\n")

    assert_one_sentence(grant(*ME), 3, sentence)


def test_a_tenant_by_its_name(grant: Grant):
    """A domain names a tenant too, and cannot be compared with the token's id."""
    assert grant(*ME, "--tenant", "contoso-dev.onmicrosoft.com").code == 1


def test_a_code_asks_for_no_more_than_it_needs(tenant: Cloud, grant: Grant):
    """Each action requests only its own scopes."""
    me, code = ("--identity", MANAGED), ("--device-code", "--json")
    scopes_of = {
        (*me, "--check", "--full-control"): {"Application.Read.All"},
        (*me, "--check"): {"Application.Read.All", "Sites.FullControl.All"},
        (*me, "--yes", "--full-control"): {
            "Application.Read.All",
            "AppRoleAssignment.ReadWrite.All",
        },
        ("--new-app", "Scopes", "--yes"): {
            "Application.ReadWrite.All",
            "AppRoleAssignment.ReadWrite.All",
            "Sites.FullControl.All",
        },
    }
    for arguments, wanted in scopes_of.items():
        with somebody_signs_in(tenant, GLOBAL) as scopes:
            grant(*arguments, *code)
        assert set(scopes) == wanted


def test_declined_code(tenant: Cloud, grant: Grant):
    """The code is shown on stderr; then one sentence, and exit code 3."""
    with somebody_signs_in(tenant, decline=True):
        result = grant(*ME, "--device-code")

    shown, sentence = result.err.splitlines()
    assert "enter the code" in shown
    assert "Entra issued no token: AADSTS" in sentence
    assert (result.code, result.out) == (3, "")


def test_code_that_is_not_entered(tenant: Cloud, grant: Grant, monkeypatch: pytest.MonkeyPatch):
    """When its time is over, waiting ends."""
    monkeypatch.setattr("local.m365.entra.device_codes.LIFETIME", timedelta(seconds=1))
    tenant.tenant.switches.device_code_interval = 1

    result = grant(*ME, "--device-code")

    assert result.code == 3
    assert "repeat the command" in result.err.splitlines()[1].lower()


@pytest.mark.parametrize("more", [(), ("--device-code",)])
def test_no_connection_and_no_trust(grant: Grant, more: tuple[str, ...], tmp_path: Path):
    """A closed port, and a certificate of an unknown CA, each in a sentence."""
    closed = "https://localhost:9"
    gone = grant(*ME, *more, GRAPH_URL=closed, LOGIN_URL=closed)
    assert_one_sentence(gone, 3, "No connection to localhost")
    distrusted = grant(*ME, *more, PHOTOSYNC_CA="", REQUESTS_CA_BUNDLE="")
    assert_one_sentence(distrusted, 3, "--ca")
