"""Looks at both sides of one user as they are now, and says in words whether they agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from shared.errors import (
    AccessDenied,
    GiveUp,
    NoPhoto,
    PhotoRefused,
    PhotoSyncError,
    Refused,
    Settled,
    TryLater,
)
from shared.graph.client import GraphClient
from shared.pictures.recipe import Recipe
from shared.pictures.sizes import SUFFIXES
from shared.sharepoint import chosen_picture
from shared.sharepoint.chosen_picture import ChosenPicture, chosen_in
from shared.sharepoint.client import SharePointClient
from shared.sharepoint.picture_location import PICTURE_URL, must_be_here, shown_in
from shared.sharepoint.publisher import PLACEHOLDER_STATE, SYNC_STATE, TIMESTAMP
from shared.storage.user_state import UserState
from shared.user import User

T = TypeVar("T")

EXCHANGE, SHAREPOINT = "exchange", "sharepoint"
_SHOWN = (PICTURE_URL, PLACEHOLDER_STATE, SYNC_STATE, TIMESTAMP)


class Unasked(NamedTuple):
    """A side that could not be asked: why, and for how many seconds if the service said so."""

    side: str
    sentence: str
    retry_after: float | None


@dataclass(frozen=True)
class Difference:
    """
    Whether SharePoint shows what Exchange holds, None where a side could not be asked; one
    sentence about it, and the profile.
    """

    agree: bool | None
    sentence: str
    profile: Mapping[str, str] | None
    unasked: tuple[Unasked, ...] = ()


class Sides:
    """Reads both sides. Errors of the pictures: Throttled, ServiceDown, AccessDenied."""

    def __init__(
        self,
        graph: GraphClient,
        sharepoint: SharePointClient,
        recipe: Recipe,
        my_url: str,
        *,
        removes: bool,
    ) -> None:
        """*removes* says whether a photo that is gone takes its picture along."""
        self._graph = graph
        self._sharepoint = sharepoint
        self._recipe = recipe
        self._my_url = my_url
        self._removes = removes

    def exchange(self, user: User) -> bytes:
        """The photo in Exchange. Raises NoPhoto, NoMailbox."""
        return self._graph.photo(user.id)

    def sharepoint(self, user: User, known: UserState | None) -> bytes:
        """
        The large picture that pages show, or the one that a person chose. Raises NoProfile, NoPhoto
        when there is none, PictureKept when a chosen one cannot be shown.
        """
        profile = self._sharepoint.profile(user)
        location = shown_in(profile, self._my_url).here
        if location is None and (chosen := self._chosen(user, known, profile)):
            return chosen_picture.read(self._sharepoint, chosen)
        if location is None:
            raise NoPhoto("SharePoint shows no picture from its picture library for this user.")
        return self._sharepoint.picture(location.folder, location.name + SUFFIXES[-1])

    def chosen(self, user: User, known: UserState | None, profile: Mapping[str, str] | None) -> str:
        """The address of the picture in *profile* if a person chose it, else nothing."""
        found = self._chosen(user, known, profile or {})
        return found.url if found else ""

    def _chosen(
        self, user: User, known: UserState | None, profile: Mapping[str, str]
    ) -> ChosenPicture | None:
        wrote = known.picture_url if known else ""
        return chosen_in(profile, self._my_url, user_id=user.id, wrote=wrote)

    def compare(
        self, user: User, known: UserState | None, *, exchange_error: PhotoSyncError | None = None
    ) -> Difference:
        """
        Compare the pictures themselves: one photo makes the same three files every time.

        With *exchange_error* Exchange is not asked, for that says why it cannot be. Raises nothing
        of ours: what could not be found out is no difference, and is told as such.
        """
        photo: bytes | PhotoSyncError
        photo = exchange_error if exchange_error else _asked(lambda: self._graph.photo(user.id))
        profile = _asked(lambda: self._profile(user))
        shown = None if isinstance(profile, PhotoSyncError) else _shown(profile)
        unasked = [*_silence(EXCHANGE, photo), *_silence(SHAREPOINT, profile)]
        if unasked:
            return _unknown(unasked, shown)
        if shown is None:
            return Difference(isinstance(photo, Settled), str(profile), None)
        if isinstance(photo, PhotoSyncError):
            return self._without_photo(photo, shown, known)
        return self._with_photo(user, photo, shown, known)

    def _profile(self, user: User) -> Mapping[str, str]:
        profile = self._sharepoint.profile(user)
        must_be_here(profile, self._my_url)
        return profile

    def _with_photo(
        self, user: User, photo: bytes, shown: Mapping[str, str], known: UserState | None
    ) -> Difference:
        picture, asked = shown_in(shown, self._my_url), EXCHANGE
        why = ""
        try:
            if not picture.url:
                why = "SharePoint shows no picture, although there is a photo in Exchange."
            elif picture.is_chosen(user.id, wrote=known.picture_url if known else ""):
                why = "SharePoint shows a picture from elsewhere, which a person has set."
            elif (location := picture.here) is None:
                why = "SharePoint shows our picture at its address on another host."
            elif shown[PLACEHOLDER_STATE] != "0":
                why = "SharePoint has a picture but shows its placeholder."
            else:
                wanted = self._recipe.pictures(photo, lambda: self._scaled(user))
                asked = SHAREPOINT
                held = [self._sharepoint.picture(location.folder, name) for name in location.files]
                if list(wanted) != held:
                    why = "SharePoint shows another picture than Exchange holds."
        except (PhotoRefused, NoPhoto) as error:
            why = str(error)
        except (TryLater, AccessDenied, Refused) as error:
            return _unknown(_silence(asked, error), shown)
        return Difference(not why, why or "SharePoint shows the photo that Exchange holds.", shown)

    def _scaled(self, user: User) -> bytes:
        return self._graph.scaled_photo(user.id).photo

    def _without_photo(
        self, why: PhotoSyncError, shown: Mapping[str, str], known: UserState | None
    ) -> Difference:
        if not shown[PICTURE_URL]:
            return Difference(True, f"{why} SharePoint shows none either.", shown)
        return Difference(False, f"{why} {self._what_becomes(why, known)}", shown)

    def _what_becomes(self, why: PhotoSyncError, known: UserState | None) -> str:
        """What will be done about a picture without a photo; `is_gone` in `sweeping` decides."""
        if not known or not known.picture_url:
            return "SharePoint shows a picture that PhotoSync did not put there."
        if not isinstance(why, NoPhoto):
            return (
                "SharePoint still shows the last one, and keeps it: only a photo that is gone from "
                "a mailbox takes its picture along."
            )
        if not self._removes:
            return "SharePoint still shows the last one, and keeps it: REMOVED_PHOTO is keep."
        if known.missing_since is None:
            return "SharePoint still shows the last one; two sweeps that find no photo remove it."
        return "SharePoint still shows the last one; a sweep removes it after a second look."


def _asked(ask: Callable[[], T]) -> T | PhotoSyncError:
    try:
        return ask()
    except (Settled, TryLater, GiveUp) as error:
        return error


def _shown(profile: Mapping[str, str]) -> dict[str, str]:
    return {name: profile.get(name, "") for name in _SHOWN}


def _silence(side: str, found: object) -> list[Unasked]:
    """*side* as one that could not be asked, if *found* is the error that says so."""
    if isinstance(found, TryLater):
        return [Unasked(side, str(found), found.retry_after)]
    return [Unasked(side, str(found), None)] if isinstance(found, GiveUp) else []


def _unknown(unasked: Sequence[Unasked], shown: Mapping[str, str] | None) -> Difference:
    said = " ".join(dict.fromkeys(each.sentence for each in unasked))
    sentence = f"Whether both sides agree cannot be told now. {said}"
    return Difference(None, sentence, shown, tuple(unasked))
