"""
What PhotoSync stores about a user, and the only way to change it.

One blob per user, `users/<object id>.json`. Every write names the version it replaces: of two runs
that read the same version, one writes and the other gets a Conflict.
"""

from __future__ import annotations

import json
from dataclasses import KW_ONLY, asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from shared import counts, moments
from shared.storage.unreadable import Keeper
from shared.written_file import WrittenFile

SYNCED, NO_PHOTO, REMOVED = "synced", "no-photo", "removed"
SKIPPED, FAILED, WAITING, LEFT = "skipped", "failed", "waiting", "left"
# The reason of a user for whom an uninstall has failed; the uninstall checks for it.
NOT_TAKEN_BACK = "not-taken-back"
STATUSES = frozenset({SYNCED, NO_PHOTO, REMOVED, SKIPPED, FAILED, WAITING, LEFT})

# Seconds. No run of any version claims for longer: a longer claim was edited by hand.
LONGEST_CLAIM = 600.0
# A photo is gone when two checks this far apart find none.
SECOND_LOOK_AFTER = timedelta(minutes=10)
# At most this many people wait for the same user's run at once.
MOST_REPLAYS = 4
_OF_A_NEWER_VERSION = "A newer version of PhotoSync wrote this state. The user is checked again."


@dataclass(frozen=True)
class Claim:
    """A run's exclusive right to copy this user for `seconds`, of which `left` remain."""

    by: str
    seconds: float
    left: float = 0.0

    @property
    def is_live(self) -> bool:
        return self.left > 0


@dataclass(frozen=True)
class LastError:
    """Why the last run failed or waits; `message` is a sentence for an admin."""

    code: str
    message: str
    at: datetime


