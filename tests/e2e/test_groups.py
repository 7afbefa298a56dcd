"""A pilot by membership: one group lets people in, another leaves them out, nested ones too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.cloud.stack import Stack
from tests.e2e.cloud import LiveCloud, picture
from tests.e2e.conftest import NEVER
from tests.e2e.test_sweep import lost, sweep

pytestmark = pytest.mark.server

PILOT = "0b000000-0000-4000-8000-000000000001"
LEFT_OUT = "0b000000-0000-4000-8000-000000000002"
NESTED = "0b000000-0000-4000-8000-000000000003"


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCloud]:
    settings = {
        "SYNC_GROUP_ID": PILOT,
        "EXCLUDED_GROUP_ID": LEFT_OUT,
        "SWEEP_SCHEDULE": NEVER,
        "RENEW_SCHEDULE": NEVER,
    }
    with Stack(tmp_path_factory.mktemp("pilot"), settings=settings) as stack:
        yield LiveCloud(stack)


def group(cloud: LiveCloud, group_id: str, *members: str) -> None:
    cloud.admin.control("POST", "/groups", {"id": group_id, "members": members})


def told(cloud: LiveCloud, user_id: str) -> tuple[str, str]:
    state = cloud.watcher.states()[user_id]
    return state["status"], state["reason"]


def test_membership_decides_who_is_copied(pilot: LiveCloud):
    """Who is in both groups is left alone, put in later keeps the picture, and out is copied."""
    member, member_upn = lost(pilot, 1)
    both, both_upn = lost(pilot, 2)
    group(pilot, NESTED, both)
    group(pilot, LEFT_OUT, NESTED)
    group(pilot, PILOT, member, both)
    sweep(pilot)

    assert pilot.shows(member_upn, picture(1))
    assert both not in pilot.watcher.states()
    # A notification, or a person, does not get round it.
    pilot.replayed(both)
    assert told(pilot, both) == ("skipped", "out-of-scope")
    assert not pilot.admin.shown(both_upn).files

    group(pilot, NESTED, member)
    sweep(pilot)
    assert told(pilot, member) == ("skipped", "out-of-scope")
    state = pilot.watcher.states()[member]
    assert state["outOfScopeSince"]
    assert "EXCLUDED_GROUP_ID" in state["detail"]
    assert pilot.shows(member_upn, picture(1))
    # Nor is a picture taken away whose photo is gone.
    assert pilot.shows(both_upn, picture(2))


def test_group_that_is_gone_lets_nobody_in(pilot: LiveCloud):
    """Without the group a sweep fails and says why, and a run fails: nobody is copied by either."""
    both, both_upn = lost(pilot, 3)
    group(pilot, PILOT, both)
    group(pilot, LEFT_OUT, both)
    pilot.admin.control("DELETE", f"/groups/{LEFT_OUT}")
    log = sweep(pilot)
    pilot.replayed(both)

    assert log["status"] == "failed"
    assert "EXCLUDED_GROUP_ID names a group" in str(log["detail"])
    assert told(pilot, both) == ("failed", "refused")
    assert not pilot.admin.shown(both_upn).files
    # Back again, it decides as before, and out of it the person is copied.
    group(pilot, LEFT_OUT, both)
    sweep(pilot)
    assert told(pilot, both) == ("skipped", "out-of-scope")
    group(pilot, LEFT_OUT)
    sweep(pilot)
    assert pilot.shows(both_upn, picture(3))
