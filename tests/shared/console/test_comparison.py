"""Both sides of one user as they are now, and the difference in words."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import pytest
from PIL import Image

from shared.console.comparison import Sides
from shared.errors import (
    AccessDenied,
    NoMailbox,
    NoPhoto,
    NoProfile,
    PhotoRefused,
    PhotoSyncError,
    PhotoTooLarge,
    PictureKept,
    Refused,
    ServiceDown,
    Throttled,
    UnknownUser,
)
from shared.graph.client import GraphClient, ScaledPhoto
from shared.pictures.recipe import Recipe
from shared.settings.app import Settings
from shared.sharepoint.client import PERSONAL_HOST, SharePointClient
from shared.sharepoint.geos import Geos
from shared.sharepoint.inspection import PLACEHOLDER_STATE
from shared.sharepoint.picture_location import PICTURE_URL
from shared.storage.user_state import UserState
from shared.user import User
from tests.doubles.office import ANNE, NOON, render
from tests.e2e.cloud import picture
from tests.shared.settings.test_app import ENOUGH

MY = "https://contoso-my.sharepoint.com"
URL = f"{MY}:443/User%20Photos/Profile%20Pictures/{ANNE.id}_MThumb.jpg"
THROTTLED = Throttled("Graph asks for patience.", retry_after=38.0, service="graph")
NAMES = [f"{ANNE.id}_{size}Thumb.jpg" for size in "SML"]


class Both:
    """Exchange and SharePoint as far as two pictures are compared: they agree."""

    def __init__(self) -> None:
        self.exchange: bytes | Exception = b"photo"
        self.scaled: bytes | Exception = NoPhoto("Exchange has no smaller rendition of the photo.")
        self.shown: Mapping[str, str] | Exception = {PICTURE_URL: URL, PLACEHOLDER_STATE: "0"}
        self.files: dict[str, bytes] = dict(zip(NAMES, render(b"photo"), strict=True))
        self.refusal: Exception | None = None
        self.removes = True
        self.my_urls: list[str] = []

    @property
    def sides(self) -> Sides:
        recipe = Recipe("48,72,300", 1, self.render)
        geos = Geos(Settings.from_mapping(ENOUGH), self.enter)
        return Sides(cast("GraphClient", self), geos, recipe, removes=self.removes)

    def enter(self, my_url: str, admin_url: str) -> SharePointClient:
        self.my_urls.append(my_url)
        return cast("SharePointClient", self)

    def picture_folders(self) -> list[str]:
        raise AssertionError("Nobody is to ask.")

    def render(self, photo: bytes) -> tuple[bytes, bytes, bytes]:
        if photo == b"huge":
            raise PhotoTooLarge("The photo is too large.")
        if photo == b"broken":
            raise PhotoRefused("The photo is not a sound image.")
        return render(photo)

    def photo(self, user_id: str) -> bytes:
        if isinstance(self.exchange, Exception):
            raise self.exchange
        return self.exchange

    def scaled_photo(self, user_id: str) -> ScaledPhoto:
        if isinstance(self.scaled, Exception):
            raise self.scaled
        return ScaledPhoto(self.scaled, "etag")

    def profile(self, user: User) -> Mapping[str, str]:
        if isinstance(self.shown, Exception):
            raise self.shown
        return self.shown

    def picture(self, folder: str, name: str) -> bytes:
        assert folder == "Profile Pictures"
        if self.refusal:
            raise self.refusal
        if name not in self.files:
            raise NoPhoto(f"There is no file {name}.")
        return self.files[name]


@pytest.fixture
def both() -> Both:
    return Both()


def compared(both: Both, known: UserState | None = None) -> tuple[bool | None, str]:
    difference = both.sides.compare(ANNE, known)
    return difference.agree, difference.sentence


def test_same_picture(both: Both):
    """The three files made from Exchange's photo are what SharePoint shows."""
    difference = both.sides.compare(ANNE, None)

    assert (difference.agree, difference.sentence) == (
        *(True, "SharePoint shows the photo from Exchange."),
    )
    assert difference.profile == {
        PICTURE_URL: URL,
        PLACEHOLDER_STATE: "0",
        "SPS-PictureExchangeSyncState": "",
        "SPS-PictureTimestamp": "",
    }


@pytest.mark.parametrize("name", NAMES)
def test_another_picture(both: Both, name: str):
    """One of the three files that differs is enough."""
    both.files[name] = b"another"

    assert compared(both) == (
        False,
        "SharePoint shows a different picture from the photo in Exchange.",
    )


def test_photo_that_is_too_large(both: Both):
    """Such a photo is compared by the rendition it was copied from."""
    both.exchange, both.scaled = b"huge", b"photo"

    assert compared(both) == (True, "SharePoint shows the photo from Exchange.")


