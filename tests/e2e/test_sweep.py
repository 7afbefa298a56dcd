"""Sweeps over the running stack find changes without a notification, and missing photos."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from shared.sweeping.sweep_rules import BRAKE_USERS
from tests.e2e.cloud import LiveCloud, picture, quiet_cloud


def test_first_fill(cloud: LiveCloud):
    """A sweep copies photos that never changed, and the next one finds nothing more to do."""
    people = [cloud.add_unnotified(seed) for seed in (1, 2, 3)]
    log = cloud.sweep()
    runs = {user_id: len(cloud.outcomes(user_id)) for user_id, _ in people}
    cloud.sweep()

    assert log["status"] == "finished"
    for seed, (_, upn) in enumerate(people, start=1):
        assert cloud.shows(upn, picture(seed))
    assert {user_id: len(cloud.outcomes(user_id)) for user_id, _ in people} == runs


def test_lost_notification(cloud: LiveCloud):
    """A change without a notification is found, and so is a change back."""
    user_id, upn = cloud.add()
    for seed in (1, 2, 1):
        cloud.seed_photo(user_id, picture(seed))
        cloud.sweep()
        assert cloud.shows(upn, picture(seed))


def test_endless_user_list(cloud: LiveCloud):
    """The sweep copies for all listed users, removes nothing and fails; the next one succeeds."""
    user_id, upn = cloud.add_unnotified(7)
    gone_id, gone_upn = cloud.copied(8)
    cloud.change(gone_id, photo=None)
    cloud.sweep()
    cloud.age(gone_id, "missingSince", minutes=11)
    cloud.switch(listPages="circle")
    cloud.seed_photo(user_id, picture(9))
    log = cloud.sweep()

    assert (log["status"], log["removals"]) == ("failed", "none")
    assert "would never end" in str(log["detail"])
    assert cloud.shows(upn, picture(9))
    assert cloud.shows(gone_upn, picture(8))

    cloud.switch(listPages="full")
    assert cloud.sweep()["status"] == "finished"
    assert not cloud.admin.shown(gone_upn).files


def test_many_photos_missing_at_once(cloud: LiveCloud):
    """
    The brake: an outage of the source must never remove a whole tenant's pictures. If too many
    photos are missing, no picture is removed; a release removes them all.
    """
    people = [cloud.add_unnotified(1) for _ in range(BRAKE_USERS + 1)]
    cloud.sweep()
    for user_id, _ in people:
        cloud.change(user_id, photo=None)
    cloud.sweep()
    for user_id, _ in people:
        cloud.age(user_id, "missingSince", minutes=11)
    braked = cloud.sweep()
    kept = [upn for _, upn in people if cloud.admin.shown(upn).files]
    released = cloud.console.order("sweep", releaseRemovals=True)
    cloud.watcher.until(list)
    left = [upn for _, upn in people if cloud.admin.shown(upn).files]

    assert braked["removals"] == "braked"
    assert "None is removed until a person releases the removals" in str(braked["detail"])
    assert (len(kept), left) == (len(people), [])
    assert released == {"released": len(people)}


ODD: list[dict[str, str]] = [
    {"fault": "403", "code": "ErrorAccessDenied"},
    {"fault": "504"},
    {"fault": "404", "code": "SomethingNew"},
    {"fault": "404", "code": "ResourceNotFound"},
    {"fault": "429", "code": "ApplicationThrottled", "message": "Over MailboxConcurrency."},
]


@pytest.mark.server
def test_faulty_mailboxes_affect_no_other_user(tmp_path: Path):
    """
    Ten of 1,000 users have mailboxes that fail permanently, in several ways.

    They keep their pictures, and each state gives the reason; all other users get their pictures.
    """
    with quiet_cloud(tmp_path) as cloud:
        seeds: list[dict[str, Any]] = [
            {"userPrincipalName": f"user{number}@contoso.com"} for number in range(1000)
        ]
        with_photo = range(0, 1000, 40)
        for number in with_photo:
            seeds[number]["photo"] = base64.b64encode(picture(number)).decode()
        ids = cloud.admin.control("POST", "/users", seeds)["ids"]
        cloud.subscribe()
        odd = dict(zip([ids[number] for number in with_photo], 2 * ODD, strict=False))
        for user_id, fault in odd.items():
            path = f"/users/{user_id}/photo$"
            cloud.fault(service="graph", path=path, next=1_000_000, **fault)
        for number in with_photo:
            cloud.seed_photo(ids[number], picture(number + 1))
        log = cloud.sweep()
        states = cloud.watcher.states()

        assert (log["status"], log["users"]) == ("finished", 1000)
        assert {each for each in odd if states[each]["status"] in {"failed", "skipped"}} == set(odd)
        assert all(states[each]["reason"] and states[each]["detail"] for each in odd)
        for number in with_photo:
            shown = picture(number if ids[number] in odd else number + 1)
            assert cloud.shows(f"user{number}@contoso.com", shown), number
        cloud.admin.control("DELETE", "/faults")
        cloud.sweep()

        assert {cloud.status(each) for each in odd} == {"synced"}
