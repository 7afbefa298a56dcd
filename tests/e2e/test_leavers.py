"""Somebody is deleted in Entra: the clock starts, and in the end nothing of ours is left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.sweeping.sweep_rules import BRAKE_USERS
from tests.e2e.cloud import LiveCloud, picture
from tests.e2e.test_sweep import lost, sweep

LONG_AGO = timedelta(days=30, minutes=1)


@pytest.fixture(params=["kept", "gone"])
def profiles(request: pytest.FixtureRequest, cloud: LiveCloud) -> LiveCloud:
    """A profile outlives its user, or does not: nobody knows, and both must end well."""
    cloud.switch(deletedProfile=request.param)
    return cloud


def left(cloud: LiveCloud, user_id: str) -> None:
    """Delete a user, of which Graph tells, and wait until the state says so."""
    cloud.admin.delete_user(user_id)
    cloud.watcher.until(lambda: [] if status(cloud, user_id) == "left" else ["not left yet"])


def status(cloud: LiveCloud, user_id: str) -> str:
    return str(cloud.watcher.states().get(user_id, {}).get("status", ""))


def let_time_pass(cloud: LiveCloud, user_id: str) -> None:
    cloud.watcher.skip_time(user_id, leftSince=datetime.now(UTC) - LONG_AGO)


def test_nothing_is_left_of_who_has_left(profiles: LiveCloud):
    """Files, address and state are there until the time is over, and gone after it."""
    user_id, upn = lost(profiles, 1)
    url = str(profiles.replayed(user_id)["pictureUrl"])
    left(profiles, user_id)
    sweep(profiles)
    assert status(profiles, user_id) == "left"
    assert profiles.admin.files_at(url) == set("SML")

    let_time_pass(profiles, user_id)
    log = sweep(profiles)
    assert log["forgetting"] == "queued"
    assert user_id not in profiles.watcher.states()
    assert profiles.admin.files_at(url) == set()
    assert not profiles.admin.shown(upn).profile.get("PictureURL")
    assert [each["event"] for each in profiles.outcomes(user_id)][-1] == "forgotten"

    sweep(profiles)
    assert user_id not in profiles.watcher.states()


def test_who_is_restored_has_the_picture(profiles: LiveCloud):
    """Restored in time: the picture is right, with the profile of old or with a new one."""
    user_id, upn = lost(profiles, 2)
    profiles.replayed(user_id)
    left(profiles, user_id)
    profiles.admin.restore_user(user_id)
    profiles.watcher.until(lambda: [] if status(profiles, user_id) == "synced" else ["not back"])

    assert profiles.shows(upn, picture(2))
    assert profiles.watcher.states()[user_id]["leftSince"] is None


def test_who_is_restored_at_the_last_moment(cloud: LiveCloud):
    """Whoever is back when the sweep comes keeps everything, though the time is over."""
    user_id, upn = lost(cloud, 3)
    cloud.replayed(user_id)
    left(cloud, user_id)
    let_time_pass(cloud, user_id)
    cloud.switch(notificationsLost=1.0)
    cloud.admin.restore_user(user_id)
    sweep(cloud)

    assert cloud.shows(upn, picture(3))
    assert status(cloud, user_id) == "synced"


def test_leaver_of_whom_nobody_was_told(cloud: LiveCloud):
    """Graph lists no leaver and may tell of none: sweeps ask about everybody in turn."""
    user_id, _ = lost(cloud, 4)
    cloud.replayed(user_id)
    cloud.switch(notificationsLost=1.0)
    cloud.admin.delete_user(user_id)
    for _ in range(10):
        if status(cloud, user_id) == "left":
            break
        sweep(cloud)

    assert status(cloud, user_id) == "left"


def test_who_falls_out_of_scope_keeps_the_picture(cloud: LiveCloud):
    """A disabled account is no leaver: the state says since when, and nothing is removed."""
    user_id, upn = lost(cloud, 5)
    cloud.replayed(user_id)
    cloud.switch(notificationsLost=1.0)
    cloud.admin.change_user(user_id, {"accountEnabled": False})
    for _ in range(10):
        if status(cloud, user_id) == "skipped":
            break
        sweep(cloud)
    state = cloud.watcher.states()[user_id]

    assert (state["status"], state["reason"]) == ("skipped", "out-of-scope")
    assert state["outOfScopeSince"]
    assert cloud.shows(upn, picture(5))


def test_many_leavers_at_once_are_not_believed(cloud: LiveCloud):
    """Nobody is forgotten while too many would be; a release forgets them all."""
    people = [lost(cloud, 6)[0] for _ in range(BRAKE_USERS + 1)]
    sweep(cloud)
    urls = [str(cloud.watcher.states()[each]["pictureUrl"]) for each in people]
    for user_id in people:
        left(cloud, user_id)
        let_time_pass(cloud, user_id)
    braked = sweep(cloud)
    kept = [url for url in urls if cloud.admin.files_at(url)]
    released = cloud.console.order("sweep", releaseRemovals=True)
    cloud.watcher.until(list)

    assert (braked["removals"], braked["forgetting"]) == ("none", "braked")
    assert "None is forgotten until a person releases them" in str(braked["detail"])
    assert len(kept) == len(people)
    assert released == {"released": len(people)}
    assert [url for url in urls if cloud.admin.files_at(url)] == []
    assert set(people) & cloud.watcher.states().keys() == set()