@dataclass(frozen=True)
class UserState:
    """
    The state blob. `sha256` is of the Exchange photo that SharePoint's files were made from; empty
    if it is unknown what SharePoint holds. `sizes` and `recipe` say how they were made, and `files`
    what SharePoint said about each, small, middle and large: empty if that is unknown, as in a
    state that an older version wrote. `damage` is what an audit found wrong with the files or the
    profile, in a sentence. `reason` is the error's code, if there is an error. `picture_url` is
    empty unless SharePoint may hold a picture of ours, shown or not. `missing_since` is when its
    photo was first missing in Exchange, `left_since` when Microsoft Graph first knew no such user,
    `out_of_scope_since` when the settings first left the user out; each is emptied once that is
    known to be over. `replays` are the correlation ids of the latest ended runs that a person
    ordered for this user, newest first: they show that person that the run has ended.
    """

    user_id: str
    _: KW_ONLY
    user_principal_name: str = ""
    display_name: str = ""
    status: str = WAITING
    reason: str = ""
    detail: str = ""
    sha256: str = ""
    source_etag: str = ""
    picture_url: str = ""
    sizes: str = ""
    recipe: int = 0
    files: tuple[WrittenFile, ...] = ()
    damage: str = ""
    synced_at: datetime | None = None
    checked_at: datetime | None = None
    attempt: int = 0
    next_attempt_at: datetime | None = None
    missing_since: datetime | None = None
    left_since: datetime | None = None
    out_of_scope_since: datetime | None = None
    claim: Claim | None = None
    last_error: LastError | None = None
    replays: tuple[str, ...] = ()

    @property
    def claimed_for(self) -> float:
        """Seconds for which a run still has the user to itself; 0.0 if none has."""
        return self.claim.left if self.claim else 0.0

    @property
    def aged(self) -> UserState:
        """
        The same state, for a writer that does not hold the claim.

        A write resets the blob's age: what is left of a claim becomes its length.
        """
        return replace(self, claim=self.claim and replace(self.claim, seconds=self.claim.left))

    @property
    def known_again(self) -> UserState:
        """The same for a user who has not left; after a return, the profile may be a new one."""
        return replace(self, left_since=None, sha256="" if self.left_since else self.sha256)

    def covers(self, source_etag: str, *, sizes: str, recipe: int) -> bool:
        """Whether SharePoint already shows the photo with this etag, made the same way."""
        return (
            self.status == SYNCED
            and self.claim is None
            and self.source_etag == source_etag != ""
            and (self.sizes, self.recipe) == (sizes, recipe)
        )

    def holds(self, sha256: str, *, sizes: str, recipe: int) -> bool:
        """Whether SharePoint's files were made from exactly these bytes, the same way."""
        # A claim that was never released belongs to a run that died, perhaps between two files.
        return (
            self.claim is None
            and self.sha256 == sha256
            and (self.sizes, self.recipe) == (sizes, recipe)
        )

    @property
    def is_shown(self) -> bool:
        """
        Whether SharePoint should show a picture of ours whose files are known.

        Not for users who are no longer maintained, or whose photo is gone.
        """
        is_ours = self.status in {SYNCED, FAILED} and self.picture_url != ""
        return is_ours and self.sha256 != "" and self.claim is None

    def has_recorded(self, status: str, detail: str) -> bool:
        """Whether it already says exactly this, and no run is or was in the middle of a copy."""
        return self.claim is None and (self.status, self.detail) == (status, detail)

    def only_repeats(self, before: UserState) -> bool:
        """Whether a write would only repeat *before*, as for most users without a photo."""
        return replace(self, checked_at=before.checked_at, attempt=before.attempt) == before

    def replays_with(self, correlation_id: str) -> tuple[str, ...]:
        """The `replays` once the one with this id has also ended."""
        return tuple(dict.fromkeys((correlation_id, *self.replays)))[:MOST_REPLAYS]

    def may_lose_picture(self, now: datetime) -> bool:
        """Whether our picture is still shown and its photo was first missing long enough ago."""
        missed = self.missing_since
        return self.picture_url != "" and missed is not None and now - missed >= SECOND_LOOK_AFTER

    def has_left_for(self, how_long: timedelta, now: datetime) -> bool:
        """Whether Microsoft Graph has not known the user for this long."""
        return self.left_since is not None and now - self.left_since >= how_long

    def released(self, *, files_touched: bool) -> UserState:
        """Without the claim; forgets the hash if it no longer describes SharePoint's files."""
        released = replace(self, claim=None)
        return released.unknown if files_touched or self.claim is not None else released

    @property
    def unknown(self) -> UserState:
        """The same, but what SharePoint's files hold is unknown."""
        return replace(self, sha256="", files=(), damage="")


class Stored(NamedTuple):
    """A state and the version of the blob it was read from."""

    state: UserState
    version: str


class Store(Keeper, Protocol):
    """Where states are stored. There is no unconditional write. Errors: Conflict, ServiceDown."""

    def read(self, user_id: str) -> Stored | None:
        """The state, None if the user has none."""
        ...

    def create(self, state: UserState) -> str:
        """Write the first version and return it; Conflict if there is one."""
        ...

    def replace(self, state: UserState, *, version: str) -> str:
        """Replace *version* and return the new one; Conflict if it has changed."""
        ...

    def delete(self, user_id: str, *, version: str) -> None:
        """Delete a state that is *version*, or already gone; Conflict if it has changed."""
        ...


def write(store: Store, state: UserState, *, after: Stored | None) -> Stored:
    """Replace what was read as *after* with *state*. Raises Conflict."""
    if after is None:
        return Stored(state, store.create(state))
    return Stored(state, store.replace(state, version=after.version))


def to_json(state: UserState) -> bytes:
    """The blob's text, as admins and other programs read it."""
    claim, error = state.claim, state.last_error
    fields = {
        "userId": state.user_id,
        "userPrincipalName": state.user_principal_name,
        "displayName": state.display_name,
        "status": state.status,
        "reason": state.reason,
        "detail": state.detail,
        "sha256": state.sha256,
        "sourceEtag": state.source_etag,
        "pictureUrl": state.picture_url,
        "sizes": state.sizes,
        "recipe": state.recipe,
        "files": [asdict(file) for file in state.files],
        "damage": state.damage,
        "syncedAt": _dump_time(state.synced_at),
        "checkedAt": _dump_time(state.checked_at),
        "attempt": state.attempt,
        "nextAttemptAt": _dump_time(state.next_attempt_at),
        "missingSince": _dump_time(state.missing_since),
        "leftSince": _dump_time(state.left_since),
        "outOfScopeSince": _dump_time(state.out_of_scope_since),
        "claim": claim and {"by": claim.by, "seconds": claim.seconds},
        "lastError": error
        and {"code": error.code, "message": error.message, "at": _dump_time(error.at)},
        "replays": state.replays,
    }
    return json.dumps(fields, indent=2).encode()


