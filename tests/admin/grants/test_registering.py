"""The certificate way: an app registration, new or there already, and its key."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from local.cloud.certificates import make_client_certificate
from local.m365.tenant.admins import PRIVILEGED
from local.m365.tenant.records import App
from shared.microsoft365.certificates import credential
from tests.admin.command_result import assert_one_sentence
from tests.admin.grants.conftest import Grant
from tests.local.m365.entra.test_entra import claims_of, scope
from tests.local.m365.simulator import ADMIN_APP, Cloud

NEW = ("--new-app", "PhotoSync", "--full-control", "--yes", "--json")
FILE = "photosync.pem"
REGISTRATION, KEY = "Entra PhotoSync", "this machine photosync.pem"
PRINCIPAL = "Entra service principal"


def token(tenant: Cloud, client_id: str, pem: Path) -> dict[str, Any]:
    wanted = scope(tenant.tenant.urls.graph)
    result: dict[str, Any] = tenant.client(client_id, pem).acquire_token_for_client(wanted)
    return result


def apps_called(tenant: Cloud, name: str) -> list[App]:
    return [app for app in tenant.tenant.apps.values() if app.name == name]


def test_a_new_app_can_sign_in(tenant: Cloud, grant: Grant, tmp_path: Path):
    """Registration, principal, key and roles at once; the file is what CLIENT_CERTIFICATE takes."""
    result = grant(*NEW)

    assert (result.code, result.err) == (0, "")
    assert set(result.states.values()) == {"done"}
    pem, identity = tmp_path / FILE, result.document["identity"]
    assert stat.S_IMODE(pem.stat().st_mode) == 0o600
    assert result.document["certificate"]["file"] == str(pem)
    assert credential(str(pem)).private_key
    claims = claims_of(token(tenant, identity["clientId"], pem))
    assert claims["roles"] == ["ProfilePhoto.Read.All", "User.Read.All"]


def test_output_names_the_settings(grant: Grant, tmp_path: Path):
    """The client id and the file's path are in the last lines; the key is not."""
    result = grant(*NEW[:-1])

    assert "Set CLIENT_ID to " in result.out
    assert f"text of {tmp_path / FILE}" in result.out
    assert "PRIVATE" not in result.out + result.err


def test_a_second_time_nothing_is_made(tenant: Cloud, grant: Grant, tmp_path: Path):
    """The app of the first run is recognised by its certificate; the file is unchanged."""
    first = grant(*NEW).document["identity"]
    before = (tmp_path / FILE).read_bytes()

    again = grant(*NEW)

    assert (again.code, set(again.states.values())) == (0, {"ok"})
    assert again.document["identity"] == first
    assert (tmp_path / FILE).read_bytes() == before
    assert len(apps_called(tenant, "PhotoSync")) == 1


def test_other_app_of_that_name_gets_nothing(tenant: Cloud, grant: Grant, tmp_path: Path):
    """Anybody may register an app of any name: one with another certificate is not ours."""
    strange = make_client_certificate(tmp_path, "stranger")
    certificate = x509.load_pem_x509_certificate(strange.read_bytes())
    tenant.tenant.apps["stranger"] = App("stranger", certificate, name="PhotoSync")

    assert_one_sentence(grant(*NEW), 2, "stranger")
    assert not (tmp_path / FILE).exists()
    assert not tenant.tenant.apps["stranger"].graph_roles
    make_client_certificate(tmp_path, "photosync")
    assert grant(*NEW).code == 2


def test_existing_certificate_is_used(tenant: Cloud, grant: Grant, tmp_path: Path):
    """The file is read, not created; the app signs in with it."""
    own = make_client_certificate(tmp_path, "own")
    before = own.read_bytes()

    result = grant(*NEW, "--certificate", "own.pem")

    assert result.states["this machine own.pem"] == "ok"
    assert own.read_bytes() == before
    assert "access_token" in token(tenant, result.document["identity"]["clientId"], own)


def test_a_key_is_added_beside_the_others(tenant: Cloud, grant: Grant, tmp_path: Path):
    """Rolling a key over: the new one works, the old one too, and a second time nothing is done."""
    arguments = ("--app", ADMIN_APP, "--certificate", "new.pem", "--full-control", "--json")

    assert grant(*arguments, "--check").states["this machine new.pem"] == "missing"
    added = grant(*arguments, "--yes")
    assert added.states["Entra App"] == "done"
    assert "access_token" in token(tenant, ADMIN_APP, tmp_path / "new.pem")
    assert "access_token" in token(tenant, ADMIN_APP, tenant.client_certificate)
    assert grant(*arguments, "--yes").states["Entra App"] == "ok"
    assert grant(*arguments, "--check").states["Entra App"] == "ok"


