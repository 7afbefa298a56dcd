"""A photo on its way from Exchange to SharePoint, through the real engine, queues and blobs."""

from __future__ import annotations

import pytest

from local.outside.watcher import PROFILE_WRITES
from tests.e2e.cloud import LiveCloud, picture


def test_changed_photo_is_copied(cloud: LiveCloud):
    """A photo changed in Exchange appears in SharePoint in all three sizes."""
    user_id, upn = cloud.add()
    cloud.admin.put_photo(user_id, picture(1), "image/jpeg")
    assert cloud.settled(user_id)["status"] == "synced"
    shown = cloud.admin.shown(upn)

    assert cloud.shows(upn, picture(1))
    assert shown.profile["SPS-PicturePlaceholderState"] == "0"
    assert shown.profile["SPS-PictureExchangeSyncState"] == "1"
    assert shown.profile["PictureURL"].endswith(f"/Profile%20Pictures/{user_id}_MThumb.jpg")


@pytest.mark.parametrize("form", ["chunked", "gzip"])
def test_transfer_encodings(cloud: LiveCloud, form: str):
    """Chunked and compressed responses are read like any others."""
    cloud.switch(answers=form)
    _, upn = cloud.copied(1)

    assert cloud.shows(upn, picture(1))


def test_notification_about_another_property_costs_two_calls(cloud: LiveCloud):
    """If the photo is unchanged, a notification costs one Graph call and one blob read."""
    user_id, _ = cloud.copied(1)
    before, last = len(cloud.outcomes(user_id)), cloud.last_entry()
    cloud.admin.change_user(user_id, {"jobTitle": "Head of Research"})
    cloud.watcher.until(lambda: [] if len(cloud.outcomes(user_id)) > before else ["no run"])
    run = cloud.outcomes(user_id)[-1]

    assert run["event"] == "unchanged"
    assert [entry["service"] for entry in cloud.journal_of(user_id, last)] == ["graph"]
    assert run["blob"] == "1"


def test_calls_for_a_known_user(cloud: LiveCloud):
    """
    A changed photo of a known user: three Graph calls, three uploads and two profile calls; three
    storage calls, and two more to record the order that was typed into the queue.
    """
    user_id, _ = cloud.copied(1)
    last = cloud.last_entry()
    cloud.seed_photo(user_id, picture(2))
    cloud.replayed(user_id)
    services = [entry["service"] for entry in cloud.journal_of(user_id, last)]

    assert services.count("graph") == 3
    assert services.count("sharepoint") == 5
    assert cloud.outcomes(user_id)[-1]["blob"] == "5"


@pytest.mark.parametrize(("csom", "calls"), [("served", 2), ("refused", 6)])
def test_first_copy_sets_all_properties_at_once(cloud: LiveCloud, csom: str, calls: int):
    """
    A first copy makes two profile calls. If the app may not use ProcessQuery, the picture is copied
    with the refused call and one call for each property.
    """
    cloud.switch(csom=csom)
    last = cloud.last_entry()
    user_id, upn = cloud.copied(4)
    profile_calls = [
        entry
        for entry in cloud.journal_of(user_id, last)
        if entry["path"].endswith(PROFILE_WRITES) or "GetPropertiesFor" in entry["path"]
    ]

    assert len(profile_calls) == calls
    assert cloud.shows(upn, picture(4))
    assert int(cloud.admin.shown(upn).profile["SPS-PictureTimestamp"]) > 0


def test_forged_notifications_have_no_effect(cloud: LiveCloud):
    """A notification with a wrong clientState or tenant is answered 202, and nothing happens."""
    user_id, _ = cloud.add()
    forged = [
        cloud.item(user_id, clientState="guess"),
        cloud.item(user_id, clientState=None),
        cloud.item(user_id, tenantId="11111111-1111-1111-1111-111111111111"),
    ]
    last = cloud.last_entry()
    assert [cloud.notify([item]).status_code for item in forged] == [202, 202, 202]
    cloud.watcher.until(list)

    assert cloud.journal_of(user_id, last) == []
    assert user_id not in cloud.watcher.states()
