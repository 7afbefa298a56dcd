"""A photo on its way from Exchange to SharePoint, through the real engine, queues and blobs."""

from __future__ import annotations

import base64
import json

import pytest

from local.outside.watcher import PROFILE_WRITES
from tests.e2e.cloud import LiveCloud, picture


def test_changed_photo_arrives(cloud: LiveCloud):
    """A photo that changes in Exchange is shown by SharePoint in all three sizes."""
    user_id, upn = cloud.add()
    cloud.admin.put_photo(user_id, picture(1), "image/jpeg")
    assert cloud.settled(user_id)["status"] == "synced"
    shown = cloud.admin.shown(upn)

    assert cloud.shows(upn, picture(1))
    assert shown.profile["SPS-PicturePlaceholderState"] == "0"
    assert shown.profile["SPS-PictureExchangeSyncState"] == "1"
    assert shown.profile["PictureURL"].endswith(f"/Profile%20Pictures/{user_id}_MThumb.jpg")


def test_notification_in_chunks_is_refused(cloud: LiveCloud):
    """The host hands over no body that has no length, so Graph hears 400, and a sweep finds it."""
    user_id, _ = cloud.add()
    body = json.dumps({"value": [cloud.item(user_id)]}).encode()

    assert cloud.call("POST", cloud.webhook, data=iter([body])).status_code == 400
    assert cloud.call("POST", cloud.webhook, data=body).status_code == 202


@pytest.mark.parametrize("form", ["chunked", "gzip"])
def test_answers_in_every_form(cloud: LiveCloud, form: str):
    """Bodies without a length and compressed ones are read as any others."""
    cloud.switch(answers=form)
    user_id, upn = cloud.add()
    cloud.seed_photo(user_id, picture(1))
    cloud.replayed(user_id)

    assert cloud.shows(upn, picture(1))


def test_every_copy_moves_the_timestamp(cloud: LiveCloud):
    """Browsers see a new picture, because the timestamp grows with every copy."""
    user_id, upn = cloud.add()
    stamps = []
    for seed in (1, 2):
        cloud.seed_photo(user_id, picture(seed))
        cloud.replayed(user_id)
        stamps.append(int(cloud.admin.shown(upn).profile["SPS-PictureTimestamp"]))

    assert cloud.shows(upn, picture(2))
    assert stamps[0] < stamps[1]


def test_notification_about_something_else_costs_two_calls(cloud: LiveCloud):
    """When another property changed, one Graph call and one blob read settle the matter."""
    user_id, _ = cloud.add()
    cloud.seed_photo(user_id, picture(1))
    cloud.replayed(user_id)
    before = len(cloud.outcomes(user_id))
    last = cloud.watcher.journal()[-1]["n"]
    cloud.admin.change_user(user_id, {"jobTitle": "Head of Research"})
    cloud.watcher.until(lambda: [] if len(cloud.outcomes(user_id)) > before else ["no run"])
    run = cloud.outcomes(user_id)[-1]

    assert run["event"] == "unchanged"
    assert [entry["service"] for entry in cloud.journal_of(user_id, last)] == ["graph"]
    assert run["blob"] == "1"


def test_known_user_costs_no_more_than_the_design_allows(cloud: LiveCloud):
    """
    A changed photo of a known user: two Graph calls, three uploads, two profile calls; three calls
    to storage, and two more to sign what was typed into the queue.
    """
    user_id, _ = cloud.add()
    for seed in (1, 2):
        last = cloud.watcher.journal()[-1]["n"]
        cloud.seed_photo(user_id, picture(seed))
        cloud.replayed(user_id)
    services = [entry["service"] for entry in cloud.journal_of(user_id, last)]

    assert services.count("graph") == 2
    assert services.count("sharepoint") == 5
    assert cloud.outcomes(user_id)[-1]["blob"] == "5"


@pytest.mark.parametrize(("csom", "calls"), [("served", 2), ("refused", 6)])
def test_first_copy_sets_all_properties_at_once(cloud: LiveCloud, csom: str, calls: int):
    """
    A first copy makes two profile calls. Where an app may not use ProcessQuery the picture arrives
    all the same: one call that is refused, and one a property.
    """
    cloud.switch(csom=csom)
    user_id, upn = cloud.add()
    last = cloud.watcher.journal()[-1]["n"]
    cloud.seed_photo(user_id, picture(4))
    cloud.replayed(user_id)
    people = [
        entry
        for entry in cloud.journal_of(user_id, last)
        if entry["path"].endswith(PROFILE_WRITES) or "GetPropertiesFor" in entry["path"]
    ]

    assert len(people) == calls
    assert cloud.shows(upn, picture(4))
    assert int(cloud.admin.shown(upn).profile["SPS-PictureTimestamp"]) > 0


def test_same_bytes_again_write_nothing(cloud: LiveCloud):
    """An upload of identical bytes has a new etag and touches nothing in SharePoint."""
    user_id, _ = cloud.add()
    cloud.seed_photo(user_id, picture(1))
    first = cloud.replayed(user_id)
    last = cloud.watcher.journal()[-1]["n"]
    cloud.seed_photo(user_id, picture(1))
    again = cloud.replayed(user_id)

    assert again["sourceEtag"] != first["sourceEtag"]
    asked = [e["method"] for e in cloud.journal_of(user_id, last) if e["service"] == "sharepoint"]
    # A typed id is a replay: it looks at profile and files.
    assert asked == ["GET"] * 4


