"""Every way in which a user ends without a copy, each with a sentence for the admin."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.cloud import LiveCloud, picture
from tests.e2e.test_sweep import sweep


@pytest.mark.parametrize("answer", ["404", "1x1"])
def test_no_photo(cloud: LiveCloud, answer: str):
    """A user without a photo is settled, whichever of its two answers Graph gives."""
    cloud.switch(missingPhoto=answer)
    user_id, _ = cloud.add()
    state = cloud.replayed(user_id)

    assert (state["status"], state["detail"]) == (
        "no-photo",
        "The user has no photo in Exchange.",
    )


def test_no_photo_again_costs_two_calls(cloud: LiveCloud):
    """
    A user known to have no photo is looked at with one Graph call and one blob read; if a person
    asks for it, its end is written down, too, and the order is signed.
    """
    user_id, _ = cloud.add()
    cloud.replayed(user_id)
    cloud.settled(user_id, queue=json.dumps({"userId": user_id, "reason": "notification"}))
    cloud.replayed(user_id)
    *_, told, asked = cloud.outcomes(user_id)

    assert (told["graph"], told["sharepoint"], told["blob"]) == ("1", "0", "1")
    assert (asked["graph"], asked["sharepoint"], asked["blob"]) == ("1", "0", "4")


@pytest.mark.parametrize("status", [404, 400])
@pytest.mark.parametrize("mailbox", ["none", "on-premises"])
def test_no_mailbox(cloud: LiveCloud, mailbox: str, status: int):
    """A user without a mailbox in Exchange Online is settled, whatever the status."""
    cloud.switch(mailboxStatus=status)
    user_id, _ = cloud.add(mailbox=mailbox)
    state = cloud.replayed(user_id)

    assert state["status"] == "skipped"
    assert "no mailbox in Exchange Online" in state["detail"]


@pytest.mark.parametrize(
    ("seed", "sentence"),
    [
        pytest.param({"userType": "Guest"}, "INCLUDE_GUESTS", id="guest"),
        pytest.param({"accountEnabled": False}, "disabled", id="disabled"),
        pytest.param(
            {"userPrincipalName": "excluded@contoso.com"}, "EXCLUDED_USERS", id="excluded"
        ),
    ],
)
def test_out_of_scope(cloud: LiveCloud, seed: dict[str, Any], sentence: str):
    """Guests, disabled accounts and excluded users are skipped, and SharePoint is not asked."""
    user_id, _ = cloud.add(**seed)
    cloud.seed_photo(user_id, picture(1))
    state = cloud.replayed(user_id)

    assert state["status"] == "skipped"
    assert sentence in state["detail"]
    assert {entry["service"] for entry in cloud.journal_of(user_id)} == {"graph"}


def test_unknown_user(cloud: LiveCloud):
    """An object id that Graph does not know is settled, and leaves no state behind."""
    user_id = str(uuid.uuid4())
    cloud.watcher.type_into_queue(user_id)
    cloud.wait_for(lambda: bool(cloud.outcomes(user_id)))
    [outcome] = cloud.outcomes(user_id)

    assert outcome["event"] == "skipped"
    assert user_id not in cloud.watcher.states()


@pytest.mark.parametrize(
    ("answer", "language"),
    [("odata.null", "en-US"), ("404", "nl-NL"), ("500", "de-DE"), ("500", "en-US")],
)
def test_no_profile(cloud: LiveCloud, answer: str, language: str):
    """A user without a SharePoint profile is settled, whatever SharePoint says, in any language."""
    cloud.switch(missingProfile=answer, language=language)
    user_id, _ = cloud.add(profile=None)
    cloud.seed_photo(user_id, picture(1))
    state = cloud.replayed(user_id)

    assert state["status"] == "skipped"
    assert "no profile" in state["detail"]


def test_profile_appears_later(cloud: LiveCloud):
    """Once SharePoint has made the profile, the next look copies the photo."""
    user_id, upn = cloud.add(profile=None)
    cloud.seed_photo(user_id, picture(1))
    cloud.replayed(user_id)
    cloud.admin.control("PATCH", f"/users/{user_id}", {"profile": True})
    state = cloud.replayed(user_id)

    assert state["status"] == "synced"
    assert cloud.shows(upn, picture(1))


def test_renamed_user_whom_sharepoint_learns_late(cloud: LiveCloud):
    """Until SharePoint knows the new name the user has no profile; a day later all is copied."""
    user_id, upn = cloud.add()
    cloud.seed_photo(user_id, picture(1))
    cloud.replayed(user_id)
    now = f"renamed.{upn}"
    renaming = {"userPrincipalName": now, "sharepointName": upn}
    cloud.admin.control("PATCH", f"/users/{user_id}", renaming)
    cloud.seed_photo(user_id, picture(2))
    assert cloud.replayed(user_id)["reason"] == "no-profile"

    cloud.admin.control("PATCH", f"/users/{user_id}", {"sharepointName": ""})
    cloud.watcher.skip_time(user_id, checkedAt=datetime.now(UTC) - timedelta(hours=25))
    sweep(cloud)

    assert cloud.watcher.states()[user_id]["status"] == "synced"
    assert cloud.shows(now, picture(2))


def test_name_that_was_somebody_elses(cloud: LiveCloud):
    """Who gets a renamed user's UPN gets no picture until SharePoint knows whose name it is."""
    former, upn = cloud.add()
    renaming = {"userPrincipalName": f"renamed.{upn}", "sharepointName": upn}
    cloud.admin.control("PATCH", f"/users/{former}", renaming)
    heir, _ = cloud.add(userPrincipalName=upn)
    cloud.seed_photo(heir, picture(1))
    assert "still belongs to another user" in cloud.replayed(heir)["detail"]
    assert cloud.admin.control("GET", f"/users/{former}")["profile"] == {}

    cloud.admin.control("PATCH", f"/users/{former}", {"sharepointName": ""})
    assert cloud.replayed(heir)["status"] == "synced"
    assert cloud.shows(upn, picture(1))
    assert cloud.admin.control("GET", f"/users/{former}")["profile"] == {}


