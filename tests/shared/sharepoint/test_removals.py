"""Removing pictures from SharePoint: what is cleared, in which order, and what stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.errors import ClaimLost, Throttled
from tests.doubles.claims import covered, lost
from tests.doubles.web import Answer
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
    published,
)

BY_UPN = "anne_contoso_com"
UPN_URL = f"{LIBRARY}/Profile%20Pictures/{BY_UPN}_MThumb.jpg"
NAMELESS = replace(ANNE, user_principal_name="")
RECYCLED = ["recycled"] * 3


def left(profile: dict[str, str] | None, name: str = ID) -> Desk:
    """Anne has left: her files, and what SharePoint has under her name now."""
    desk = Desk(profile)
    desk.site.files = files_of(name)
    return desk


def hers(url: str = OWN_URL) -> dict[str, str]:
    return {**SYNCED, "PictureURL": url, "msOnline-ObjectId": ID}


# For each of the three reasons


@pytest.mark.parametrize(
    ("profile", "remove", "repeated"),
    [
        (SYNCED, Desk.remove, ["SPS-PictureTimestamp", *RECYCLED]),
        (hers(), Desk.forget, RECYCLED),
        (SYNCED, Desk.withdraw, RECYCLED),
    ],
    ids=["photo gone", "left", "uninstall"],
)
def test_removal_can_be_finished(profile, remove, repeated):
    """A removal can be repeated, complete or not: a missing file is no error."""
    desk = left(dict(profile))
    remove(desk)
    desk.site.files = {name: b"left" for name in list(files_of(ID))[:1]}
    desk.site.events.clear()
    remove(desk)

    assert desk.site.files == {}
    assert desk.site.events == repeated


@pytest.mark.parametrize("url", ELSEWHERE.values(), ids=ELSEWHERE)
@pytest.mark.parametrize("remove", [Desk.forget, Desk.withdraw], ids=["left", "uninstall"])
def test_chosen_picture_stays(remove, url):
    """A picture that a person has set stays; our files, which no page shows, are removed."""
    desk = left(hers(url))
    remove(desk)

    assert (desk.site.profile, desk.site.files) == (hers(url), {})


@pytest.mark.parametrize(
    "remove",
    [
        Desk.forget,
        Desk.withdraw,
        lambda desk: desk.forget(leaver=NAMELESS),
        lambda desk: desk.withdraw(user=NAMELESS, exists=False),
    ],
    ids=["left", "uninstall", "left, no name", "uninstall, no name"],
)
def test_no_profile(remove: Callable[[Desk], None]):
    """Our files are removed even if SharePoint has no profile, or the state no name for one."""
    desk = left(None)
    remove(desk)

    assert desk.site.files == {}


# When the photo is gone


def test_picture_is_removed():
    """The profile shows no picture, and has a new timestamp; then the files are recycled."""
    desk = Desk({})
    desk.publish()
    desk.site.events.clear()
    desk.site.profile_calls = 0
    desk.remove()

    assert desk.site.files == {}
    assert desk.site.profile == {
        "PictureURL": "",
        "SPS-PicturePlaceholderState": "1",
        "SPS-PictureExchangeSyncState": "1",
        "SPS-PictureTimestamp": str(int(NOON_SECONDS) + 1),
    }
    assert desk.site.events == [
        "PictureURL",
        "SPS-PicturePlaceholderState",
        "SPS-PictureTimestamp",
        *RECYCLED,
    ]
    assert desk.site.profile_calls == 2


@pytest.mark.parametrize(
    "url",
    [*ELSEWHERE.values(), UPN_URL, OWN_URL.replace(ID, COLLEAGUE)],
    ids=[*ELSEWHERE, "own name, not ours", "colleague"],
)
@pytest.mark.parametrize("custom", ["keep", "replace"])
def test_only_our_picture_is_removed(url, custom):
    """A picture that we did not write stays, and our files that it replaced are removed."""
    desk = published(CUSTOM_PICTURE=custom)
    desk.profile["PictureURL"] = url
    before = dict(desk.profile)

    why = "The photo is gone, but a person chose another picture, so PhotoSync keeps it."
    assert desk.plan_removal().kept == why
    assert str(desk.plan_removal()) == "remove the picture"
    desk.remove()
    assert (desk.site.profile, desk.site.files) == (before, {})


OLD_HOST = OWN_URL.replace("contoso-my", "old-my")


@pytest.mark.parametrize(
    ("shown", "wrote"),
    [
        (OWN_URL.replace(":443", ""), OWN_URL),
        (OWN_URL.replace("%20", " "), OWN_URL),
        ("", OWN_URL),
        (OWN_URL, OLD_HOST),
        (OLD_HOST, OLD_HOST),
    ],
    ids=["no port", "space", "already cleared", "state before a rename", "both before a rename"],
)
def test_our_picture_at_another_url(shown, wrote):
    """The same files are ours however the URL is spelled, and at the tenant's former name."""
    desk = published()
    desk.profile["PictureURL"] = shown
    desk.remove(wrote)

    assert (desk.profile["PictureURL"], desk.site.files) == ("", {})


