"""Taking back what PhotoSync wrote of somebody who has left: all of it, and nobody else's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.errors import Throttled
from tests.doubles.claims import covered
from tests.doubles.web import Answer
from tests.shared.sharepoint.publishing_desk import (
    ANNE,
    COLLEAGUE,
    ELSEWHERE,
    ID,
    LIBRARY,
    OWN_URL,
    SYNCED,
    Desk,
    files_of,
)

BY_UPN = "anne_contoso_com"
UPN_URL = f"{LIBRARY}/Profile%20Pictures/{BY_UPN}_MThumb.jpg"


def forget(desk: Desk, picture_url: str = OWN_URL) -> None:
    plan = desk.publisher.plan_forgetting(ANNE, picture_url)
    desk.publisher.remove(plan, before_write=covered)


def published(profile: dict[str, str] | None, name: str = ID) -> Desk:
    desk = Desk(profile)
    desk.site.files = files_of(name)
    return desk


def shown_by_hers(url: str = OWN_URL) -> dict[str, str]:
    return {**SYNCED, "PictureURL": url, "msOnline-ObjectId": ID}


def test_everything_goes():
    """Files are recycled, and the profile shows no picture."""
    desk = published(shown_by_hers())
    forget(desk)

    assert desk.site.files == {}
    assert desk.site.profile
    assert desk.site.profile["PictureURL"] == ""
    assert desk.site.profile["SPS-PicturePlaceholderState"] == "1"


def test_profile_without_an_object_id():
    """A profile that does not say whose it is, is the leaver's if it shows these very files."""
    desk = published(dict(SYNCED))
    forget(desk)

    assert desk.site.files == {}
    assert desk.site.profile
    assert desk.site.profile["PictureURL"] == ""


def test_profile_that_is_gone():
    """The files go although SharePoint has no profile of that name any more."""
    desk = published(None)
    forget(desk)

    assert desk.site.files == {}


def test_profile_of_the_next_one_by_that_name():
    """A profile that is somebody else's by now is left alone; files named by the id still go."""
    theirs = {**SYNCED, "msOnline-ObjectId": COLLEAGUE}
    desk = published(dict(theirs))
    forget(desk)

    assert desk.site.files == {}
    assert desk.site.profile == theirs


@pytest.mark.parametrize("url", ELSEWHERE.values(), ids=ELSEWHERE)
def test_profile_that_shows_something_else(url):
    """A picture that a person has set stays; nobody sees our files, and they go."""
    desk = published(shown_by_hers(url))
    forget(desk)

    assert desk.site.files == {}
    assert desk.site.profile == shown_by_hers(url)


@pytest.mark.parametrize("host", ["https://fabrikam-my.sharepoint.com/", ""])
def test_personal_site_elsewhere(host):
    """A profile that is not written here keeps what it says; our files here still go."""
    desk = published(shown_by_hers())
    desk.site.personal_host = host
    forget(desk)

    assert desk.site.files == {}
    assert desk.site.profile
    assert (desk.site.profile["PictureURL"] == "") is not bool(host)


def test_files_by_a_name_that_nobody_has():
    """Files named by the UPN, as until 2021, are the leaver's while nobody else has that name."""
    desk = published(shown_by_hers(UPN_URL), BY_UPN)
    forget(desk, UPN_URL)

    assert desk.site.files == {}


def test_files_by_a_name_that_somebody_has():
    """Files that the next one by that name may show stay; the leaver's own profile does not."""
    desk = published(shown_by_hers(UPN_URL), BY_UPN)
    desk.colleagues.add("anne@contoso.com")
    forget(desk, UPN_URL)

    assert desk.site.files == files_of(BY_UPN)
    assert desk.site.profile
    assert desk.site.profile["PictureURL"] == ""


def test_profile_by_a_name_that_somebody_has():
    """A profile that may be the next one's, and shows files that may be theirs, is not touched."""
    desk = published({**SYNCED, "PictureURL": UPN_URL}, BY_UPN)
    desk.colleagues.add("anne@contoso.com")
    forget(desk, UPN_URL)

    assert desk.site.files == files_of(BY_UPN)
    assert desk.site.profile == {**SYNCED, "PictureURL": UPN_URL}


def test_profile_without_a_picture_by_a_name_that_somebody_has():
    """Nor is one that shows nothing and does not say whose it is."""
    desk = published({**SYNCED, "PictureURL": ""})
    forget(desk)

    assert desk.site.files == {}
    assert desk.site.profile == {**SYNCED, "PictureURL": ""}


@pytest.mark.parametrize(
    "url",
    [*ELSEWHERE.values(), OWN_URL.replace(ID, COLLEAGUE)],
    ids=[*ELSEWHERE, "colleague"],
)
def test_state_that_names_something_else(url):
    """Whatever a person has written into a state: nobody else's files are recycled for it."""
    desk = published(None, COLLEAGUE)
    forget(desk, url)

    assert desk.site.files == files_of(COLLEAGUE)
    assert desk.site.events == []


def test_forgetting_can_be_finished():
    """What was taken back in part, or already, is no error, and nothing is written twice."""
    desk = published(shown_by_hers())
    forget(desk)
    desk.site.files = {name: b"left" for name in list(files_of(ID))[:1]}
    desk.site.events.clear()
    forget(desk)

    assert desk.site.files == {}
    assert desk.site.events == ["recycled"] * 3


def test_profile_that_cannot_be_read_now():
    """No answer about the profile is none that it is gone: nothing is taken back yet."""
    desk = published(shown_by_hers())
    desk.site.faults["GetPropertiesFor"] = lambda: Answer(429, headers={"Retry-After": "600"})
    with pytest.raises(Throttled):
        forget(desk)

    assert desk.site.files == files_of(ID)


def test_user_without_a_remembered_name():
    """A state that a person has edited may have lost the name: the files by the id still go."""
    desk = published(None)
    plan = desk.publisher.plan_forgetting(replace(ANNE, user_principal_name=""), OWN_URL)
    desk.publisher.remove(plan, before_write=covered)

    assert desk.site.files == {}