def from_json(user_id: str, text: bytes, *, age: float = 0.0) -> UserState:
    """
    Parse a state blob that was written *age* seconds ago, by storage's clock.

    A blob damaged by hand reads as a user who was never synced: the next run then copies the photo
    and writes a sound one. Only its `pictureUrl` is believed, if it is a text: a newer version may
    have written another field in a form of its own. A status that only a newer version knows reads
    as waiting: whose picture is shown is still known, but no longer what its files hold.
    """
    damaged = UserState(user_id, detail="The state blob was damaged. PhotoSync replaces it.")
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return damaged
    try:
        return _parse(user_id, fields, age)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return replace(damaged, picture_url=_picture_url(fields))


def _parse(user_id: str, fields: dict[str, Any], age: float) -> UserState:
    claim, error = fields.get("claim"), fields.get("lastError")
    state = UserState(
        user_id=user_id,
        user_principal_name=str(fields.get("userPrincipalName") or ""),
        display_name=str(fields.get("displayName") or ""),
        status=fields["status"],
        reason=str(fields.get("reason") or ""),
        detail=str(fields.get("detail") or ""),
        sha256=str(fields.get("sha256") or ""),
        source_etag=str(fields.get("sourceEtag") or ""),
        picture_url=_picture_url(fields),
        sizes=str(fields.get("sizes") or ""),
        recipe=counts.read(fields.get("recipe") or 0),
        files=tuple(map(_file, fields.get("files") or ())),
        damage=str(fields.get("damage") or ""),
        synced_at=_load_time(fields.get("syncedAt")),
        checked_at=_load_time(fields.get("checkedAt")),
        attempt=counts.read(fields.get("attempt") or 0),
        next_attempt_at=_load_time(fields.get("nextAttemptAt")),
        missing_since=_load_time(fields.get("missingSince")),
        left_since=_load_time(fields.get("leftSince")),
        out_of_scope_since=_load_time(fields.get("outOfScopeSince")),
        claim=None if claim is None else _claim(claim, age),
        last_error=None
        if error is None
        else LastError(str(error["code"]), str(error["message"]), moments.read(error["at"])),
        replays=tuple(str(each) for each in fields.get("replays") or ())[:MOST_REPLAYS],
    )
    # None, or small, middle and large.
    if not isinstance(state.status, str) or len(state.files) not in {0, 3}:
        raise ValueError(state.status)
    if state.status not in STATUSES:
        return replace(state.unknown, status=WAITING, detail=_OF_A_NEWER_VERSION)
    return state


def _picture_url(fields: object) -> str:
    url = fields.get("pictureUrl") if isinstance(fields, dict) else None
    return url if isinstance(url, str) else ""


def _file(fields: dict[str, Any]) -> WrittenFile:
    length = counts.read(fields["length"])
    return WrittenFile(str(fields["etag"]), length, str(fields["sha256"]))


def _claim(fields: dict[str, Any], age: float) -> Claim:
    # One without a length was written by 0.1.0, which stored its end, by the writer's clock.
    seconds = float(fields.get("seconds", LONGEST_CLAIM))
    # Storage gives times in whole seconds: the blob may be up to a second younger.
    left = max(0.0, seconds + 1 - age) if 0 < seconds <= LONGEST_CLAIM else 0.0
    return Claim(str(fields["by"]), seconds, left)


def _dump_time(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds") if moment else None


def _load_time(text: str | None) -> datetime | None:
    return moments.read(text) if text else None
