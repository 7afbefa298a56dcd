"""Reads both sides of one user as they are now, and says in words whether they agree."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from shared.errors import (
    AccessDenied,
    GiveUp,
    NoPhoto,
    NoProfile,
    OtherHost,
    PhotoRefused,
    PhotoSyncError,
    Refused,
    Settled,
    TryLater,
    UnknownUser,
)
from shared.graph.client import GraphClient
from shared.pictures.recipe import Recipe
from shared.pictures.renditions import renditions
from shared.pictures.sizes import SUFFIXES
from shared.sharepoint import chosen_picture
from shared.sharepoint.chosen_picture import chosen_in
from shared.sharepoint.geos import Geo, Geos, Residence
from shared.sharepoint.inspection import PLACEHOLDER_STATE, SHOWS_PICTURE
from shared.sharepoint.picture_location import PICTURE_URL, PictureLocation, shown_in
from shared.sharepoint.publisher import SYNC_STATE, TIMESTAMP
from shared.storage.user_state import SYNCED, UserState
from shared.user import User

T = TypeVar("T")

EXCHANGE, SHAREPOINT = "exchange", "sharepoint"
# For lists that people read or print, of some 6 KB each.
_THUMBNAIL = Recipe("", 0, render=functools.partial(renditions, sizes=(120,)))
# Results of a comparison, each in a word. Both sides agree:
SAME, NEITHER = "same", "neither"
# There is a photo in Exchange, and SharePoint shows
NOTHING, CHOSEN, ELSEWHERE, PLACEHOLDER = "nothing", "chosen", "elsewhere", "placeholder"
OTHER, UNREADABLE = "other", "unreadable"
# There is none, and SharePoint still shows ours, or another one.
LAST, FOREIGN = "last", "foreign"
# SharePoint has no profile, or one on a host that is not ours; one side could not be read.
NO_PROFILE, ANOTHER_HOST, UNASKED = "no-profile", "another-host", "unasked"
FINDINGS = frozenset(
    {SAME, NEITHER, NOTHING, CHOSEN, ELSEWHERE, PLACEHOLDER, OTHER, UNREADABLE}
    | {LAST, FOREIGN, NO_PROFILE, ANOTHER_HOST, UNASKED}
)
_SHOWN = (PICTURE_URL, PLACEHOLDER_STATE, SYNC_STATE, TIMESTAMP)


class UnreadSide(NamedTuple):
    """A side that could not be read: why, and for how many seconds if the service said so."""

    side: str
    sentence: str
    retry_after: float | None


@dataclass(frozen=True)
class Difference:
    """
    Whether SharePoint shows what Exchange has, None if a side could not be read; one sentence about
    it, and the profile. `finding` is one of FINDINGS. `chosen` is the address of a picture that a
    person chose.
    """

    finding: str
    agree: bool | None
    sentence: str
    profile: Mapping[str, str] | None
    unasked: tuple[UnreadSide, ...] = ()
    chosen: str = ""


class PictureComparison:
    """Reads both sides. Reading a picture raises Throttled, ServiceDown, AccessDenied."""

    def __init__(
        self,
        graph: GraphClient,
        geos: Geos,
        recipe: Recipe,
        *,
        removes: bool,
    ) -> None:
        """*removes* says whether the picture is removed when its photo is gone."""
        self._graph = graph
        self._geos = geos
        self._recipe = recipe
        self._removes = removes

    def exchange(self, user: User, *, small: bool = False) -> bytes:
        """
        The photo in Exchange, or a *small* one as SharePoint would show it. Raises NoPhoto,
        NoMailbox, and PhotoRefused for one that cannot be made small.
        """
        photo = self._graph.photo(user.id)
        if not small:
            return photo
        return _THUMBNAIL.pictures(photo, lambda: self._scaled(user))[0]

    def sharepoint(self, user: User, known: UserState | None, *, small: bool = False) -> bytes:
        """
        The large picture that pages show, or the one that a person chose. Raises NoProfile, NoPhoto
        if there is none, PictureKept if a chosen one cannot be shown, OtherHost, and PhotoRefused
        for one that cannot be made *small*.
        """
        picture = self._shown_picture(user, known)
        return _THUMBNAIL.render(picture)[0] if small else picture

    def _shown_picture(self, user: User, known: UserState | None) -> bytes:
        wrote = known.picture_url if known else ""
        geo, profile = self._geos.residence(user, wrote)
        location = shown_in(profile, geo.my_url).here
        chosen = chosen_in(profile, geo.my_url, user_id=user.id, wrote=wrote)
        if location is None and chosen:
            return chosen_picture.read(geo.sharepoint, chosen)
        if location is None:
            raise NoPhoto("SharePoint shows no picture from its picture library for this user.")
        return geo.sharepoint.picture(location.folder, location.name + SUFFIXES[-1])

    def compare(
        self, user: User, known: UserState | None, *, exchange_error: PhotoSyncError | None = None
    ) -> Difference:
        """
        Compare the pictures themselves: one photo makes the same three files every time.

        *exchange_error* says why Exchange cannot be read; it is not asked then. Raises none of our
        errors: what could not be found out is not a difference, and is reported as unknown.
        """
        photo: bytes | PhotoSyncError
        photo = exchange_error if exchange_error else _result_of(lambda: self._graph.photo(user.id))
        wrote = known.picture_url if known else ""
        home = _result_of(lambda: self._geos.residence(user, wrote))
        found = self._compare(user, known, photo, home)
        if isinstance(home, PhotoSyncError):
            return found
        chosen = chosen_in(home.profile, home.geo.my_url, user_id=user.id, wrote=wrote)
        return replace(found, chosen=chosen.url if chosen else "")

    def _compare(
        self,
        user: User,
        known: UserState | None,
        photo: bytes | PhotoSyncError,
        home: Residence | PhotoSyncError,
    ) -> Difference:
        shown = _shown(home.profile) if isinstance(home, Residence) else None
        unasked = [*_unread_side(EXCHANGE, photo), *_unread_side(SHAREPOINT, home)]
        if unasked:
            return _unknown(unasked, shown)
        if shown is None or isinstance(home, PhotoSyncError):
            finding = ANOTHER_HOST if isinstance(home, OtherHost) else NO_PROFILE
            return Difference(
                finding, isinstance(photo, Settled), _without_profile(home, known), None
            )
        if isinstance(photo, PhotoSyncError):
            return self._without_photo(photo, shown, known)
        return self._with_photo(user, photo, home.geo, shown, known)

    def _with_photo(
        self, user: User, photo: bytes, geo: Geo, shown: Mapping[str, str], known: UserState | None
    ) -> Difference:
        picture = shown_in(shown, geo.my_url)
        if not picture.url:
            why = "SharePoint shows no picture, although Exchange has a photo."
            return Difference(NOTHING, False, why, shown)
        if picture.is_chosen(user.id, wrote=known.picture_url if known else ""):
            why = "SharePoint shows a picture that a person chose."
            return Difference(CHOSEN, False, why, shown)
        if (location := picture.here) is None:
            why = "SharePoint shows PhotoSync's picture at an address on another host."
            return Difference(ELSEWHERE, False, why, shown)
        if shown[PLACEHOLDER_STATE] != SHOWS_PICTURE:
            why = "SharePoint has a picture but shows its placeholder."
            return Difference(PLACEHOLDER, False, why, shown)
        return self._of_files(user, photo, geo, location, shown)

    def _of_files(
        self,
        user: User,
        photo: bytes,
        geo: Geo,
        location: PictureLocation,
        shown: Mapping[str, str],
    ) -> Difference:
        side, doubt = EXCHANGE, UNREADABLE
        try:
            wanted = self._recipe.pictures(photo, lambda: self._scaled(user))
            side, doubt = SHAREPOINT, OTHER
            held = [geo.sharepoint.picture(location.folder, name) for name in location.files]
        except (PhotoRefused, NoPhoto) as error:
            # NoPhoto: a file that the profile names is gone, or no smaller rendition is available.
            return Difference(doubt, False, str(error), shown)
        except (TryLater, AccessDenied, Refused) as error:
            return _unknown(_unread_side(side, error), shown)
        if list(wanted) != held:
            why = "SharePoint shows a different picture from the photo in Exchange."
            return Difference(OTHER, False, why, shown)
        return Difference(SAME, True, "SharePoint shows the photo from Exchange.", shown)

    def _scaled(self, user: User) -> bytes:
        return self._graph.scaled_photo(user.id).photo

    def _without_photo(
        self, why: PhotoSyncError, shown: Mapping[str, str], known: UserState | None
    ) -> Difference:
        if not shown[PICTURE_URL]:
            return Difference(NEITHER, True, f"{why} SharePoint shows no picture either.", shown)
        finding = LAST if known and known.picture_url else FOREIGN
        return Difference(finding, False, f"{why} {self._what_becomes(why, known)}", shown)

    def _what_becomes(self, why: PhotoSyncError, known: UserState | None) -> str:
        """What happens to a picture without a photo; `is_gone` in `sweeping` decides."""
        if not known or not known.picture_url:
            return "SharePoint shows a picture that PhotoSync did not write."
        if isinstance(why, UnknownUser):
            return "SharePoint shows the last picture until PhotoSync forgets this user."
        if not isinstance(why, NoPhoto):
            return (
                "SharePoint still shows the last picture, which stays: PhotoSync removes a picture "
                "only when its photo is removed from the mailbox."
            )
        if not self._removes:
            return "SharePoint still shows the last picture, which stays: REMOVED_PHOTO is keep."
        if known.missing_since is None:
            return (
                "SharePoint still shows the last picture. PhotoSync removes it after two sweeps "
                "find no photo."
            )
        return (
            "SharePoint still shows the last picture. A sweep removes it once a second check "
            "finds no photo."
        )


def _without_profile(home: object, known: UserState | None) -> str:
    """What happens to a user without a profile: if the user is synced, sweeps see nothing to do."""
    if isinstance(home, NoProfile) and known and known.status == SYNCED:
        return (
            "SharePoint no longer has a profile for this user. The next audit that repairs, or a "
            "replay, records this. After that, sweeps check once a day and copy the photo into a "
            "new profile."
        )
    return str(home)


def _result_of(ask: Callable[[], T]) -> T | PhotoSyncError:
    try:
        return ask()
    except (Settled, TryLater, GiveUp) as error:
        return error


def _shown(profile: Mapping[str, str]) -> dict[str, str]:
    return {name: profile.get(name, "") for name in _SHOWN}


def _unread_side(side: str, found: object) -> list[UnreadSide]:
    """*side* as unasked, if *found* is an error that says so."""
    if isinstance(found, TryLater):
        return [UnreadSide(side, str(found), found.retry_after)]
    return [UnreadSide(side, str(found), None)] if isinstance(found, GiveUp) else []


def _unknown(unasked: Sequence[UnreadSide], shown: Mapping[str, str] | None) -> Difference:
    reasons = " ".join(dict.fromkeys(each.sentence for each in unasked))
    sentence = f"Exchange and SharePoint cannot be compared now. {reasons}"
    return Difference(UNASKED, None, sentence, shown, tuple(unasked))