OTHER = "https://fabrikam-my.sharepoint.com/"


def test_user_of_another_my_site_host(cloud: LiveCloud):
    """Nothing is written for somebody whose personal site is on another host, which is named."""
    user_id, upn = cloud.add(personalHost=OTHER)
    cloud.seed_photo(user_id, picture(1))
    state = cloud.replayed(user_id)

    assert (state["status"], state["reason"]) == ("skipped", "other-host")
    assert "fabrikam-my.sharepoint.com" in state["detail"]
    written = [e for e in cloud.journal_of(user_id) if e["method"] == "POST"]
    assert [e for e in written if e["service"] == "sharepoint"] == []
    assert cloud.admin.shown(upn).files == {}


def test_custom_picture_is_kept(cloud: LiveCloud):
    """A picture that a person set from elsewhere stays, and the state says why."""
    url = "https://contoso.example/portraits/me.jpg"
    user_id, upn = cloud.add(profile={"PictureURL": url})
    cloud.seed_photo(user_id, picture(1))
    state = cloud.replayed(user_id)

    assert state["status"] == "skipped"
    assert "CUSTOM_PICTURE=replace" in state["detail"]
    assert cloud.admin.control("GET", f"/users/{user_id}")["profile"]["PictureURL"] == url


def test_unreadable_photo(cloud: LiveCloud):
    """Bytes that are no picture fail with a plain sentence and reach no SharePoint file."""
    user_id, upn = cloud.add()
    cloud.seed_photo(user_id, b"this is not a picture, whatever its name says")
    state = cloud.replayed(user_id)

    assert state["status"] == "failed"
    assert state["lastError"]["code"] == "photo-refused"
    assert cloud.admin.shown(upn).files == {}


def test_locked_property(cloud: LiveCloud):
    """A property that an administrator locked fails, and the sentence says so."""
    cloud.switch(lockedProperties=["PictureURL"])
    user_id, _ = cloud.add()
    cloud.seed_photo(user_id, picture(1))
    state = cloud.replayed(user_id)

    assert state["status"] == "failed"
    assert "locked" in state["detail"]


@pytest.mark.parametrize(
    ("path", "role"),
    [
        pytest.param("SetSingleValueProfile|ProcessQuery", "User.ReadWrite.All", id="profile"),
        pytest.param("AddUsingPath", "Sites.Selected", id="files"),
    ],
)
def test_access_denied(cloud: LiveCloud, path: str, role: str):
    """A refusal names the role that is missing."""
    cloud.fault(service="sharepoint", path=path, fault="403", next=3)
    user_id, _ = cloud.add()
    cloud.seed_photo(user_id, picture(1))
    state = cloud.replayed(user_id)

    assert state["status"] == "failed"
    assert state["lastError"]["code"] == "access-denied"
    assert role in state["detail"]


def test_access_denied_in_dutch(cloud: LiveCloud):
    """A refusal is told by its code: with another status and in another language, too."""
    cloud.fault(
        service="sharepoint",
        path="SetSingleValueProfile|ProcessQuery",
        fault="500",
        next=3,
        code="-2147024891, System.UnauthorizedAccessException",
        message="Toegang geweigerd. U bent niet gemachtigd om deze bewerking uit te voeren.",
    )
    user_id, _ = cloud.add()
    cloud.seed_photo(user_id, picture(1))
    state = cloud.replayed(user_id)

    assert (state["status"], state["lastError"]["code"]) == ("failed", "access-denied")
    assert "User.ReadWrite.All" in state["detail"]


def test_failed_user_recovers(cloud: LiveCloud):
    """A replay after the cause is gone makes a failed user right."""
    cloud.fault(service="sharepoint", path="AddUsingPath", fault="403", next=3)
    user_id, upn = cloud.add()
    cloud.seed_photo(user_id, picture(1))
    cloud.replayed(user_id)
    state = cloud.replayed(user_id)

    assert (state["status"], state["lastError"]) == ("synced", None)
    assert cloud.shows(upn, picture(1))


def test_message_that_nobody_understands(cloud: LiveCloud):
    """An unreadable message is kept with a reason that says what to type instead."""
    before = len(cloud.watcher.unreadable())
    cloud.watcher.type_into_queue("please sync anne")
    cloud.watcher.until(lambda: [] if len(cloud.watcher.unreadable()) > before else ["kept"])
    kept = cloud.watcher.unreadable()[-1]

    assert kept["body"] == "please sync anne"
    assert "anne@contoso.com" in kept["reason"]


def test_unknown_upn_is_kept(cloud: LiveCloud):
    """A UPN that nobody has is set aside, since there is no user to record it for."""
    cloud.watcher.type_into_queue("nobody@contoso.com")
    cloud.watcher.until(
        lambda: (
            []
            if any(each["body"] == "nobody@contoso.com" for each in cloud.watcher.unreadable())
            else ["kept"]
        )
    )
