"""
Uploads a user's renditions to SharePoint and makes the profile show them.

Files first, then properties, the timestamp last: a crash in between leaves the old URL with new
bytes, which is harmless (facts: sharepoint.md section 2).
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from shared.errors import NoPhoto, NoProfile, OtherHost, PictureKept, Unanswered
from shared.settings.app import Settings
from shared.sharepoint.client import OBJECT_ID, SharePointClient
from shared.sharepoint.geos import Geo, Geos
from shared.sharepoint.inspection import (
    PLACEHOLDER_STATE,
    SHOWS_PICTURE,
    Inspection,
    inspected,
    profile_inspected,
)
from shared.sharepoint.picture_location import (
    PICTURE_URL,
    PictureLocation,
    Shown,
    is_named_by_id,
    is_named_by_upn,
    rivals,
    shown_by,
    shown_in,
)
from shared.user import User
from shared.written_file import WrittenFile

T = TypeVar("T")

SYNC_STATE = "SPS-PictureExchangeSyncState"
TIMESTAMP = "SPS-PictureTimestamp"
# All properties that we write, in the order that stops pages from showing files about to go.
_PICTURE_PROPERTIES = (PICTURE_URL, PLACEHOLDER_STATE, SYNC_STATE, TIMESTAMP)
# Whole seconds between 0001-01-01 and 1970-01-01 (section 2, recorded).
_UNIX_EPOCH = 62_135_596_800
_UPLOADS_AT_ONCE = 40
_ANOTHER = "The photo is gone, but a person chose another picture, so PhotoSync keeps it."
# With more rivals than this, files are named by object id.
MOST_RIVALS = 40


@dataclass(frozen=True)
class Plan:
    """What will be written for one user; `changes` are profile properties, the timestamp last."""

    upn: str
    location: PictureLocation
    picture_url: str
    changes: Mapping[str, str]
    # Where to write; None is the home geography.
    geo: Geo | None = None

    @property
    def is_shown(self) -> bool:
        """Whether the profile already shows these files: only the timestamp differs."""
        return set(self.changes) <= {TIMESTAMP}

    def __str__(self) -> str:
        return f"upload {len(self.location.files)} pictures and set {', '.join(self.changes)}"


@dataclass(frozen=True)
class Removal:
    """
    What will be removed; `location` is None if no file is certainly ours. If the profile stays
    unchanged, `kept` says why.
    """

    upn: str
    location: PictureLocation | None
    changes: Mapping[str, str]
    geo: Geo | None = None
    kept: str = ""

    def __str__(self) -> str:
        changes = f" and set {', '.join(self.changes)}" if self.changes else ""
        return f"remove the picture{changes}"


class Publisher:
    """Plans and applies the changes for one user at a time; threads may share it."""

    def __init__(
        self,
        geos: Geos,
        settings: Settings,
        knows_any: Callable[[Sequence[str]], bool],
        clock: Callable[[], datetime],
    ) -> None:
        self._geos = geos
        self._knows_any = knows_any
        self._settings = settings
        self._clock = clock
        # One pool per process, so that its threads keep their connections.
        self._pool = ThreadPoolExecutor(_UPLOADS_AT_ONCE, thread_name_prefix="upload")

    def close(self) -> None:
        """Wait for the uploads in flight; no new ones can begin."""
        self._pool.shutdown()

    def plan(self, user: User, picture_url: str, *, replace: bool = False) -> Plan:
        """
        Read the user's profile and decide what to write. Writes nothing.

        *picture_url* is the URL of our last picture, empty if there was none. With *replace*, a
        picture that a person chose is not kept. Raises NoProfile, PictureKept, OtherHost, and what
        SharePointClient raises.
        """
        geo, profile = self._geos.residence(user, picture_url)
        shown = shown_in(profile, geo.my_url)
        if not replace:
            self._check_not_chosen(shown, user, picture_url)
        location = self._location(geo, shown.here, user)
        url = location.url(geo.my_url)
        if location == shown.here and not {"?", "#"} & set(shown.url):
            url = shown.url
        wanted = {
            PICTURE_URL: url,
            PLACEHOLDER_STATE: SHOWS_PICTURE,
            SYNC_STATE: self._settings.picture_sync_state,
        }
        changes = self._changes(profile, wanted)
        return Plan(user.user_principal_name, location, url, changes, geo)

    def publish(
        self, plan: Plan, renditions: Sequence[bytes], *, before_write: Callable[[], None]
    ) -> tuple[WrittenFile, ...]:
        """
        Upload *renditions* (small, middle, large), then write the properties of *plan* in order.

        Returns the files as written. Each request calls *before_write* first (ClaimLost). Also
        raises what SharePointClient raises; after an error, any part may have been written.
        """
        sharepoint, folder = self._client_for(plan), plan.location.folder
        written = self._run_all(
            functools.partial(sharepoint.upload, folder, name, content, before_write=before_write)
            for name, content in zip(plan.location.files, renditions, strict=True)
        )
        sharepoint.set_properties(plan.upn, plan.changes, before_write=before_write)
        return tuple(written)

    def find(self, plan: Plan, wanted: Sequence[WrittenFile]) -> tuple[WrittenFile | None, ...]:
        """
        Each *wanted* file (small, middle, large) at *plan*'s location, None if missing or changed.

        Three calls if the ETags match. A changed ETag costs one more call, for the bytes. Raises
        what SharePointClient raises.
        """
        return self._found(self._client_for(plan), plan.location, wanted)

    def inspect(self, user: User, picture_url: str, files: Sequence[WrittenFile]) -> Inspection:
        """
        Check that pages still show the *files* that we wrote at *picture_url*. Writes nothing.

        Four calls if nothing was changed: each of the three files must be checked itself. Raises
        PictureKept if a person has chosen another picture, NoProfile, OtherHost, and what
        SharePointClient raises.
        """
        geo, profile = self._geos.residence(user, picture_url)
        shown, ours = shown_in(profile, geo.my_url), shown_by(picture_url, geo.my_url)
        self._check_not_chosen(shown, user, picture_url)
        found = profile_inspected(profile, shown, ours)
        if found.damage or found.outdated or not shown.location:
            return found
        return inspected(self._found(geo.sharepoint, shown.location, files))

    def _found(
        self,
        sharepoint: SharePointClient,
        location: PictureLocation,
        wanted: Sequence[WrittenFile],
    ) -> tuple[WrittenFile | None, ...]:
        found = self._run_all(
            functools.partial(_find, sharepoint, location.folder, name, each)
            for name, each in zip(location.files, wanted, strict=True)
        )
        return tuple(found)

    def plan_removal(self, user: User, picture_url: str) -> Removal:
        """
        Decide how to remove the picture that we wrote at *picture_url*. Writes nothing.

        If the profile now shows another picture, that one stays and our files are still removed.
        Raises NoProfile, OtherHost, and what SharePointClient raises.
        """
        geo, profile = self._geos.residence(user, picture_url)
        shown, ours = shown_in(profile, geo.my_url), shown_by(picture_url, geo.my_url)
        another = shown.url != "" and not shown.is_same(ours)
        # After a user rename, files named by the old UPN may now belong to somebody else.
        # After a tenant rename, files at the former host are on the current host.
        place = ours.location
        location = place if place and self._is_own(place, user) else None
        if another:
            return Removal(user.user_principal_name, location, {}, geo, kept=_ANOTHER)
        wanted = {PICTURE_URL: "", PLACEHOLDER_STATE: "1"}
        return Removal(user.user_principal_name, location, self._changes(profile, wanted), geo)

    def plan_forgetting(self, leaver: User, picture_url: str) -> Removal:
        """
        Decide what to remove for a user whom Graph no longer knows. Writes nothing.

        *leaver* is from the state, *picture_url* is the URL of our last picture. What may now
        belong to somebody else stays: files named by a UPN that is in use, a profile that is not
        certainly the leaver's, and a profile that shows another picture. Raises what
        SharePointClient raises.
        """
        geo = self._geos.of(picture_url) or self._geos.home
        profile: Mapping[str, str] = {}
        # A profile is deleted some time after its user (sharepoint.md section 3).
        with contextlib.suppress(NoProfile, OtherHost):
            geo, profile = self._geos.residence(leaver, picture_url)
        shown, ours = shown_in(profile, geo.my_url), shown_by(picture_url, geo.my_url)
        place = ours.location
        location = place if place and self._is_own(place, leaver, has_left=True) else None
        owned = profile.get(OBJECT_ID, "").casefold() == leaver.id.casefold()
        changes: dict[str, str] = {}
        # A profile that shows nothing may belong to the next user with this name.
        shows_ours = bool(location or owned) and shown.is_same(ours)
        if shows_ours if shown.url else owned:
            changes = self._changes(profile, {PICTURE_URL: "", PLACEHOLDER_STATE: "1"})
        if set(changes) == {TIMESTAMP}:
            changes = {}
        return Removal(leaver.user_principal_name, location, changes, geo)

    def plan_withdrawal(self, user: User, picture_url: str, *, exists: bool) -> Removal:
        """
        Decide how to return the user to SharePoint's own sync, as if we had never written.

        Writes nothing. If the profile now shows another picture, that one stays; our files at
        *picture_url* are still removed. *exists* says whether Graph knows the user; if not, *user*
        is from the state. Raises OtherHost, and what SharePointClient raises, but not NoProfile.
        """
        geo = self._geos.of(picture_url) or self._geos.home
        profile: Mapping[str, str] = {}
        with contextlib.suppress(NoProfile):
            geo, profile = self._geos.residence(user, picture_url)
        shown, ours = shown_in(profile, geo.my_url), shown_by(picture_url, geo.my_url)
        is_ours = not shown.url or shown.is_same(ours)
        place = ours.location
        # The name of a deleted user may now belong to somebody else, and so may such files.
        is_own = place and (self._is_own(place, user) if exists else is_named_by_id(place, user.id))
        owned = profile.get(OBJECT_ID, "").casefold() == user.id.casefold()
        shows_own = shown.location is not None and is_named_by_id(shown.location, user.id)
        # A profile that does not name its owner is not certainly theirs either.
        is_theirs = is_ours and (exists or owned or shows_own)
        # These properties are empty before anybody writes them (section 2).
        written = [key for key in _PICTURE_PROPERTIES if profile.get(key)] if is_theirs else []
        location = place if is_own else None
        return Removal(user.user_principal_name, location, dict.fromkeys(written, ""), geo)

    def remove(self, plan: Removal, *, before_write: Callable[[], None]) -> None:
        """
        Write the properties of *plan* in order, then recycle the files: pages never show a broken
        picture.

        Each request calls *before_write* first (ClaimLost). Also raises what SharePointClient
        raises.
        """
        sharepoint = self._client_for(plan)
        sharepoint.set_properties(plan.upn, plan.changes, before_write=before_write)
        if plan.location:
            folder = plan.location.folder
            self._run_all(
                functools.partial(sharepoint.recycle, folder, name, before_write=before_write)
                for name in plan.location.files
            )

    def _check_not_chosen(self, shown: Shown, user: User, picture_url: str) -> None:
        """Raise PictureKept if a person has chosen the *shown* picture and settings keep it."""
        replaced = self._settings.replace_custom_picture
        if shown.is_chosen(user.id, wrote=picture_url) and not replaced:
            raise PictureKept(
                "The profile shows a picture that a person chose, so PhotoSync keeps it. To show "
                "the photo instead, press Replace in the console or replay with --replace. "
                "CUSTOM_PICTURE=replace replaces every such picture."
            )

    def _client_for(self, plan: Plan | Removal) -> SharePointClient:
        """The client for the geography of *plan*."""
        return (plan.geo or self._geos.home).sharepoint

    def _changes(self, profile: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
        """The properties that differ, then a new timestamp."""
        changes = {key: value for key, value in wanted.items() if profile.get(key, "") != value}
        changes[TIMESTAMP] = _next_timestamp(profile.get(TIMESTAMP, ""), self._clock())
        return changes

    def _run_all(self, calls: Iterable[Callable[[], T]]) -> list[T]:
        """Make all *calls* concurrently and wait for all: no write may outlive the claim."""
        started = [self._pool.submit(contextvars.copy_context().run, each) for each in calls]
        errors = [error for call in started if (error := call.exception())]
        # The error with the most uncertain effect decides.
        if errors:
            raise min(errors, key=lambda error: not isinstance(error, Unanswered))
        return [call.result() for call in started]

    def _location(self, geo: Geo, shown: PictureLocation | None, user: User) -> PictureLocation:
        """Where to write: over the *shown* files if they are certainly the user's own."""
        if shown is None or not geo.library.has(shown.folder):
            return PictureLocation(geo.library.folder(), user.id)
        return shown if self._is_own(shown, user) else PictureLocation(shown.folder, user.id)

    def _is_own(self, shown: PictureLocation, user: User, *, has_left: bool = False) -> bool:
        """Whether the files at *shown* belong to this user alone."""
        if is_named_by_id(shown, user.id):
            return True
        if not is_named_by_upn(shown, user.user_principal_name):
            return False
        others = list(itertools.islice(rivals(user.user_principal_name), MOST_RIVALS + 1))
        if len(others) > MOST_RIVALS:
            return False
        # The UPN of a user who has left may now belong to somebody else.
        return not self._knows_any([*others, *([user.user_principal_name] if has_left else [])])


def _find(
    sharepoint: SharePointClient, folder: str, name: str, wanted: WrittenFile
) -> WrittenFile | None:
    there = sharepoint.file(folder, name)
    if there is None or there.length != wanted.length:
        return None
    if there.etag == wanted.etag != "":
        return wanted
    try:
        content = sharepoint.picture(folder, name)
    except NoPhoto:
        return None
    return replace(wanted, etag=there.etag) if wanted.holds(content) else None


def _next_timestamp(before: str, now: datetime) -> str:
    """
    Seconds since the year 1, and later than *before*.

    Browsers cache the old picture until it changes, so two copies within a second must differ.
    """
    seconds = int(now.timestamp()) + _UNIX_EPOCH
    # A value in the far future was written by a tool with another epoch.
    if before.isdecimal() and seconds <= int(before[:20]) < seconds + 86_400:
        return str(int(before[:20]) + 1)
    return str(seconds)
