"""Sign-in from the terminal, from `grant --console` to an order, through the host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admin.command_result import assert_one_sentence
from tests.e2e.cloud import LiveCloud, quiet_cloud
from tests.e2e.terminal import manage

pytestmark = pytest.mark.local_host("it simulates App Service authentication")


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCloud]:
    """A console whose registration is not yet prepared for terminals, and three users."""
    with quiet_cloud(tmp_path_factory.mktemp("cloud"), sign_in=True) as cloud:
        cloud.switch(deviceCodeInterval=1)
        for name in ("vera", "olga", "mallory"):
            cloud.add(userPrincipalName=f"{name}@contoso.com")
        yield cloud


@pytest.fixture(scope="module")
def granted(signing: LiveCloud) -> LiveCloud:
    """After `grant --console` has prepared the console's registration."""
    known = ("--console", "--client-id", signing.at.console_client_id, "--device-code")
    people = ("--viewer", "vera@contoso.com", "--operator", "olga@contoso.com")
    grant = manage(signing, "grant", *known, *people, "--yes", "--json")
    assert grant.code == 0, grant
    assert set(grant.states.values()) <= {"done", "ok"}
    return signing


def test_operator_gives_an_order(granted: LiveCloud):
    """The app names its registration; the token is accepted, and the log of orders has the name."""
    ordered = manage(granted, "sweep", name="olga@contoso.com")
    history = manage(granted, "history", "--json", key=granted.at.key)

    assert ordered.code == 0, ordered
    assert granted.at.console_client_id in ordered.err
    assert "olga@contoso.com" in history.out, history
    assert history.err == ""


def test_viewer_is_refused_an_order(granted: LiveCloud):
    """The command prints the app's own sentence, the same as for browsers."""
    status = manage(granted, "status", "--json", name="vera@contoso.com")
    refused = manage(granted, "sweep", name="vera@contoso.com")

    # Nothing has subscribed here, so `status` reports a problem.
    assert (status.code, "counts" in status.document) == (1, True)
    assert (refused.code, refused.out) == (3, "")
    assert "need the role Operator" in refused.err.splitlines()[-1]


def test_no_token_without_a_role(granted: LiveCloud):
    """Entra refuses, since assignment is required; the sentence says how to get a role."""
    refused = manage(granted, "status", name="mallory@contoso.com")

    assert (refused.code, refused.out) == (3, "")
    assert "You have no role" in refused.err.splitlines()[-1]


def test_keys_switched_off_before_the_grant(tmp_path: Path):
    """With CONSOLE_KEYS=false and without `grant`, each refusal says what to do."""
    with quiet_cloud(tmp_path / "cloud", {"CONSOLE_KEYS": "false"}, sign_in=True) as cloud:
        by_key = manage(cloud, "status", key=cloud.at.key)
        by_code = manage(cloud, "status", name="olga@contoso.com")

    assert_one_sentence(by_key, 3, "accepts no keys", "PHOTOSYNC_CLIENT_ID")
    assert (by_code.code, by_code.out) == (3, "")
    assert "AADSTS700016" in by_code.err.splitlines()[-1]
