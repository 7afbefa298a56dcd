"""Both sides of one user as they are now, and the difference in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import pytest

from shared.errors import AccessDenied, NoMailbox, NoPhoto, NoProfile, PhotoRefused, ServiceDown
from shared.graph import GraphClient
from shared.publishing import PICTURE_URL, PLACEHOLDER_STATE
from shared.run import Recipe
from shared.sharepoint import SharePointClient
from shared.sides import Sides
from shared.state import UserState
from tests.doubles import ANNE, render

MY = "https://contoso-my.sharepoint.com"
URL = f"{MY}:443/User%20Photos/Profile%20Pictures/{ANNE.id}_MThumb.jpg"
NAMES = [f"{ANNE.id}_{size}Thumb.jpg" for size in "SML"]


class Both:
    """Exchange and SharePoint as far as two pictures are compared: they agree."""

    def __init__(self) -> None:
        self.exchange: bytes | Exception = b"photo"
        self.shown: Mapping[str, str] | Exception = {PICTURE_URL: URL, PLACEHOLDER_STATE: "0"}
        self.files: dict[str, bytes] = dict(zip(NAMES, render(b"photo"), strict=True))
        self.refusal: Exception | None = None

    @property
    def sides(self) -> Sides:
        recipe = Recipe("48,72,300", 1, self.render)
        return Sides(cast("GraphClient", self), cast("SharePointClient", self), recipe, MY)

    def render(self, photo: bytes) -> tuple[bytes, bytes, bytes]:
        if photo == b"broken":
            raise PhotoRefused("The photo is not a sound image.")
        return render(photo)

    def photo(self, user_id: str) -> bytes:
        if isinstance(self.exchange, Exception):
            raise self.exchange
        return self.exchange

    def profile(self, upn: str) -> Mapping[str, str]:
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


def compared(both: Both, known: UserState | None = None) -> tuple[bool, str]:
    difference = both.sides.compare(ANNE, known)
    return difference.agree, difference.sentence


def test_same_picture(both: Both):
    """The three files made from Exchange's photo are what SharePoint shows."""
    difference = both.sides.compare(ANNE, None)

    assert (difference.agree, difference.sentence) == (
        *(True, "SharePoint shows the photo that Exchange holds."),
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

    assert compared(both) == (False, "SharePoint shows another picture than Exchange holds.")


def test_missing_file(both: Both):
    """A file that is gone is named."""
    del both.files[NAMES[1]]

    assert compared(both) == (False, f"There is no file {NAMES[1]}.")


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        ({}, "shows no picture, although"),
        ({PICTURE_URL: "https://elsewhere.contoso.com/a.jpg"}, "which a person has set"),
        ({PICTURE_URL: URL, PLACEHOLDER_STATE: "1"}, "shows its placeholder"),
    ],
)
def test_not_shown(both: Both, shown: dict[str, str], sentence: str):
    """There is a photo in Exchange and SharePoint shows it not at all: the profile says why."""
    both.shown = shown
    agree, said = compared(both)

    assert not agree
    assert sentence in said


def test_photo_that_nobody_can_read(both: Both):
    """A broken photo is the difference."""
    both.exchange = b"broken"

    assert compared(both) == (False, "The photo is not a sound image.")


def test_picture_that_nobody_may_read(both: Both):
    """A refusal is told in its own words."""
    both.refusal = AccessDenied("The role is missing.")

    assert compared(both) == (False, "The role is missing.")


@pytest.mark.parametrize("kind", [NoPhoto, NoMailbox])
def test_neither_has_one(both: Both, kind: type[Exception]):
    """No photo and no picture agree."""
    both.exchange, both.shown = kind("There is no photo."), {}

    assert compared(both) == (True, "There is no photo. SharePoint shows none either.")


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        (UserState(ANNE.id, picture_url=URL), "a sweep removes it"),
        (UserState(ANNE.id), "did not put there"),
        (None, "did not put there"),
    ],
)
def test_photo_is_gone(both: Both, known: UserState | None, sentence: str):
    """Without a photo, what becomes of the picture depends on who put it there."""
    both.exchange = NoPhoto("There is no photo.")
    agree, said = compared(both, known)

    assert not agree
    assert said.startswith("There is no photo. ")
    assert sentence in said


@pytest.mark.parametrize(("exchange", "agree"), [(b"photo", False), (NoPhoto("None."), True)])
def test_no_profile(both: Both, exchange: bytes | Exception, agree: bool):
    """Without a profile there is nothing to show, which agrees with having no photo only."""
    both.exchange, both.shown = exchange, NoProfile("No profile yet.")
    difference = both.sides.compare(ANNE, None)

    assert (difference.agree, difference.sentence) == (agree, "No profile yet.")
    assert difference.profile is None


def test_service_down(both: Both):
    """What could not be found out is no difference."""
    both.exchange = ServiceDown("Graph is down.")

    with pytest.raises(ServiceDown):
        compared(both)


def test_pictures(both: Both):
    """Each side's picture: Exchange's photo, and the large one of SharePoint."""
    assert both.sides.exchange(ANNE) == b"photo"
    assert both.sides.sharepoint(ANNE) == b"L:photo"


@pytest.mark.parametrize("url", ["", "https://elsewhere.contoso.com/a.jpg"])
def test_no_picture_of_ours(both: Both, url: str):
    """Only pictures of the picture library are handed out: no address of a profile is followed."""
    both.shown = {PICTURE_URL: url}

    with pytest.raises(NoPhoto, match="shows no picture"):
        both.sides.sharepoint(ANNE)
