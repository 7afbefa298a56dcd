"""Both sides of one user as they are now, and the difference in words."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple, cast

import pytest
from PIL import Image

from shared.console.comparison import PictureComparison
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

CHOSEN = "https://cdn.contoso.com/anne.jpg"
MY = "https://contoso-my.sharepoint.com"
URL = f"{MY}:443/User%20Photos/Profile%20Pictures/{ANNE.id}_MThumb.jpg"
THROTTLED = Throttled("Graph asks to wait.", retry_after=38.0, service="graph")
NAMES = [f"{ANNE.id}_{size}Thumb.jpg" for size in "SML"]


class Both:
    """Exchange and SharePoint, as far as two pictures are compared: they agree."""

    def __init__(self) -> None:
        self.exchange: bytes | Exception = b"photo"
        self.scaled: bytes | Exception = NoPhoto("Exchange has no smaller rendition of the photo.")
        self.shown: Mapping[str, str] | Exception = {PICTURE_URL: URL, PLACEHOLDER_STATE: "0"}
        self.files: dict[str, bytes] = dict(zip(NAMES, render(b"photo"), strict=True))
        self.refusal: Exception | None = None
        self.removes = True
        self.my_urls: list[str] = []

    @property
    def comparison(self) -> PictureComparison:
        recipe = Recipe("48,72,300", 1, self.render)
        geos = Geos(Settings.from_mapping(ENOUGH), self.enter)
        return PictureComparison(cast("GraphClient", self), geos, recipe, removes=self.removes)

    def enter(self, my_url: str, admin_url: str) -> SharePointClient:
        self.my_urls.append(my_url)
        return cast("SharePointClient", self)

    def picture_folders(self) -> list[str]:
        raise AssertionError("Folders must not be listed.")

    def render(self, photo: bytes) -> tuple[bytes, bytes, bytes]:
        if photo == b"huge":
            raise PhotoTooLarge("The photo is too large.")
        if photo == b"broken":
            raise PhotoRefused("The photo is not a valid image.")
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


OURS = UserState(ANNE.id, picture_url=URL)
OLD = UserState(ANNE.id, picture_url="https://old.contoso.com/anne.jpg")
NONE, NO_MAILBOX = NoPhoto("There is no photo."), NoMailbox("There is no mailbox.")
EUROPE = {PERSONAL_HOST: "https://contosoeur-my.sharepoint.com/"}
SAME = r"SharePoint shows the photo from Exchange\."
ELSEWHERE = r"SharePoint shows PhotoSync's picture at an address on another host\."


class Case(NamedTuple):
    """The result, its sentence as a pattern, the state, and what differs from sides that agree."""

    agree: bool
    sentence: str
    known: UserState | None
    changes: dict[str, Any]


def case(agree: bool, sentence: str, known: UserState | None = None, **changes: Any) -> Case:
    return Case(agree, sentence, known, changes)


def shown(url: str = URL) -> dict[str, str]:
    return {PICTURE_URL: url, PLACEHOLDER_STATE: "0"}


MISSING = replace(OURS, missing_since=NOON)
NO_PROFILE, LEFT = NoProfile("None yet."), UnknownUser("Microsoft Graph has no such user.")
CASES: dict[str, Case] = {
    "same": case(True, SAME),
    "file missing": case(False, f"There is no file {NAMES[1]}.", files={NAMES[0]: b"S:photo"}),
    # Such a photo is compared by the rendition from which it was copied.
    "too large": case(True, SAME, exchange=b"huge", scaled=b"photo"),
    "too large, no rendition": case(False, r"The photo is too large\.", exchange=b"huge"),
    "broken photo": case(False, r"The photo is not a valid image\.", exchange=b"broken"),
    "not shown": case(False, ".*shows no picture, although.*", shown={}),
    "chosen": case(False, ".*a picture that a person chose.*", shown=shown(CHOSEN)),
    "other host": case(False, ELSEWHERE, shown=shown(URL.replace("contoso-my", "old-my"))),
    # The state says that we wrote it, so no person chose it.
    "other host, ours": case(False, ELSEWHERE, OLD, shown=shown(f"{OLD.picture_url}?t=2")),
    "unknown geography": case(
        False,
        ".*on eur-my.share.*",
        shown=shown() | {PERSONAL_HOST: "https://eur-my.sharepoint.com/"},
    ),
    # A moved user still has the old address until the next copy.
    "moved": case(False, ELSEWHERE, shown=shown() | EUROPE),
    "placeholder": case(
        False, ".*shows its placeholder.*", shown=shown() | {PLACEHOLDER_STATE: "1"}
    ),
    "neither": case(True, f"{NONE} SharePoint shows no picture either.", exchange=NONE, shown={}),
    "no mailbox, no picture": case(
        True, f"{NO_MAILBOX} SharePoint shows no picture either.", exchange=NO_MAILBOX, shown={}
    ),
    "photo gone": case(False, f"{NONE} .*after two sweeps find no photo.", OURS, exchange=NONE),
    "photo gone, seen once": case(
        False,
        f"{NONE} .*A sweep removes it once a second check finds no photo.",
        MISSING,
        exchange=NONE,
    ),
    "photo gone, not ours": case(
        False, f"{NONE} .*did not write.*", UserState(ANNE.id), exchange=NONE
    ),
    "photo gone, no state": case(False, f"{NONE} .*did not write.*", exchange=NONE),
    "pictures are kept": case(False, ".*REMOVED_PHOTO.*", MISSING, exchange=NONE, removes=False),
    # No sweep removes the picture of a user without a mailbox.
    "mailbox gone": case(False, "(?!.*sweep).*which stays.*", MISSING, exchange=NO_MAILBOX),
    "user left": case(False, ".*until PhotoSync forgets.*", OURS, exchange=LEFT),
    "no profile": case(False, "None yet.", shown=NO_PROFILE),
    "no profile, no photo": case(True, "None yet.", shown=NO_PROFILE, exchange=NONE),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_comparison(both: Both, case: Case):
    """Whether both sides agree, and the sentence about it."""
    for name, value in case.changes.items():
        setattr(both, name, value)
    difference = both.comparison.compare(ANNE, case.known)

    assert difference.agree is case.agree
    assert re.fullmatch(case.sentence, difference.sentence)
    assert difference.unasked == ()
    assert difference.chosen == (CHOSEN if case is CASES["chosen"] else "")
    if isinstance(both.shown, NoProfile):
        assert difference.profile is None


@pytest.mark.parametrize("name", NAMES)
def test_another_picture(both: Both, name: str):
    """One of the three files that differs is enough."""
    both.files[name] = b"another"
    difference = both.comparison.compare(ANNE, None)

    why = "SharePoint shows a different picture from the photo in Exchange."
    assert (difference.agree, difference.sentence) == (False, why)
    assert difference.profile == {
        PICTURE_URL: URL,
        PLACEHOLDER_STATE: "0",
        "SPS-PictureExchangeSyncState": "",
        "SPS-PictureTimestamp": "",
    }


DOWN, DENIED, ODD = ServiceDown("Down."), AccessDenied("A role."), Refused("Odd.")
UNKNOWN: dict[str, tuple[dict[str, Any], list[tuple[str, PhotoSyncError, float | None]]]] = {
    "Exchange": ({"exchange": THROTTLED}, [("exchange", THROTTLED, 38.0)]),
    "rendition": ({"exchange": b"huge", "scaled": THROTTLED}, [("exchange", THROTTLED, 38.0)]),
    "profile": ({"shown": DOWN}, [("sharepoint", DOWN, None)]),
    "file, denied": ({"refusal": DENIED}, [("sharepoint", DENIED, None)]),
    "file, refused": ({"refusal": ODD}, [("sharepoint", ODD, None)]),
    "file, throttled": ({"refusal": THROTTLED}, [("sharepoint", THROTTLED, 38.0)]),
    "both": (
        {"exchange": THROTTLED, "shown": THROTTLED},
        [("exchange", THROTTLED, 38.0), ("sharepoint", THROTTLED, 38.0)],
    ),
}


@pytest.mark.parametrize(("changes", "unasked"), UNKNOWN.values(), ids=UNKNOWN)
def test_side_that_cannot_be_read(both: Both, changes, unasked):
    """Then the difference is unknown; the other side's profile is still shown."""
    for name, value in changes.items():
        setattr(both, name, value)
    difference = both.comparison.compare(ANNE, None)

    assert difference.agree is None
    # A reason that both sides share is given once.
    assert difference.sentence == f"Exchange and SharePoint cannot be compared now. {unasked[0][1]}"
    assert difference.unasked == tuple((side, str(error), wait) for side, error, wait in unasked)
    assert (difference.profile is None) is ("shown" in changes)