@pytest.mark.parametrize(
    "url",
    [
        "https://old-my.sharepoint.com/User%20Photos/Profile%20Pictures/x_MThumb.jpg",
        "https://old.contoso.com/x.jpg",
    ],
    ids=["another's", "none"],
)
@pytest.mark.parametrize("remove", [Desk.remove, Desk.withdraw], ids=["photo gone", "uninstall"])
def test_url_that_names_no_files_of_ours(remove, url):
    """If the settings no longer lead to our files, the profile is still cleared."""
    desk = Desk({**SYNCED, "PictureURL": url})
    remove(desk, url)

    assert desk.profile["PictureURL"] == ""
    assert "recycled" not in desk.site.events


def test_files_named_by_upn():
    """Files named by the UPN are recycled like others."""
    desk = published(UPN_URL)
    desk.remove(UPN_URL)

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
    desk = left({**SYNCED, "PictureURL": url}, name)
    desk.colleagues = colleagues
    plan = desk.publisher.plan_removal(replace(ANNE, user_principal_name=now), url)
    desk.publisher.remove(plan, before_write=covered)

    assert desk.site.files == files_of(name)
    assert desk.profile["PictureURL"] == ""


def test_no_write_without_a_claim():
    """No write of a removal begins that its claim does not cover."""
    desk = published()
    plan = desk.plan_removal()

    with pytest.raises(ClaimLost):
        desk.publisher.remove(plan, before_write=lost)
    assert desk.site.events == []


# When the user has left


@pytest.mark.parametrize(
    "profile", [hers(), hers(""), SYNCED], ids=["object id", "object id, cleared", "our files"]
)
def test_leavers_profile(profile):
    """A profile is the leaver's if it has the object id, or none and it shows these files."""
    desk = left(dict(profile))
    desk.forget()

    assert desk.site.files == {}
    assert desk.profile["PictureURL"] == ""
    assert desk.profile["SPS-PicturePlaceholderState"] == "1"


@pytest.mark.parametrize(
    "profile",
    [{**SYNCED, "msOnline-ObjectId": COLLEAGUE}, {**SYNCED, "PictureURL": ""}],
    ids=["another owner", "unknown owner, no picture"],
)
def test_profile_of_the_next_user_with_that_name(profile):
    """A profile that may be another user's stays; files named by the object id are removed."""
    desk = left(dict(profile))
    desk.forget()

    assert (desk.site.profile, desk.site.files) == (profile, {})


def test_personal_site_elsewhere():
    """A profile whose personal site is on another host stays; our files here are removed."""
    desk = left(hers())
    desk.site.personal_host = "https://fabrikam-my.sharepoint.com/"
    desk.forget()

    assert (desk.site.profile, desk.site.files) == (hers(), {})