def test_photo_that_is_too_large_and_not_scaled(both: Both):
    """Without that rendition the sentence is the one of the refusal."""
    both.exchange = b"huge"

    assert compared(both) == (False, "The photo is too large.")


def test_rendition_that_cannot_be_asked_for(both: Both):
    """If Exchange is silent about the rendition, Exchange is the side that is named."""
    both.exchange, both.scaled = b"huge", THROTTLED

    [unasked] = both.sides.compare(ANNE, None).unasked

    assert (unasked.side, unasked.retry_after) == ("exchange", 38.0)


def test_missing_file(both: Both):
    """A file that is gone is named."""
    del both.files[NAMES[1]]

    assert compared(both) == (False, f"There is no file {NAMES[1]}.")


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        ({}, "shows no picture, although"),
        ({PICTURE_URL: "https://elsewhere.contoso.com/a.jpg"}, "a picture that a person chose"),
        ({PICTURE_URL: URL.replace("contoso-my", "old-my")}, "an address on another host"),
        ({PICTURE_URL: URL, PERSONAL_HOST: "https://eur-my.sharepoint.com/"}, "on eur-my.share"),
        ({PICTURE_URL: URL, PLACEHOLDER_STATE: "1"}, "shows its placeholder"),
    ],
)
def test_not_shown(both: Both, shown: dict[str, str], sentence: str):
    """There is a photo in Exchange and SharePoint shows it not at all: the profile says why."""
    both.shown = shown
    agree, said = compared(both)

    assert not agree
    assert sentence in said


def test_address_that_the_state_has(both: Both):
    """What the state says we wrote is ours, on whatever host, and no person's choice."""
    both.shown = {PICTURE_URL: "https://old.contoso.com/anne.jpg?t=2"}
    known = UserState(ANNE.id, picture_url="https://old.contoso.com/anne.jpg")
    agree, said = compared(both, known)

    assert agree is False
    assert "an address on another host" in said


def test_photo_that_nobody_can_read(both: Both):
    """A broken photo is the difference."""
    both.exchange = b"broken"

    assert compared(both) == (False, "The photo is not a sound image.")


@pytest.mark.parametrize("error", [AccessDenied("A role."), Refused("Odd."), THROTTLED])
def test_picture_that_cannot_be_read(both: Both, error: PhotoSyncError):
    """A file that is refused is neither the same nor another: SharePoint could not be asked."""
    both.refusal = error
    difference = both.sides.compare(ANNE, None)

    assert difference.agree is None
    assert str(error) in difference.sentence
    assert [each.side for each in difference.unasked] == ["sharepoint"]
    assert difference.profile


@pytest.mark.parametrize("kind", [NoPhoto, NoMailbox])
def test_neither_has_one(both: Both, kind: type[Exception]):
    """No photo and no picture agree."""
    both.exchange, both.shown = kind("There is no photo."), {}

    assert compared(both) == (True, "There is no photo. SharePoint shows no picture either.")


OURS = UserState(ANNE.id, picture_url=URL)


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        (
            replace(OURS, missing_since=NOON),
            "A sweep removes it once a second check finds no photo.",
        ),
        (OURS, "removes it after two sweeps find no photo."),
        (UserState(ANNE.id), "did not write"),
        (None, "did not write"),
    ],
)
def test_photo_is_gone(both: Both, known: UserState | None, sentence: str):
    """Without a photo, what becomes of the picture depends on who put it there."""
    both.exchange = NoPhoto("There is no photo.")
    agree, said = compared(both, known)

    assert agree is False
    assert said.startswith("There is no photo. ")
    assert sentence in said


def test_mailbox_is_gone(both: Both):
    """No sweep removes the picture of a user without a mailbox, and none is promised to."""
    both.exchange = NoMailbox("There is no mailbox.")
    agree, said = compared(both, replace(OURS, missing_since=NOON))

    assert agree is False
    assert "which stays" in said
    assert "sweep" not in said


def test_user_has_left(both: Both):
    """Of who has left the picture stays until the user is forgotten."""
    both.exchange = UnknownUser("Microsoft Graph has no such user.")
    agree, said = compared(both, OURS)

    assert agree is False
    assert "until PhotoSync forgets" in said


def test_pictures_are_kept(both: Both):
    """Nor is one promised where settings say that pictures stay."""
    both.exchange, both.removes = NoPhoto("There is no photo."), False

    assert "REMOVED_PHOTO" in compared(both, replace(OURS, missing_since=NOON))[1]


@pytest.mark.parametrize(("exchange", "agree"), [(b"photo", False), (NoPhoto("None."), True)])
def test_no_profile(both: Both, exchange: bytes | Exception, agree: bool):
    """Without a profile there is nothing to show, which agrees with having no photo only."""
    both.exchange, both.shown = exchange, NoProfile("No profile yet.")
    difference = both.sides.compare(ANNE, None)

    assert (difference.agree, difference.sentence) == (agree, "No profile yet.")
    assert difference.profile is None


