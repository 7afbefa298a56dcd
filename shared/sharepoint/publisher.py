"""
Puts a user's renditions into SharePoint and makes the profile show them.

Files first, properties after, the timestamp last: a crash in between leaves the old address with
new bytes, which is harmless (facts: sharepoint.md section 2).
"""

from __future__ import annotations

import contextvars
import functools
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from shared.errors import PictureKept, Refused, Unanswered
from shared.settings.app import Settings
from shared.sharepoint.client import PICTURE_LIBRARY, SharePointClient
from shared.sharepoint.picture_location import (
    PICTURE_URL,
    PictureLocation,
    is_named_by_id,
    is_named_by_upn,
    must_be_here,
    rivals,
    shown_by,
    shown_in,
)
from shared.user import User

PLACEHOLDER_STATE = "SPS-PicturePlaceholderState"
SYNC_STATE = "SPS-PictureExchangeSyncState"
TIMESTAMP = "SPS-PictureTimestamp"
# Names of the folder in the languages that are known (sharepoint.md section 1).
KNOWN_FOLDERS = {
    "Profile Pictures",
    "Profilbilder",
    "Profilbilleder",
    "Imagens de Perfil",
    "Profielafbeeldingen",
}
# Whole seconds between 0001-01-01 and 1970-01-01 (section 2, recorded).
_UNIX_EPOCH = 62_135_596_800
_UPLOADS_AT_ONCE = 24
# Who has more namesakes gets files named by object id.
MOST_RIVALS = 40


@dataclass(frozen=True)
class Plan:
    """What will be written for one user; `changes` are profile properties, the timestamp last."""

    upn: str
    location: PictureLocation
    picture_url: str
    changes: Mapping[str, str]

    @property
    def is_shown(self) -> bool:
        """Whether the profile shows these files already: all that differs is the timestamp."""
        return set(self.changes) <= {TIMESTAMP}

    def __str__(self) -> str:
        return f"upload {len(self.location.files)} pictures and set {', '.join(self.changes)}"


@dataclass(frozen=True)
class Removal:
    """What will be taken back; `location` is None when no file is surely ours."""

    upn: str
    location: PictureLocation | None
    changes: Mapping[str, str]

    def __str__(self) -> str:
        return f"take the picture back and set {', '.join(self.changes)}"