def test_names_from_before_2022_are_kept(cloud: LiveCloud):
    """Files that are named by UPN are overwritten where they are."""
    upn = "bert.x@contoso.com"
    folder = f"{cloud.at.sharepoint_my}/User%20Photos/Profile%20Pictures"
    url = f"{folder}/bert_x_contoso_com_MThumb.jpg"
    user_id, _ = cloud.add(userPrincipalName=upn, profile={"PictureURL": url})
    cloud.seed_photo(user_id, picture(3))
    cloud.replayed(user_id)

    assert cloud.admin.shown(upn).profile["PictureURL"] == url
    assert cloud.shows(upn, picture(3))


def test_nobody_overwrites_a_colleague(cloud: LiveCloud):
    """A PictureURL that points at somebody else's files never gets them overwritten."""
    victim, victim_upn = cloud.add()
    cloud.seed_photo(victim, picture(1))
    cloud.replayed(victim)
    url = cloud.admin.shown(victim_upn).profile["PictureURL"]
    attacker, attacker_upn = cloud.add(profile={"PictureURL": url})
    cloud.seed_photo(attacker, picture(2))
    cloud.replayed(attacker)

    assert cloud.shows(victim_upn, picture(1))
    assert cloud.shows(attacker_upn, picture(2))


def test_localized_folder_is_found(cloud: LiveCloud):
    """The picture folder may have another name, as on a German My Site host."""
    cloud.switch(pictureFolder="Profilbilder")
    url = f"{cloud.at.sharepoint_my}/User%20Photos/Profilbilder/anna_contoso_com_MThumb.jpg"
    user_id, upn = cloud.add(userPrincipalName="anna@contoso.com", profile={"PictureURL": url})
    cloud.seed_photo(user_id, picture(4))
    cloud.replayed(user_id)

    assert cloud.shows(upn, picture(4))


@pytest.mark.parametrize("form", ["bare", "json", "base64"])
def test_every_way_to_type_a_replay(cloud: LiveCloud, form: str):
    """An admin may type a UPN, JSON, or let a tool encode either in base64."""
    user_id, upn = cloud.add(userPrincipalName=f"o'neill+{form}@contoso.com")
    cloud.seed_photo(user_id, picture(5))
    typed = {
        "bare": upn,
        "json": json.dumps({"userId": upn}),
        "base64": base64.b64encode(upn.encode()).decode(),
    }
    cloud.settled(user_id, queue=typed[form])

    assert cloud.shows(upn, picture(5))


def test_forced_replay_writes_although_nothing_changed(cloud: LiveCloud):
    """With force, a picture that somebody broke in SharePoint is made right again."""
    user_id, upn = cloud.add()
    cloud.seed_photo(user_id, picture(1))
    cloud.replayed(user_id)
    broken = base64.b64encode(picture(2)).decode()
    files = {f"{user_id}_{size}Thumb.jpg": broken for size in "SML"}
    cloud.admin.control("PATCH", f"/users/{user_id}", {"files": files})
    cloud.settled(user_id, queue=json.dumps({"userId": user_id, "force": True}))

    assert cloud.shows(upn, picture(1))


def test_identical_notifications_become_one_message(cloud: LiveCloud):
    """Several items about one user in a POST are looked at once."""
    user_id, _ = cloud.add()
    cloud.seed_photo(user_id, picture(1))
    reply = cloud.notify([cloud.item(user_id)] * 5)
    cloud.settled(user_id)

    assert reply.status_code == 202
    assert len(cloud.outcomes(user_id)) == 1


def test_forged_notifications_have_no_effect(cloud: LiveCloud):
    """Whoever does not know clientState is answered 202 and nothing happens."""
    user_id, _ = cloud.add()
    forged = [
        cloud.item(user_id, clientState="guess"),
        cloud.item(user_id, clientState=None),
        cloud.item(user_id, tenantId="11111111-1111-1111-1111-111111111111"),
    ]
    last = cloud.watcher.journal()[-1]["n"]
    assert [cloud.notify([item]).status_code for item in forged] == [202, 202, 202]
    cloud.watcher.until(list)

    assert cloud.journal_of(user_id, last) == []
    assert user_id not in cloud.watcher.states()


def test_replay_sees_what_became_of_the_profile(cloud: LiveCloud):
    """A replay puts a profile right that somebody else has blanked, though no photo changed."""
    user_id, upn = cloud.add()
    cloud.seed_photo(user_id, picture(6))
    cloud.replayed(user_id)
    blank = {"PictureURL": "", "SPS-PicturePlaceholderState": "1"}
    cloud.admin.control("PATCH", f"/users/{user_id}", {"profile": blank})
    cloud.replayed(user_id)

    assert cloud.shows(upn, picture(6))
    assert cloud.admin.shown(upn).profile["SPS-PicturePlaceholderState"] == "0"