@pytest.mark.parametrize(
    ("profile", "colleagues", "files", "shown"),
    [
        (hers(UPN_URL), set(), {}, ""),
        (hers(UPN_URL), {ANNE.user_principal_name}, files_of(BY_UPN), ""),
        ({**SYNCED, "PictureURL": UPN_URL}, {ANNE.user_principal_name}, files_of(BY_UPN), UPN_URL),
    ],
    ids=["name unused", "name in use", "name in use, unknown owner"],
)
def test_leavers_files_named_by_upn(profile, colleagues, files, shown):
    """Removed unless a user has that name now; then even the profile may be that user's."""
    desk = left(dict(profile), BY_UPN)
    desk.colleagues = colleagues
    desk.forget(UPN_URL)

    assert (desk.site.files, desk.profile["PictureURL"]) == (files, shown)


@pytest.mark.parametrize(
    "url",
    [*ELSEWHERE.values(), OWN_URL.replace(ID, COLLEAGUE)],
    ids=[*ELSEWHERE, "colleague"],
)
@pytest.mark.parametrize("remove", [Desk.forget, Desk.withdraw], ids=["left", "uninstall"])
def test_state_that_names_other_files(remove, url):
    """Whatever a person has written into a state, another user's files are not recycled."""
    desk = left(None, COLLEAGUE)
    remove(desk, url)

    assert desk.site.files == files_of(COLLEAGUE)
    assert desk.site.events == []


def test_profile_that_cannot_be_read_now():
    """While SharePoint does not say whether the profile is gone, nothing is removed."""
    desk = left(hers())
    desk.site.faults["GetPropertiesFor"] = lambda: Answer(429, headers={"Retry-After": "600"})
    with pytest.raises(Throttled):
        desk.forget()

    assert desk.site.files == files_of(ID)


# When PhotoSync is uninstalled


@pytest.mark.parametrize(("exists", "url"), [(True, OWN_URL), (False, OWN_URL), (True, "")])
def test_profile_is_left_as_if_never_written(exists, url):
    """All properties that we write are cleared, the URL first, and our files are recycled."""
    desk = published()
    desk.profile["PictureURL"] = url
    desk.withdraw(exists=exists)

    assert desk.site.files == {}
    assert desk.site.profile == dict.fromkeys(SYNCED, "")
    assert desk.site.events == [*([*SYNCED] if url else [*SYNCED][1:]), *RECYCLED]


def test_user_without_a_name():
    """If the state has no name, SharePoint is not asked for a profile."""
    desk = published()
    profile, desk.site.profile_calls = dict(desk.profile), 0
    desk.withdraw(user=NAMELESS, exists=False)

    assert (desk.site.files, desk.site.profile, desk.site.profile_calls) == ({}, profile, 0)


@pytest.mark.parametrize(("exists", "files"), [(True, {}), (False, files_of(BY_UPN))])
def test_files_named_by_a_deleted_users_upn(exists, files):
    """Files named by a UPN are recycled only while Graph says that it is this user's."""
    desk = published(UPN_URL)
    if not exists:
        desk.profile["msOnline-ObjectId"] = ID.upper()
    desk.withdraw(UPN_URL, exists=exists)

    assert (desk.site.files, desk.profile["PictureURL"]) == (files, "")


@pytest.mark.parametrize("url", ["", UPN_URL], ids=["none", "by name"])
def test_profile_that_does_not_name_its_owner(url):
    """It may belong to the next user with that name, who keeps the picture."""
    theirs = {**SYNCED, "PictureURL": url}
    desk = Desk(dict(theirs))
    desk.withdraw(UPN_URL, exists=False)

    assert (desk.site.profile, desk.site.events) == (theirs, [])


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Desk({**SYNCED, "PictureURL": ""}).plan(), "upload 3 pictures and set "),
        (published().plan_removal(), "remove the picture and set "),
    ],
    ids=["copy", "removal"],
)
def test_plans_in_words(plan, words):
    """A plan says in words what it would write, for a dry run."""
    assert str(plan) == words + ", ".join(plan.changes)
