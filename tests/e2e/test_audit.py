"""Audits over the running stack find and repair what others changed in SharePoint."""

from __future__ import annotations

import base64

import pytest

from shared.sweeping.sweep_rules import BRAKE_USERS
from tests.e2e.cloud import LiveCloud, picture


@pytest.fixture(scope="module", autouse=True)
def calm(running_cloud: LiveCloud) -> None:
    """Repair what earlier tests changed in SharePoint."""
    running_cloud.audit()


def test_damage_is_repaired(cloud: LiveCloud):
    """Another file, an empty URL, a colleague's URL, the placeholder: all are repaired."""
    people = [cloud.copied(seed) for seed in range(5)]
    ids = [user_id for user_id, _ in people]
    stranger = base64.b64encode(picture(77)).decode()
    cloud.change(ids[0], files={f"{ids[0]}_LThumb.jpg": stranger})
    theirs = cloud.profile(ids[0])["PictureURL"]
    for user_id, edit in (
        (ids[1], {"PictureURL": ""}),
        (ids[2], {"PictureURL": theirs}),
        (ids[3], {"SPS-PicturePlaceholderState": "1"}),
    ):
        cloud.change(user_id, profile={**cloud.profile(user_id), **edit})

    log = cloud.audit()

    assert log["differ"] == 4
    for seed, (user_id, upn) in enumerate(people):
        assert cloud.shows(upn, picture(seed))
        assert cloud.profile(user_id)["PictureURL"].endswith(f"/{user_id}_MThumb.jpg")
        assert cloud.profile(user_id)["SPS-PicturePlaceholderState"] == "0"
    events = [cloud.outcomes(user_id)[-1] for user_id in ids]
    assert [each.get("reason") for each in events] == ["audit"] * 4 + ["replay"]
    assert all(state["damage"] == "" for state in cloud.watcher.states().values())


def test_reported_and_then_repaired(cloud: LiveCloud):
    """An audit that repairs nothing reports who differs; a replay of that user repairs it."""
    user_id, upn = cloud.copied(1)
    cloud.change(user_id, files={f"{user_id}_SThumb.jpg": ""})

    log = cloud.audit(repair=False)

    state = cloud.watcher.states()[user_id]
    assert (log["differ"], state["status"]) == (1, "synced")
    assert state["damage"] == "Somebody has changed or deleted a file: small."
    cloud.replayed(user_id)
    assert cloud.shows(upn, picture(1))
    assert cloud.watcher.states()[user_id]["damage"] == ""


def test_repair_brake(cloud: LiveCloud):
    """If many pictures changed at once, none is rewritten until an admin releases the repairs."""
    people = [cloud.copied(1) for _ in range(BRAKE_USERS + 1)]
    for user_id, _ in people:
        cloud.change(user_id, profile={**cloud.profile(user_id), "PictureURL": ""})

    log = cloud.audit()
    shown = [user_id for user_id, _ in people if cloud.profile(user_id)["PictureURL"]]
    released = cloud.console.order("audit", releaseRepairs=True)
    cloud.watcher.until(list)

    assert (log["repairs"], log["differ"], shown) == ("braked", len(people), [])
    assert released == {"released": len(people)}
    assert all(cloud.profile(user_id)["PictureURL"] for user_id, _ in people)


def test_timer_audits_too(cloud: LiveCloud):
    """The timer that orders sweeps also orders audits."""
    user_id, upn = cloud.copied(1)
    cloud.change(user_id, profile={**cloud.profile(user_id), "PictureURL": ""})
    cloud.console.order("audit")
    cloud.watcher.until(list)
    before = cloud.watcher.audit()["id"]
    cloud.run("sweep_timer")
    cloud.wait_for(lambda: cloud.watcher.audit()["id"] != before)
    cloud.watcher.until(list)

    assert cloud.shows(upn, picture(1))
    assert not cloud.watcher.audit()["everybody"]
