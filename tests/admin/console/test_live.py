"""manage.py end to end: a process of its own against the running local cloud."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admin.command_result import assert_printed
from tests.admin.console.conftest import Manage
from tests.e2e.cloud import LiveCloud, picture
from tests.e2e.terminal import with_key
from tests.shared.console.page.live import live_cloud


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCloud]:
    with live_cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture
def manage(cloud: LiveCloud) -> Manage:
    """Run a command in its own process, with the cloud's key."""
    return with_key(cloud)


def test_find_and_repair_one_user(cloud: LiveCloud, manage: Manage):
    """Both sides differ; a replay is awaited; both sides agree."""
    user_id, upn = cloud.add_unnotified(1)

    assert_printed(manage("check", upn), 1, "although Exchange has a photo", err="")
    assert_printed(manage("replay", upn, "--wait"), 0, "synced", err="")
    assert_printed(manage("check", user_id), 0, err="")
    assert cloud.shows(upn, picture(1))


def test_chosen_picture_is_replaced(cloud: LiveCloud, manage: Manage):
    """A replay keeps a picture that a person chose; --replace replaces it once."""
    chosen = {"PictureURL": "https://contoso.example/portraits/me.jpg"}
    user_id, upn = cloud.add_unnotified(8, profile=chosen)

    def shows_chosen() -> bool:
        return cloud.profile(user_id)["PictureURL"] == chosen["PictureURL"]

    assert_printed(manage("replay", upn, "--wait"), 0, "replay with --replace", err="")
    assert shows_chosen()
    assert manage("replay", upn, "--replace", "--wait").code == 2
    assert shows_chosen()
    assert_printed(manage("replay", upn, "--replace", "--yes", "--wait"), 0, "synced", err="")
    assert cloud.shows(upn, picture(8))

    cloud.admin.control("PATCH", f"/users/{user_id}", {"profile": chosen})
    assert "--replace" in manage("replay", upn, "--wait").out
    assert shows_chosen()


def test_other_address_or_beginning_of_a_name(cloud: LiveCloud, manage: Manage):
    """A single match is used and named; of several, all are named and none is used."""
    mails = {"aliases": ["a.berg@contoso.com"], "otherMails": ["anne.home@contoso.com"]}
    _, upn = cloud.add(displayName="Anne-Sofie Berg", **mails)
    cloud.add(displayName="Annette Berg")

    for name in ("a.berg@contoso.com", "anne.home@contoso.com", "anne-s"):
        result = manage("status", name, "--json")
        assert result.document["user"]["userPrincipalName"] == upn
        assert result.err == f"{name} is Anne-Sofie Berg ({upn}).\n"
    for command in ("status", "check", "history"):
        several = manage(command, "berg")
        assert (several.code, several.out) == (2, "")
        assert "More than one user matches berg" in several.err
        assert upn in several.err


def test_failures(cloud: LiveCloud, manage: Manage, tmp_path: Path):
    """A failure is listed with its reason, fixed in Exchange, and gone after --failed."""
    user_id, upn = cloud.add(displayName="Anne <b>Other</b>, Ltd")
    cloud.seed_photo(user_id, b"\xff\xd8 this is no picture")
    file = tmp_path / "users.txt"
    file.write_text(f"# both\n{upn}\n\nnobody@contoso.com\n")

    assert_printed(
        manage("replay", "--wait", "--from-file", str(file)), 1, err="nobody@contoso.com"
    )
    [mine] = [row for row in manage("failures", "--csv").rows if row["userId"] == user_id]
    assert mine["displayName"] == "Anne <b>Other</b>, Ltd"
    assert mine["detail"].endswith(".")
    assert_printed(manage("status"), 1, upn)
    cloud.seed_photo(user_id, picture(4))
    assert manage("replay", "--failed", "--wait").code == 0
    assert manage("failures").code == 0


def test_sweep(cloud: LiveCloud, manage: Manage):
    """A sweep is followed to its end; then everybody it found is being processed or done."""
    user_id, _ = cloud.add_unnotified(5)

    result = manage("sweep", "--wait", "--json")
    assert result.code == 0
    assert result.document["status"] == "finished"
    assert result.document["changed"]["new"] >= 1
    assert cloud.settled(user_id)["status"] == "synced"
    assert manage("status", "--json").document["sweep"]["id"] >= result.document["id"]
    assert "holds nothing back" in manage("sweep", "--release-removals").out


def test_status_while_graph_refuses(cloud: LiveCloud, manage: Manage):
    """The stored state is shown, with the reason why Exchange could not be read."""
    user_id, upn = cloud.copied(6)
    # Longer than any machine takes for both commands; a restarted host calls Graph again.
    cloud.fault(service="graph", path=f"/users/{upn}", fault="429", next=1, retryAfter=600)
    document = manage("status", upn, "--json").document
    shown = manage("status", upn)
    cloud.stack.kill_host()
    cloud.stack.start_host()

    assert document["user"]["id"] == user_id
    assert document["unasked"][0]["retryAfter"] > 10
    assert_printed(shown, 4, "graph asked PhotoSync to wait for another", "synced", err="")


def test_replay_while_graph_refuses(cloud: LiveCloud, manage: Manage):
    """It is queued although Graph refuses to look the user up, and runs once Graph answers."""
    user_id, upn = cloud.copied(6)
    cloud.seed_photo(user_id, picture(7))
    last = cloud.last_entry()
    # More than the ten seconds for which the app waits in place.
    cloud.fault(service="graph", path=f"/users/{upn}", fault="429", next=1, retryAfter=11)

    assert_printed(manage("replay", upn, "--wait"), 0, "synced", err="")
    assert cloud.journal_of(user_id, last)[0]["fault"] == "429"
    assert cloud.shows(upn, picture(7))


def test_replay_beside_a_busy_queue(cloud: LiveCloud, manage: Manage):
    """A run without changes ends, even while other messages wait."""
    user_id, upn = cloud.add()
    cloud.replayed(user_id)
    assert manage("status", upn, "--json").document["state"]["status"] == "no-photo"
    # Nobody's message, hidden for an hour: the queue is not empty again. So this test is the last.
    cloud.watcher.type_into_queue("nobody@contoso.com", hidden_for=3600)
    assert_printed(manage("replay", upn, "--wait", "--timeout", "60"), 0, "no-photo", err="")