class Publisher:
    """Plans and makes the changes for one user at a time; threads may share it."""

    def __init__(
        self,
        sharepoint: SharePointClient,
        settings: Settings,
        knows_any: Callable[[Sequence[str]], bool],
        clock: Callable[[], datetime],
    ) -> None:
        self._sharepoint = sharepoint
        self._knows_any = knows_any
        self._settings = settings
        self._clock = clock
        self._folder = settings.picture_folder
        self._listed: frozenset[str] = frozenset()
        # One pool for the process, so that its threads keep their connections.
        self._pool = ThreadPoolExecutor(_UPLOADS_AT_ONCE, thread_name_prefix="upload")

    def plan(self, user: User, picture_url: str, *, replace: bool = False) -> Plan:
        """
        Read the user's profile and decide what to write. Writes nothing.

        *picture_url* is where we put the picture before, empty if we did not; with *replace* a
        picture that a person chose is not kept. Raises NoProfile, PictureKept, OtherHost, and what
        SharePointClient raises.
        """
        profile = self._profile(user)
        shown = shown_in(profile, self._settings.sharepoint_my_url)
        replaced = replace or self._settings.replace_custom_picture
        if shown.is_chosen(user.id, wrote=picture_url) and not replaced:
            raise PictureKept(
                "The profile shows a picture from elsewhere, which a person has set. It is kept. "
                "To show the photo, press Replace in the console or replay with --replace; "
                "CUSTOM_PICTURE=replace replaces every such picture."
            )
        location = self._location(shown.here, user)
        url = location.url(self._settings.sharepoint_my_url)
        if location == shown.here and not set("?#") & set(shown.url):
            url = shown.url
        wanted = {
            PICTURE_URL: url,
            PLACEHOLDER_STATE: "0",
            SYNC_STATE: self._settings.picture_sync_state,
        }
        changes = self._changes(profile, wanted)
        return Plan(user.user_principal_name, location, url, changes)

    def publish(self, plan: Plan, renditions: Sequence[bytes], *, not_after: float) -> None:
        """
        Upload *renditions* (small, middle, large), then write the properties of *plan* in order.

        No request begins after *not_after* (ClaimLost). Also raises what SharePointClient raises;
        then any part of it may have been written.
        """
        folder = plan.location.folder
        self._all(
            functools.partial(self._sharepoint.upload, folder, name, content, not_after=not_after)
            for name, content in zip(plan.location.files, renditions, strict=True)
        )
        for name, value in plan.changes.items():
            self._sharepoint.set_property(plan.upn, name, value, not_after=not_after)

    def plan_removal(self, user: User, picture_url: str) -> Removal:
        """
        Decide how to take back the picture that we put at *picture_url*. Writes nothing.

        Raises PictureKept when the profile shows another one by now, NoProfile, OtherHost, and
        what SharePointClient raises.
        """
        my_url = self._settings.sharepoint_my_url
        profile = self._profile(user)
        shown, ours = shown_in(profile, my_url), shown_by(picture_url, my_url)
        if shown.url and not shown.is_same(ours):
            raise PictureKept(
                "The photo is gone, but somebody has set another picture; it is kept."
            )
        # After a rename, files named by the old UPN may be somebody else's by now.
        place = shown.here or ours.here
        location = place if place and self._is_own(place, user) else None
        wanted = {PICTURE_URL: "", PLACEHOLDER_STATE: "1"}
        return Removal(user.user_principal_name, location, self._changes(profile, wanted))

    def remove(self, plan: Removal, *, not_after: float) -> None:
        """
        Write the properties of *plan* in order, then recycle the files: pages never show a gap.

        No request begins after *not_after* (ClaimLost). Also raises what SharePointClient raises.
        """
        for name, value in plan.changes.items():
            self._sharepoint.set_property(plan.upn, name, value, not_after=not_after)
        if plan.location:
            folder = plan.location.folder
            self._all(
                functools.partial(self._sharepoint.recycle, folder, name, not_after=not_after)
                for name in plan.location.files
            )

    def _profile(self, user: User) -> Mapping[str, str]:
        """The user's profile, where writing it and the files reaches the right host."""
        profile = self._sharepoint.profile(user)
        must_be_here(profile, self._settings.sharepoint_my_url)
        return profile

    def _changes(self, profile: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
        """The properties that differ, and a new timestamp last."""
        changes = {key: value for key, value in wanted.items() if profile.get(key, "") != value}
        changes[TIMESTAMP] = _next_timestamp(profile.get(TIMESTAMP, ""), self._clock())
        return changes

    def _all(self, writes: Iterable[Callable[[], None]]) -> None:
        """Make all *writes* at once, and wait for all of them: none may outlive the claim."""
        started = [self._pool.submit(contextvars.copy_context().run, each) for each in writes]
        errors = [error for write in started if (error := write.exception())]
        # The error that leaves most in doubt is the one to act on.
        if errors:
            raise min(errors, key=lambda error: not isinstance(error, Unanswered))

    def _location(self, shown: PictureLocation | None, user: User) -> PictureLocation:
        """Where the user's files go: those that are shown, if they are surely the user's own."""
        if shown is None or not self._is_folder(shown.folder):
            return PictureLocation(self._find_folder(), user.id)
        return shown if self._is_own(shown, user) else PictureLocation(shown.folder, user.id)

    def _is_own(self, shown: PictureLocation, user: User) -> bool:
        """Whether the files at *shown* are this user's, and nobody else's."""
        if is_named_by_id(shown, user.id):
            return True
        if not is_named_by_upn(shown, user.user_principal_name):
            return False
        others = list(itertools.islice(rivals(user.user_principal_name), MOST_RIVALS + 1))
        return len(others) <= MOST_RIVALS and not self._knows_any(others)

    def _is_folder(self, name: str) -> bool:
        """Whether *name* is a folder for pictures; a profile may name any."""
        # SharePoint itself takes no notice of case.
        folder = name.casefold()
        if folder in {each.casefold() for each in {*KNOWN_FOLDERS, self._settings.picture_folder}}:
            return True
        if folder not in self._listed:
            listed = self._sharepoint.picture_folders()
            self._listed = frozenset(each.casefold() for each in listed)
        return folder in self._listed

    def _find_folder(self) -> str:
        """The picture folder, whose name depends on the My Site host's language; asked once."""
        if not self._folder:
            self._folder = picture_folder(self._sharepoint.picture_folders())
        return self._folder


def picture_folder(found: Sequence[str]) -> str:
    """Which of the folders *found* in the library holds the pictures. Raises Refused."""
    known = [name for name in found if name in KNOWN_FOLDERS] or found
    if len(known) != 1:
        raise Refused(
            f"{PICTURE_LIBRARY} on the My Site host has {len(known)} folders that may hold "
            "pictures: set PICTURE_FOLDER to the right one's name."
        )
    return known[0]


def _next_timestamp(before: str, now: datetime) -> str:
    """
    Seconds since the year 1, and later than *before*.

    Browsers keep the old picture until it changes, so two copies in one second must differ.
    """
    seconds = int(now.timestamp()) + _UNIX_EPOCH
    # A value from the far future was written by somebody who counts otherwise.
    if before.isdecimal() and seconds <= int(before[:20]) < seconds + 86_400:
        return str(int(before[:20]) + 1)
    return str(seconds)
