"""Sweeps over the running stack: what no notification told is found, and a photo that is gone."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.cloud.stack import Stack
from tests.e2e.cloud import LiveCloud, picture
from tests.e2e.conftest import NEVER


def sweep(cloud: LiveCloud) -> dict[str, object]:
    """A whole sweep and all the runs it causes; what its log says in the end."""
    before = cloud.watcher.sweep().get("id")
    cloud.watcher.type_into_queue("sweep", "photo-upkeep")

    def running() -> list[str]:
        log = cloud.watcher.sweep()
        ended = log.get("id") != before and log.get("status") != "running"
        return [] if ended else [f"sweep {log}"]

    cloud.watcher.until(running)
    return cloud.watcher.sweep()


def lost(cloud: LiveCloud, seed: int) -> tuple[str, str]:
    """A user with a photo of which nobody was told."""
    user_id, upn = cloud.add()
    cloud.seed_photo(user_id, picture(seed))
    return user_id, upn


def test_users_who_never_did_anything_get_their_picture(cloud: LiveCloud):
    """The first run fills SharePoint, and the next sweep finds nothing more to do for them."""
    people = [lost(cloud, seed) for seed in (1, 2, 3)]
    log = sweep(cloud)
    runs = {user_id: len(cloud.outcomes(user_id)) for user_id, _ in people}
    sweep(cloud)

    assert log["status"] == "finished"
    for seed, (_, upn) in enumerate(people, start=1):
        assert cloud.shows(upn, picture(seed))
    assert {user_id: len(cloud.outcomes(user_id)) for user_id, _ in people} == runs


def test_lost_notification_is_made_good(cloud: LiveCloud):
    """A change that raised no notification is found, also a change back."""
    user_id, upn = lost(cloud, 1)
    for seed in (1, 2, 1):
        cloud.seed_photo(user_id, picture(seed))
        sweep(cloud)
        assert cloud.shows(upn, picture(seed))


def test_page_delivered_twice_starts_no_second_chain(cloud: LiveCloud):
    """A page that comes again, and one of a sweep nobody knows, change nothing."""
    log = sweep(cloud)
    for sweep_id in (log["id"], "20260101T000000-unknown"):
        page = {"kind": "sweep-page", "sweepId": sweep_id, "page": 1}
        cloud.watcher.type_into_queue(json.dumps(page), "photo-upkeep")
    cloud.watcher.until(list)

    assert cloud.watcher.sweep() == log


def test_list_without_end_ends_the_sweep(cloud: LiveCloud):
    """Whoever is listed is served, the sweep says what is wrong, and the next one is sound."""
    user_id, upn = lost(cloud, 7)
    gone_id, gone_upn = lost(cloud, 8)
    cloud.replayed(gone_id)
    cloud.admin.control("PATCH", f"/users/{gone_id}", {"photo": None})
    sweep(cloud)
    cloud.watcher.skip_time(gone_id, missingSince=datetime.now(UTC) - timedelta(minutes=11))
    cloud.switch(listPages="circle")
    cloud.seed_photo(user_id, picture(9))
    log = sweep(cloud)

    assert (log["status"], log["removals"]) == ("failed", "none")
    assert "would never end" in str(log["detail"])
    assert cloud.shows(upn, picture(9))
    assert cloud.shows(gone_upn, picture(8))

    cloud.switch(listPages="full")
    assert sweep(cloud)["status"] == "finished"
    assert not cloud.admin.shown(gone_upn).files


def test_photo_that_is_gone_takes_the_picture_along_at_the_second_look(cloud: LiveCloud):
    """One look is not enough; ten minutes later a sweep removes the picture."""
    user_id, upn = lost(cloud, 1)
    cloud.replayed(user_id)
    cloud.admin.control("PATCH", f"/users/{user_id}", {"photo": None})
    for _ in range(2):
        sweep(cloud)
        assert cloud.shows(upn, picture(1))
    cloud.watcher.skip_time(user_id, missingSince=datetime.now(UTC) - timedelta(minutes=11))
    sweep(cloud)

    assert cloud.watcher.states()[user_id]["status"] == "removed"
    assert not cloud.admin.shown(upn).files


ODD: list[dict[str, str]] = [
    {"fault": "403", "code": "ErrorAccessDenied"},
    {"fault": "504"},
    {"fault": "404", "code": "SomethingNew"},
    {"fault": "404", "code": "ResourceNotFound"},
    {"fault": "429", "code": "ApplicationThrottled", "message": "Over MailboxConcurrency."},
]


@pytest.fixture
def thousand(tmp_path: Path) -> Iterator[LiveCloud]:
    """A tenant of its own."""
    with Stack(tmp_path, settings={"SWEEP_SCHEDULE": NEVER, "RENEW_SCHEDULE": NEVER}) as stack:
        yield LiveCloud(stack)


def test_ten_mailboxes_are_nobody_elses_trouble(thousand: LiveCloud):
    """
    Of a thousand users ten cannot be asked about, for ever, in several ways.

    They keep their pictures and are named, each with the reason; everybody else gets theirs.
    """
    seeds: list[dict[str, Any]] = [
        {"userPrincipalName": f"user{number}@contoso.com"} for number in range(1000)
    ]
    for number in range(0, 1000, 10):
        seeds[number]["photo"] = base64.b64encode(picture(number)).decode()
    ids = thousand.admin.control("POST", "/users", seeds)["ids"]
    thousand.subscribe()
    odd = {}
    for number, fault in zip(range(0, 100, 10), 2 * ODD, strict=True):
        odd[ids[number]] = fault
        path = f"/users/{ids[number]}/photo$"
        thousand.fault(service="graph", path=path, next=1_000_000, **fault)
    for number in range(0, 1000, 10):
        thousand.seed_photo(ids[number], picture(number + 1))
    log = sweep(thousand)
    states = thousand.watcher.states()

    assert (log["status"], log["users"]) == ("finished", 1000)
    assert {each for each in odd if states[each]["status"] in {"failed", "skipped"}} == set(odd)
    assert all(states[each]["reason"] and states[each]["detail"] for each in odd)
    for number in range(0, 1000, 10):
        shown = picture(number if ids[number] in odd else number + 1)
        assert thousand.shows(f"user{number}@contoso.com", shown), number
    thousand.admin.control("DELETE", "/faults")
    sweep(thousand)

    states = thousand.watcher.states()
    assert {states[each]["status"] for each in odd} == {"synced"}
