"""Taking pictures back from SharePoint: what is cleared, in which order, and what stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.errors import ClaimLost
from tests.doubles.claims import covered, lost
from tests.shared.sharepoint.publishing_desk import (
    ANNE,
    COLLEAGUE,
    ELSEWHERE,
    ID,
    LIBRARY,
    NOON_SECONDS,
    OWN_URL,
    SYNCED,
    Desk,
    files_of,
)


def published(**settings: str) -> Desk:
    desk = Desk({}, ("Profile Pictures",), **settings)
    desk.publish()
    desk.site.events.clear()
    return desk


def test_picture_is_taken_back():
    """The profile shows no picture any more, with a new timestamp, and the files are recycled."""
    desk = published()
    desk.remove()

    assert desk.site.files == {}
    assert desk.site.profile == {
        "PictureURL": "",
        "SPS-PicturePlaceholderState": "1",
        "SPS-PictureExchangeSyncState": "1",
        "SPS-PictureTimestamp": str(int(NOON_SECONDS) + 1),
    }


def test_profile_calls():
    """A removal makes two profile calls, too."""
    desk = Desk(dict(SYNCED))
    desk.remove()

    assert desk.site.profile_calls == 2


def test_profile_before_files():
    """The address goes before the files: no page shows a picture that is not there."""
    desk = published()
    desk.remove()

    assert desk.site.events == [
        "PictureURL",
        "SPS-PicturePlaceholderState",
        "SPS-PictureTimestamp",
        *["recycled"] * 3,
    ]


def test_removal_can_be_finished():
    """A picture taken back halfway, or already, is taken back without an error."""
    desk = published()
    desk.remove()
    desk.site.files = {name: b"left" for name in list(files_of(ID))[:1]}
    desk.remove()

    assert desk.site.files == {}


@pytest.mark.parametrize(
    "url",
    [
        *ELSEWHERE.values(),
        f"{LIBRARY}/Profile%20Pictures/anne_contoso_com_MThumb.jpg",
        f"{LIBRARY}/Profile%20Pictures/{COLLEAGUE}_MThumb.jpg",
    ],
    ids=[*ELSEWHERE, "own name, not ours", "colleague"],
)
@pytest.mark.parametrize("custom", ["keep", "replace"])
def test_only_our_picture_is_taken_back(url, custom):
    """A picture that we did not put there stays, and the files of ours that it replaced go."""
    desk = published(CUSTOM_PICTURE=custom)
    assert desk.site.profile is not None
    desk.site.profile["PictureURL"] = url
    before = dict(desk.site.profile)

    assert "a person chose another picture" in desk.plan_removal().kept
    desk.remove()
    assert (desk.site.profile, desk.site.files) == (before, {})


@pytest.mark.parametrize(
    "shown", [OWN_URL.replace(":443", ""), OWN_URL.replace("%20", " "), ""], ids=str
)
def test_our_picture_in_other_words(shown):
    """The same place spelled otherwise is ours; so is one whose address is gone already."""
    desk = published()
    assert desk.site.profile is not None
    desk.site.profile["PictureURL"] = shown
    desk.remove()

    assert (desk.site.profile["PictureURL"], desk.site.files) == ("", {})


def test_address_that_tells_no_files():
    """Where the settings no longer lead to our files, the profile is still cleared."""
    url = "https://old-my.sharepoint.com/User%20Photos/Profile%20Pictures/x_MThumb.jpg"
    desk = Desk({**SYNCED, "PictureURL": url})
    desk.remove(url)

    assert desk.site.profile is not None
    assert desk.site.profile["PictureURL"] == ""
    assert "recycled" not in desk.site.events


def test_picture_at_the_address_before_a_renaming():
    """The same files under the tenant's new name are the ones that we wrote."""
    desk = published()
    desk.remove(OWN_URL.replace("contoso-my", "old-my"))

    assert desk.site.profile is not None
    assert (desk.site.profile["PictureURL"], desk.site.files) == ("", {})


BY_UPN = f"{LIBRARY}/Profile%20Pictures/anne_contoso_com_MThumb.jpg"


def test_files_named_by_upn():
    """Files named by the UPN are recycled like others."""
    desk = Desk({**SYNCED, "PictureURL": BY_UPN})
    desk.publish()
    desk.remove(BY_UPN)

    assert desk.site.files == {}


