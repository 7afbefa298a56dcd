"""Every way in which a user ends without a copy, each with a sentence for the admin."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.cloud import LiveCloud, picture

PROFILES = "SetSingleValueProfile|ProcessQuery"


@pytest.mark.parametrize(
    ("switches", "user", "status", "words"),
    [
        ({"missingPhoto": "404"}, {"photo": None}, "no-photo", "has no photo in Exchange"),
        ({"missingPhoto": "1x1"}, {"photo": None}, "no-photo", "has no photo in Exchange"),
        ({"mailboxStatus": 404}, {"mailbox": "none"}, "skipped", "no mailbox in Exchange Online"),
        ({"mailboxStatus": 400}, {"mailbox": "on-premises"}, "skipped", "no mailbox in Exchange"),
        ({}, {"userType": "Guest"}, "skipped", "INCLUDE_GUESTS"),
        ({}, {"accountEnabled": False}, "skipped", "disabled"),
        ({}, {"userPrincipalName": "excluded@contoso.com"}, "skipped", "EXCLUDED_USERS"),
    ],
)
def test_nothing_to_copy(
    cloud: LiveCloud, switches: dict[str, Any], user: dict[str, Any], status: str, words: str
):
    """Without photo, without mailbox or out of scope: the run ends, and never calls SharePoint."""
    cloud.switch(**switches)
    user_id, _ = cloud.add(**user)
    if "photo" not in user and "mailbox" not in user:
        cloud.seed_photo(user_id, picture(1))
    state = cloud.replayed(user_id)

    assert state["status"] == status
    assert words in state["detail"]
    assert {entry["service"] for entry in cloud.journal_of(user_id)} == {"graph"}


@pytest.mark.parametrize(
    ("answer", "language"),
    [("odata.null", "en-US"), ("404", "nl-NL"), ("500", "de-DE"), ("500", "en-US")],
)
def test_no_profile(cloud: LiveCloud, answer: str, language: str):
    """A missing SharePoint profile is recognised in every form and language of the answer."""
    cloud.switch(missingProfile=answer, language=language)
    user_id, _ = cloud.add_unnotified(1, profile=None)
    state = cloud.replayed(user_id)

    assert state["status"] == "skipped"
    assert "no profile" in state["detail"]


def test_renamed_user_whose_profile_is_renamed_later(cloud: LiveCloud):
    """Until SharePoint knows the new UPN there is no profile; a sweep a day later copies."""
    user_id, upn = cloud.copied(1)
    now = f"renamed.{upn}"
    cloud.change(user_id, userPrincipalName=now, sharepointName=upn)
    cloud.seed_photo(user_id, picture(2))
    assert cloud.replayed(user_id)["reason"] == "no-profile"

    cloud.change(user_id, sharepointName="")
    cloud.age(user_id, "checkedAt", hours=25)
    cloud.sweep()

    assert cloud.status(user_id) == "synced"
    assert cloud.shows(now, picture(2))


def test_upn_of_a_renamed_user_is_reused(cloud: LiveCloud):
    """The UPN's new owner gets no picture while SharePoint still has the former owner's profile."""
    former, upn = cloud.add()
    cloud.change(former, userPrincipalName=f"renamed.{upn}", sharepointName=upn)
    heir, _ = cloud.add_unnotified(1, userPrincipalName=upn)
    assert "still belongs to another user" in cloud.replayed(heir)["detail"]
    assert cloud.profile(former) == {}

    cloud.change(former, sharepointName="")
    assert cloud.replayed(heir)["status"] == "synced"
    assert cloud.shows(upn, picture(1))
    assert cloud.profile(former) == {}


def test_unreadable_photo(cloud: LiveCloud):
    """Bytes that are not an image fail with a sentence, and no file is written."""
    user_id, upn = cloud.add()
    cloud.seed_photo(user_id, b"this is not a picture, whatever its name says")
    state = cloud.replayed(user_id)

    assert state["status"] == "failed"
    assert state["lastError"]["code"] == "photo-refused"
    assert cloud.admin.shown(upn).files == {}


def test_locked_property(cloud: LiveCloud):
    """If an administrator has locked the property, the run fails and the sentence says so."""
    cloud.switch(lockedProperties=["PictureURL"])
    user_id, _ = cloud.add_unnotified(1)
    state = cloud.replayed(user_id)

    assert state["status"] == "failed"
    assert "locked" in state["detail"]


@pytest.mark.parametrize(
    ("fault", "role"),
    [
        ({"path": PROFILES, "fault": "403"}, "User.ReadWrite.All"),
        ({"path": "AddUsingPath", "fault": "403"}, "Sites.Selected"),
        (
            {
                "path": PROFILES,
                "fault": "500",
                "code": "-2147024891, System.UnauthorizedAccessException",
                "message": "Toegang geweigerd. U bent niet gemachtigd om deze bewerking uit te "
                "voeren.",
            },
            "User.ReadWrite.All",
        ),
    ],
    ids=["profile", "files", "profile, 500 in Dutch"],
)
def test_access_denied(cloud: LiveCloud, fault: dict[str, str], role: str):
    """A refusal names the missing role, whatever its status and language; a replay recovers."""
    cloud.fault(service="sharepoint", next=3, **fault)
    user_id, upn = cloud.add_unnotified(1)
    state = cloud.replayed(user_id)

    assert (state["status"], state["lastError"]["code"]) == ("failed", "access-denied")
    assert role in state["detail"]
    cloud.admin.control("DELETE", "/faults")
    state = cloud.replayed(user_id)
    assert (state["status"], state["lastError"]) == ("synced", None)
    assert cloud.shows(upn, picture(1))


@pytest.mark.parametrize(
    ("text", "words"),
    [("please sync anne", "anne@contoso.com"), ("nobody@contoso.com", "no such user")],
)
def test_message_about_no_user(cloud: LiveCloud, text: str, words: str):
    """A message that names no user is kept, with a reason that says why or what to type instead."""

    def kept() -> list[str]:
        return [each["reason"] for each in cloud.watcher.unreadable() if each["body"] == text]

    cloud.watcher.type_into_queue(text)
    cloud.watcher.until(lambda: [] if kept() else ["kept"])

    assert words in kept()[-1]
