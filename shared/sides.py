"""Looks at both sides of one user as they are now, and says in words whether they agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import GiveUp, NoPhoto, NoProfile, Settled
from shared.graph import GraphClient, User
from shared.picture_location import SUFFIXES, shown_by
from shared.publishing import PICTURE_URL, PLACEHOLDER_STATE, SYNC_STATE, TIMESTAMP
from shared.run import Recipe
from shared.sharepoint import SharePointClient
from shared.state import UserState

_SHOWN = (PICTURE_URL, PLACEHOLDER_STATE, SYNC_STATE, TIMESTAMP)


@dataclass(frozen=True)
class Difference:
    """Whether SharePoint shows what Exchange holds, one sentence about it, and the profile."""

    agree: bool
    sentence: str
    profile: Mapping[str, str] | None


class Sides:
    """Reads both sides. Errors: Throttled, ServiceDown, AccessDenied."""

    def __init__(
        self, graph: GraphClient, sharepoint: SharePointClient, recipe: Recipe, my_url: str
    ) -> None:
        self._graph = graph
        self._sharepoint = sharepoint
        self._recipe = recipe
        self._my_url = my_url

    def exchange(self, user: User) -> bytes:
        """The photo in Exchange. Raises NoPhoto, NoMailbox."""
        return self._graph.photo(user.id)

    def sharepoint(self, user: User) -> bytes:
        """The large picture that pages show. Raises NoProfile, NoPhoto when there is none."""
        profile = self._sharepoint.profile(user.user_principal_name)
        location = shown_by(profile.get(PICTURE_URL, ""), self._my_url)
        if location is None:
            raise NoPhoto("SharePoint shows no picture from its picture library for this user.")
        return self._sharepoint.picture(location.folder, location.name + SUFFIXES[-1])

    def compare(self, user: User, known: UserState | None) -> Difference:
        """Compare the pictures themselves: one photo makes the same three files every time."""
        try:
            photo = self._graph.photo(user.id)
            without = ""
        except Settled as error:
            photo, without = b"", str(error)
        try:
            profile = self._sharepoint.profile(user.user_principal_name)
        except NoProfile as error:
            return Difference(bool(without), str(error), None)
        shown = {name: profile.get(name, "") for name in _SHOWN}
        if without:
            return _without_photo(without, shown, known)
        why = self._why_not_shown(photo, shown)
        return Difference(not why, why or "SharePoint shows the photo that Exchange holds.", shown)

    def _why_not_shown(self, photo: bytes, shown: Mapping[str, str]) -> str:
        if not shown[PICTURE_URL]:
            return "SharePoint shows no picture, although there is a photo in Exchange."
        location = shown_by(shown[PICTURE_URL], self._my_url)
        if location is None:
            return "SharePoint shows a picture from elsewhere, which a person has set."
        if shown[PLACEHOLDER_STATE] != "0":
            return "SharePoint has a picture but shows its placeholder."
        try:
            wanted = list(self._recipe.render(photo))
            held = [self._sharepoint.picture(location.folder, name) for name in location.files]
        except (GiveUp, NoPhoto) as error:
            return str(error)
        return "" if wanted == held else "SharePoint shows another picture than Exchange holds."


def _without_photo(why: str, shown: Mapping[str, str], known: UserState | None) -> Difference:
    if not shown[PICTURE_URL]:
        return Difference(True, f"{why} SharePoint shows none either.", shown)
    if known and known.picture_url:
        rest = "SharePoint still shows the last one; a sweep removes it after a second look."
    else:
        rest = "SharePoint shows a picture that PhotoSync did not put there."
    return Difference(False, f"{why} {rest}", shown)