def test_only_a_key_is_missing(tenant: Cloud, grant: Grant, tmp_path: Path):
    """A key or a principal alone is reason enough to act."""
    client_id = grant(*NEW).document["identity"]["clientId"]

    result = grant(
        "--app", client_id, "--certificate", "2.pem", "--full-control", "--yes", "--json"
    )

    assert [state for state in result.states.values() if state == "done"] == ["done", "done"]
    assert "access_token" in token(tenant, client_id, tmp_path / "2.pem")


def test_a_registration_without_a_principal(tenant: Cloud, grant: Grant):
    """The principal is created, and gets the rights."""
    client_id = "0a1c9a3e-6f0e-4a60-9d51-1f5e0b3ad0b1"
    tenant.tenant.apps[client_id] = App(
        client_id, name="PhotoSync", graph_roles=frozenset({"User.Read.All"}), has_principal=False
    )

    result = grant("--app", client_id, "--full-control", "--yes", "--json")

    assert result.states[PRINCIPAL] == "done"
    assert tenant.tenant.apps[client_id].has_principal
    assert "Sites.FullControl.All" in tenant.tenant.apps[client_id].sharepoint_roles


def test_public_certificate_is_enough(tenant: Cloud, grant: Grant, tmp_path: Path):
    """If the private key is in a vault, a CER file in either form is enough."""
    pem = make_client_certificate(tmp_path, "vault")
    public = x509.load_pem_x509_certificate(pem.read_bytes())
    for form, name in ((Encoding.DER, "der.cer"), (Encoding.PEM, "pem.cer")):
        (tmp_path / name).write_bytes(public.public_bytes(form))
        arguments = ("--app", ADMIN_APP, "--certificate", name, "--full-control", "--yes")
        assert grant(*arguments).code == 0

    assert "access_token" in token(tenant, ADMIN_APP, pem)


@pytest.mark.parametrize("content", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nx"])
def test_file_without_certificate(grant: Grant, tmp_path: Path, content: bytes):
    """The sentence names it, it is unchanged, and nothing is registered."""
    (tmp_path / FILE).write_bytes(content)

    assert_one_sentence(grant(*NEW), 2, FILE)
    assert (tmp_path / FILE).read_bytes() == content


def test_id_without_registration(grant: Grant):
    """A managed identity has none: the sentence names the right option."""
    unknown = "0a1c9a3e-6f0e-4a60-9d51-1f5e0b3ad0ff"

    assert_one_sentence(grant("--app", unknown, "--check", "--full-control"), 1, "--identity")


def test_not_allowed_to_register(tenant: Cloud, grant: Grant, tmp_path: Path):
    """Later steps are skipped; as a permitted admin, the same command continues."""
    tenant.tenant.switches.users_register_apps = False

    result = grant(*NEW, roles=(PRIVILEGED,))
    assert result.code == 3
    assert result.states[REGISTRATION] == "failed"
    assert set(result.states.values()) == {"done", "failed", "skipped"}
    assert "Application Administrator" in result.err
    key = (tmp_path / FILE).read_bytes()
    assert grant(*NEW).code == 0
    assert (tmp_path / FILE).read_bytes() == key


def test_it_waits_for_the_directory(tenant: Cloud, grant: Grant):
    """New objects appear with a delay (404, and 400 with two messages); it retries."""
    tenant.tenant.switches.directory_lag = 2

    result = grant(*NEW)

    assert (result.code, set(result.states.values())) == (0, {"done"})


def test_wait_has_a_limit(tenant: Cloud, grant: Grant):
    """Exit code 5 and what to do; repeated, it continues with the same app."""
    tenant.tenant.switches.directory_lag = 1000
    late = grant(*NEW, "--timeout", "0")
    assert late.code == 5
    assert late.states[REGISTRATION] == "done"
    assert late.states[PRINCIPAL] == "failed"
    assert late.states["Microsoft Graph User.Read.All"] == "skipped"
    assert "repeat the command" in late.err

    tenant.tenant.unseen.clear()
    tenant.tenant.switches.directory_lag = 0
    assert grant(*NEW).states[REGISTRATION] == "ok"
    assert len(apps_called(tenant, "PhotoSync")) == 1