def test_exchange_is_not_asked_again(both: Both):
    """If the caller already has Exchange's error, Exchange is not asked."""
    both.exchange = AssertionError("Exchange must not be asked.")
    difference = both.comparison.compare(ANNE, None, exchange_error=THROTTLED)

    assert [each.side for each in difference.unasked] == ["exchange"]


def test_pictures(both: Both):
    """Each side's picture: the photo in Exchange, and the large one in SharePoint."""
    assert both.comparison.exchange(ANNE) == b"photo"
    assert both.comparison.sharepoint(ANNE, None) == b"L:photo"


def test_small_pictures(both: Both):
    """Each side is also available as a thumbnail, unless it is not a picture."""
    photo = picture(1)
    both.exchange = both.scaled = photo
    both.files[NAMES[-1]] = photo
    small = both.comparison.exchange(ANNE, small=True)

    assert Image.open(io.BytesIO(small)).size == (120, 120)
    assert both.comparison.sharepoint(ANNE, None, small=True) == small
    both.exchange = b"broken"
    with pytest.raises(PhotoRefused):
        both.comparison.exchange(ANNE, small=True)


@pytest.mark.parametrize(
    ("known", "url"),
    [(None, ""), (None, URL.replace("contoso-my", "old-my")), (OLD, OLD.picture_url)],
    ids=["none", "other host", "other host, ours"],
)
def test_no_picture_of_ours(both: Both, known: UserState | None, url: str):
    """There is no picture unless it is on our host or a person chose it."""
    both.shown = {PICTURE_URL: url}

    with pytest.raises(NoPhoto, match="shows no picture"):
        both.comparison.sharepoint(ANNE, known)


def test_user_of_a_satellite(both: Both):
    """Both sides of a user in another geography are read there."""
    both.shown = shown(URL.replace("contoso-my", "contosoeur-my")) | EUROPE

    assert both.comparison.compare(ANNE, None).agree
    assert both.comparison.sharepoint(ANNE, None) == b"L:photo"
    assert both.my_urls[-1] == "https://contosoeur-my.sharepoint.com"


def test_chosen_picture(both: Both):
    """A chosen picture is not fetched from its address, which the error names."""
    both.shown = {PICTURE_URL: CHOSEN}

    with pytest.raises(PictureKept, match=r"chose a picture at cdn\.contoso\.com\."):
        both.comparison.sharepoint(ANNE, None)