@pytest.mark.parametrize(
    ("before", "now", "colleagues"),
    [
        ("anne@contoso.com", "anne.new@contoso.com", set()),
        ("anne.bell@contoso.com", "anne.bell@contoso.com", {"anne_bell@contoso.com"}),
    ],
    ids=["renamed since", "the same name for two"],
)
def test_files_that_may_be_a_colleagues(before, now, colleagues):
    """Files whose name may be a colleague's by now are not recycled; the profile is cleared."""
    name = before.replace("@", "_").replace(".", "_")
    url = f"{LIBRARY}/Profile%20Pictures/{name}_MThumb.jpg"
    desk = Desk({**SYNCED, "PictureURL": url})
    desk.site.files = files_of(name)
    desk.colleagues = colleagues
    plan = desk.publisher.plan_removal(replace(ANNE, user_principal_name=now), url)
    desk.publisher.remove(plan, before_write=covered)

    assert desk.site.files == files_of(name)
    assert desk.site.profile is not None
    assert desk.site.profile["PictureURL"] == ""


def test_removal_begins_nothing_too_late():
    """No write of a removal begins that its claim does not cover."""
    desk = published()
    plan = desk.plan_removal()

    with pytest.raises(ClaimLost):
        desk.publisher.remove(plan, before_write=lost)
    assert desk.site.events == []


# For good, when PhotoSync is uninstalled


@pytest.mark.parametrize("exists", [True, False])
def test_profile_is_left_as_if_never_written(exists):
    """All that we write is empty afterwards, the address first, and our files are recycled."""
    desk = published()
    desk.withdraw(exists=exists)

    assert desk.site.files == {}
    assert desk.site.profile == dict.fromkeys(SYNCED, "")
    assert desk.site.events == [*SYNCED, *["recycled"] * 3]


def test_withdrawal_can_be_finished():
    """What a run left behind when it died is taken back, and nothing is written twice."""
    desk = published()
    desk.withdraw()
    desk.site.files = {name: b"left" for name in list(files_of(ID))[:1]}
    desk.site.events.clear()
    desk.withdraw()

    assert desk.site.files == {}
    assert desk.site.events == ["recycled"] * 3


@pytest.mark.parametrize("url", ELSEWHERE.values(), ids=ELSEWHERE)
def test_chosen_picture_outlives_us(url):
    """A picture that a person has set since stays as it is; our files, shown no more, go."""
    desk = published()
    assert desk.site.profile is not None
    desk.site.profile["PictureURL"] = url
    before = dict(desk.site.profile)
    desk.withdraw()

    assert desk.site.profile == before
    assert desk.site.files == {}


def test_user_without_a_profile_is_no_obstacle():
    """Where SharePoint has no such profile any more, our files are recycled all the same."""
    desk = published()
    desk.site.profile = None
    desk.withdraw()

    assert desk.site.files == {}


def test_user_without_a_name_is_no_obstacle():
    """A state may have no name: SharePoint is then not asked for a profile."""
    desk = published()
    profile = dict(desk.site.profile or {})
    nameless = replace(ANNE, user_principal_name="")
    plan = desk.publisher.plan_withdrawal(nameless, OWN_URL, exists=False)
    desk.publisher.remove(plan, before_write=covered)

    assert desk.site.files == {}
    assert desk.site.profile == profile


@pytest.mark.parametrize(("exists", "left"), [(True, set()), (False, {"anne_contoso_com"})])
def test_name_of_somebody_gone_may_be_anothers(exists, left):
    """Files named by a UPN are recycled only while Graph says that it is this user's."""
    desk = Desk({**SYNCED, "PictureURL": BY_UPN})
    desk.publish()
    desk.withdraw(BY_UPN, exists=exists)

    assert desk.site.files.keys() == {name for each in left for name in files_of(each)}


@pytest.mark.parametrize("url", ["", BY_UPN], ids=["none", "by name"])
def test_profile_of_the_next_one_by_that_name(url):
    """A profile that does not say whose it is may be the next one's, who keeps the picture."""
    theirs = {**SYNCED, "PictureURL": url}
    desk = Desk(dict(theirs))
    desk.withdraw(BY_UPN, exists=False)

    assert (desk.site.profile, desk.site.events) == (theirs, [])


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (str(Desk({}).plan()), ("3 pictures", "PictureURL")),
        (str(published().plan_removal()), ("remove the picture", "PictureURL")),
    ],
    ids=["copy", "removal"],
)
def test_plans_in_words(said, words):
    """A plan says in words what it would write, for a dry run."""
    assert [word for word in words if word not in said] == []
