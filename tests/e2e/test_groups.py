"""Scope by group membership: one group includes users, another excludes them, also if nested."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.cloud import LiveCloud, picture, quiet_cloud

pytestmark = pytest.mark.server

PILOT = "0b000000-0000-4000-8000-000000000001"
EXCLUDED = "0b000000-0000-4000-8000-000000000002"
NESTED = "0b000000-0000-4000-8000-000000000003"


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCloud]:
    settings = {"SYNC_GROUP_ID": PILOT, "EXCLUDED_GROUP_ID": EXCLUDED}
    with quiet_cloud(tmp_path_factory.mktemp("pilot"), settings) as cloud:
        yield cloud


def group(cloud: LiveCloud, group_id: str, *members: str) -> None:
    cloud.admin.control("POST", "/groups", {"id": group_id, "members": members})


def outcome(cloud: LiveCloud, user_id: str) -> tuple[str, str]:
    state = cloud.watcher.states()[user_id]
    return state["status"], state["reason"]


def test_membership_decides_who_is_copied(pilot: LiveCloud):
    """Only members outside the excluded group are copied; users who leave keep the picture."""
    member, member_upn = pilot.add_unnotified(1)
    both, both_upn = pilot.add_unnotified(2)
    stranger, _ = pilot.add_unnotified(3)
    group(pilot, NESTED, both)
    group(pilot, EXCLUDED, NESTED)
    group(pilot, PILOT, member, both)
    assert pilot.sweep()["users"] == 2

    assert pilot.shows(member_upn, picture(1))
    assert {both, stranger}.isdisjoint(pilot.watcher.states())
    # A replay does not bypass the groups.
    pilot.replayed(both)
    assert outcome(pilot, both) == ("skipped", "out-of-scope")
    assert not pilot.admin.shown(both_upn).files

    group(pilot, NESTED, member)
    pilot.sweep()
    assert outcome(pilot, member) == ("skipped", "out-of-scope")
    state = pilot.watcher.states()[member]
    assert state["outOfScopeSince"]
    assert "EXCLUDED_GROUP_ID" in state["detail"]
    assert pilot.shows(member_upn, picture(1))
    assert pilot.shows(both_upn, picture(2))

    # A user who is no longer listed as a member is checked individually, and keeps the picture.
    group(pilot, PILOT)
    assert pilot.sweep()["users"] == 0
    assert outcome(pilot, both) == ("skipped", "out-of-scope")
    assert "SYNC_GROUP_ID" in pilot.watcher.states()[both]["detail"]
    assert pilot.shows(both_upn, picture(2))


def test_deleted_group(pilot: LiveCloud):
    """Without the excluded group, a sweep fails with the reason, and a run fails: none copies."""
    both, both_upn = pilot.add_unnotified(3)
    group(pilot, PILOT, both)
    group(pilot, EXCLUDED, both)
    pilot.admin.control("DELETE", f"/groups/{EXCLUDED}")
    log = pilot.sweep()
    pilot.replayed(both)

    assert log["status"] == "failed"
    assert "EXCLUDED_GROUP_ID names a group" in str(log["detail"])
    assert outcome(pilot, both) == ("failed", "refused")
    assert not pilot.admin.shown(both_upn).files
    # Once the group exists again, it decides as before; outside it, the user is copied.
    group(pilot, EXCLUDED, both)
    pilot.sweep()
    assert outcome(pilot, both) == ("skipped", "out-of-scope")
    group(pilot, EXCLUDED)
    pilot.sweep()
    assert pilot.shows(both_upn, picture(3))
