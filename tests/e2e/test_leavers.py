"""A user is deleted in Entra; 30 days later PhotoSync removes everything it wrote for them."""

from __future__ import annotations

import pytest

from tests.e2e.cloud import LiveCloud, picture


@pytest.fixture(params=["kept", "gone"])
def profiles(request: pytest.FixtureRequest, cloud: LiveCloud) -> LiveCloud:
    """SharePoint may keep or delete the profile of a deleted user; which one is not documented."""
    cloud.switch(deletedProfile=request.param)
    return cloud


def left(cloud: LiveCloud, user_id: str) -> None:
    """Delete a user, with a notification, and wait until the state says so."""
    cloud.admin.delete_user(user_id)
    cloud.watcher.until(lambda: [] if cloud.status(user_id) == "left" else ["not left yet"])


def let_time_pass(cloud: LiveCloud, user_id: str) -> None:
    cloud.age(user_id, "leftSince", days=30, minutes=1)


def test_leaver_is_forgotten(profiles: LiveCloud):
    """Files, URL and state are kept until the time is over, and then removed."""
    user_id, upn = profiles.add_unnotified(1)
    url = str(profiles.replayed(user_id)["pictureUrl"])
    left(profiles, user_id)
    profiles.sweep()
    assert profiles.status(user_id) == "left"
    assert profiles.admin.files_at(url) == set("SML")

    let_time_pass(profiles, user_id)
    log = profiles.sweep()
    assert log["forgetting"] == "queued"
    assert user_id not in profiles.watcher.states()
    assert profiles.admin.files_at(url) == set()
    assert not profiles.admin.shown(upn).profile.get("PictureURL")
    assert [each["event"] for each in profiles.outcomes(user_id)][-1] == "forgotten"

    profiles.sweep()
    assert user_id not in profiles.watcher.states()


def test_restored_user_has_the_picture(profiles: LiveCloud):
    """A user who is restored in time has the picture, with the old profile or a new one."""
    user_id, upn = profiles.copied(2)
    left(profiles, user_id)
    profiles.admin.restore_user(user_id)
    profiles.watcher.until(lambda: [] if profiles.status(user_id) == "synced" else ["not back"])

    assert profiles.shows(upn, picture(2))
    assert profiles.watcher.states()[user_id]["leftSince"] is None


def test_leaver_without_notification(cloud: LiveCloud):
    """Graph does not list deleted users, so sweeps check some known users each time, in turn."""
    user_id, _ = cloud.copied(4)
    cloud.switch(notificationsLost=1.0)
    cloud.admin.delete_user(user_id)
    for _ in range(10):
        if cloud.status(user_id) == "left":
            break
        cloud.sweep()

    assert cloud.status(user_id) == "left"
