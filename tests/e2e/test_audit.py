"""Audits over the running stack: what strangers did to SharePoint is found and repaired."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from shared.sweeping.sweep_rules import BRAKE_USERS
from tests.e2e.cloud import LiveCloud, picture


def audit(cloud: LiveCloud, *, repair: bool = True) -> dict[str, Any]:
    """A whole audit and all the runs it causes; what its log says in the end."""
    ordered = cloud.console.order("audit", repair=repair)["audit"]["id"]

    def running() -> list[str]:
        log = cloud.watcher.audit()
        ended = log.get("id") == ordered and log.get("status") != "running"
        return [] if ended else [f"audit {log}"]

    cloud.watcher.until(running)
    return cloud.watcher.audit()


@pytest.fixture(scope="module", autouse=True)
def calm(running_cloud: LiveCloud) -> None:
    """Whatever tests before these have done to SharePoint is found and settled."""
    audit(running_cloud)


def synced(cloud: LiveCloud, seed: int) -> tuple[str, str]:
    user_id, upn = cloud.add()
    cloud.seed_photo(user_id, picture(seed))
    cloud.replayed(user_id)
    return user_id, upn


def change(cloud: LiveCloud, user_id: str, **fields: Any) -> None:
    """What somebody does in SharePoint, of which nobody is told."""
    cloud.admin.control("PATCH", f"/users/{user_id}", fields)


def profile(cloud: LiveCloud, user_id: str) -> dict[str, str]:
    return dict(cloud.admin.control("GET", f"/users/{user_id}")["profile"])


def test_damage_is_repaired(cloud: LiveCloud):
    """A strange file, a lost address, a colleague's, the placeholder: all are right again."""
    people = [synced(cloud, seed) for seed in range(5)]
    ids = [user_id for user_id, _ in people]
    stranger = base64.b64encode(picture(77)).decode()
    change(cloud, ids[0], files={f"{ids[0]}_LThumb.jpg": stranger})
    change(cloud, ids[1], profile={**profile(cloud, ids[1]), "PictureURL": ""})
    theirs = profile(cloud, ids[0])["PictureURL"]
    change(cloud, ids[2], profile={**profile(cloud, ids[2]), "PictureURL": theirs})
    hidden = {**profile(cloud, ids[3]), "SPS-PicturePlaceholderState": "1"}
    change(cloud, ids[3], profile=hidden)

    log = audit(cloud)

    assert log["differ"] == 4
    for seed, (user_id, upn) in enumerate(people):
        assert cloud.shows(upn, picture(seed))
        assert profile(cloud, user_id)["PictureURL"].endswith(f"/{user_id}_MThumb.jpg")
        assert profile(cloud, user_id)["SPS-PicturePlaceholderState"] == "0"
    events = [cloud.outcomes(user_id)[-1] for user_id in ids]
    assert [each.get("reason") for each in events] == ["audit"] * 4 + ["replay"]
    assert all(state["damage"] == "" for state in cloud.watcher.states().values())


def test_unharmed_users_cost_four_calls(cloud: LiveCloud):
    """Profile and three files: no byte is read, nothing is written, and no run begins."""
    user_id, _ = synced(cloud, 1)
    before = cloud.watcher.states()[user_id]
    seen = cloud.watcher.journal()[-1]["n"]

    audit(cloud)

    paths = [entry["path"] for entry in cloud.journal_of(user_id, seen)]
    assert len(paths) == 4
    assert not any("$value" in path for path in paths)
    assert cloud.watcher.states()[user_id] == before


def test_etags_that_move_by_themselves(cloud: LiveCloud):
    """They cost the bytes of three files once, and repair nothing."""
    cloud.switch(etagsMove=True)
    try:
        user_id, _ = synced(cloud, 1)
        told = cloud.watcher.states()[user_id]["files"]
        runs = len(cloud.outcomes(user_id))
        reads = []
        for _ in range(2):
            seen = cloud.watcher.journal()[-1]["n"]
            assert audit(cloud)["differ"] == 0
            paths = [entry["path"] for entry in cloud.journal_of(user_id, seen)]
            reads.append(sum("$value" in path for path in paths))
    finally:
        cloud.switch(etagsMove=False)

    assert reads == [3, 0]
    assert cloud.watcher.states()[user_id]["files"] != told
    assert len(cloud.outcomes(user_id)) == runs


def test_reported_and_then_repaired(cloud: LiveCloud):
    """An audit that only looks says who differs; a replay of that person repairs it."""
    user_id, upn = synced(cloud, 1)
    change(cloud, user_id, files={f"{user_id}_SThumb.jpg": ""})

    log = audit(cloud, repair=False)

    state = cloud.watcher.states()[user_id]
    assert (log["differ"], state["status"]) == (1, "synced")
    assert state["damage"] == "Somebody has changed or deleted a file: small."
    cloud.replayed(user_id)
    assert cloud.shows(upn, picture(1))
    assert cloud.watcher.states()[user_id]["damage"] == ""


def test_chosen_picture_is_kept(cloud: LiveCloud):
    """A picture that a person has chosen is no damage; the state says that it is kept."""
    user_id, _ = synced(cloud, 1)
    chosen = "https://cdn.contoso.com/anne.jpg"
    change(cloud, user_id, profile={**profile(cloud, user_id), "PictureURL": chosen})

    log = audit(cloud)

    assert (log["differ"], log["unclear"]) == (0, 1)
    assert profile(cloud, user_id)["PictureURL"] == chosen
    assert cloud.watcher.states()[user_id]["reason"] == "picture-kept"


def test_import_is_not_fought(cloud: LiveCloud):
    """When something changes many pictures at once none is rewritten, until a person says so."""
    people = [synced(cloud, 1) for _ in range(BRAKE_USERS + 1)]
    for user_id, _ in people:
        change(cloud, user_id, profile={**profile(cloud, user_id), "PictureURL": ""})

    log = audit(cloud)
    shown = [user_id for user_id, _ in people if profile(cloud, user_id)["PictureURL"]]
    released = cloud.console.order("audit", releaseRepairs=True)
    cloud.watcher.until(list)

    assert (log["repairs"], log["differ"], shown) == ("braked", len(people), [])
    assert released == {"released": len(people)}
    assert all(profile(cloud, user_id)["PictureURL"] for user_id, _ in people)


def test_timer_audits_too(cloud: LiveCloud):
    """The timer that orders sweeps orders audits: nobody has to think of it."""
    user_id, upn = synced(cloud, 1)
    change(cloud, user_id, profile={**profile(cloud, user_id), "PictureURL": ""})
    cloud.console.order("audit")
    cloud.watcher.until(list)
    before = cloud.watcher.audit()["id"]
    cloud.run("sweep_timer")
    cloud.wait_for(lambda: cloud.watcher.audit()["id"] != before)
    cloud.watcher.until(list)

    assert cloud.shows(upn, picture(1))
    assert not cloud.watcher.audit()["everybody"]