def test_exchange_is_silent(both: Both):
    """What could not be found out is no difference; SharePoint's side is told all the same."""
    both.exchange = THROTTLED
    difference = both.sides.compare(ANNE, None)

    assert difference.agree is None
    assert difference.sentence == f"Exchange and SharePoint cannot be compared now. {THROTTLED}"
    assert difference.unasked == (("exchange", str(THROTTLED), 38.0),)
    assert difference.profile == both.sides.compare(ANNE, None).profile


def test_sharepoint_is_silent(both: Both):
    """The same for SharePoint, of which then no profile is known either."""
    both.shown = ServiceDown("SharePoint is down.")
    difference = both.sides.compare(ANNE, None)

    assert (difference.agree, difference.profile) == (None, None)
    assert difference.unasked == (("sharepoint", "SharePoint is down.", None),)


def test_exchange_was_asked_before(both: Both):
    """Who knows already that Exchange is silent does not have it asked once more."""
    both.exchange = AssertionError("Nobody is to ask.")
    difference = both.sides.compare(ANNE, None, exchange_error=THROTTLED)

    assert [each.side for each in difference.unasked] == ["exchange"]


def test_both_are_silent(both: Both):
    """Each side is named; the one reason that both have is told once."""
    both.exchange = both.shown = THROTTLED
    difference = both.sides.compare(ANNE, None)

    assert [each.side for each in difference.unasked] == ["exchange", "sharepoint"]
    assert difference.sentence.count(str(THROTTLED)) == 1


def test_pictures(both: Both):
    """Each side's picture: Exchange's photo, and the large one of SharePoint."""
    assert both.sides.exchange(ANNE) == b"photo"
    assert both.sides.sharepoint(ANNE, None) == b"L:photo"


def test_small_pictures(both: Both):
    """Each side can be had as a thumbnail; what is no picture has none."""
    photo = picture(1)
    both.exchange = both.scaled = photo
    both.files[NAMES[-1]] = photo
    small = both.sides.exchange(ANNE, small=True)

    assert Image.open(io.BytesIO(small)).size == (120, 120)
    assert both.sides.sharepoint(ANNE, None, small=True) == small
    both.exchange = b"broken"
    with pytest.raises(PhotoRefused):
        both.sides.exchange(ANNE, small=True)


@pytest.mark.parametrize("url", ["", URL.replace("contoso-my", "old-my")])
def test_no_picture_of_ours(both: Both, url: str):
    """Without a picture that is ours or that a person chose there is none."""
    both.shown = {PICTURE_URL: url}

    with pytest.raises(NoPhoto, match="shows no picture"):
        both.sides.sharepoint(ANNE, None)
    assert both.sides.compare(ANNE, None).chosen == ""


EUROPE = URL.replace("contoso-my", "contosoeur-my")
IN_EUROPE = {PERSONAL_HOST: "https://contosoeur-my.sharepoint.com/"}


def test_user_of_a_satellite(both: Both):
    """Both sides of somebody who lives in another geography are looked at there."""
    both.shown = {PICTURE_URL: EUROPE, PLACEHOLDER_STATE: "0", **IN_EUROPE}

    assert compared(both) == (True, "SharePoint shows the photo from Exchange.")
    assert both.sides.sharepoint(ANNE, None) == b"L:photo"
    assert both.my_urls[-1] == "https://contosoeur-my.sharepoint.com"


def test_picture_of_the_geography_before(both: Both):
    """Whoever was moved still shows the address of before, until the next copy."""
    both.shown = {PICTURE_URL: URL, PLACEHOLDER_STATE: "0", **IN_EUROPE}

    assert compared(both) == (
        False,
        "SharePoint shows PhotoSync's picture at an address on another host.",
    )


CHOSEN = "https://cdn.contoso.com/anne.jpg"


def test_chosen_picture(both: Both):
    """A chosen picture is told with its address, and not fetched from where it is."""
    both.shown = {PICTURE_URL: CHOSEN}

    assert both.sides.compare(ANNE, None).chosen == CHOSEN
    with pytest.raises(PictureKept, match=r"chose a picture at cdn\.contoso\.com\."):
        both.sides.sharepoint(ANNE, None)


def test_what_we_wrote_is_not_chosen(both: Both):
    """What the state says we wrote is no person's choice, wherever it is."""
    both.shown = {PICTURE_URL: CHOSEN}
    known = UserState(ANNE.id, picture_url=CHOSEN)

    assert both.sides.compare(ANNE, known).chosen == ""
    with pytest.raises(NoPhoto):
        both.sides.sharepoint(ANNE, known)


def test_unknown_profile_has_nothing_chosen(both: Both):
    """Where the profile could not be read nothing is said of a choice."""
    both.shown = NoProfile("None yet.")

    assert both.sides.compare(ANNE, None).chosen == ""
