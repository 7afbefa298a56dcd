"""Reads users and photos from Microsoft Graph. It never writes there."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from shared.at_once import AtOnce, error_of_two, sequentially
from shared.errors import (
    GiveUp,
    NoPhoto,
    PhotoSyncError,
    Refused,
    ServiceDown,
    Settled,
    TryLater,
    UnknownUser,
)
from shared.graph import batch
from shared.graph.errors import photo_fault, user_fault
from shared.graph.groups import MEMBERSHIP, Groups
from shared.microsoft365.http import LONGEST_WAIT_IN_PLACE, Http
from shared.microsoft365.reply import Reply
from shared.user import User

USER_FIELDS = "id,userPrincipalName,displayName,accountEnabled,userType"
# The limit on concurrent photo requests per app and mailbox (graph.md section 4, documented).
BATCHES_AT_ONCE = 4
_ROUNDS = 3
# The largest size that Exchange scales a photo to (graph.md section 4, documented).
_SCALED = "648x648"


@dataclass(frozen=True)
class Fetched:
    """A user and the photo; `etag` was read after the photo's bytes, empty if unknown."""

    user: User
    photo: bytes
    etag: str


@dataclass(frozen=True)
class ScaledPhoto:
    """A smaller rendition of a photo; `etag` was read after its bytes, empty if unknown."""

    photo: bytes
    etag: str


class GraphClient:
    """
    Errors of every call: NoPhoto, NoMailbox, UnknownUser, Throttled, ServiceDown, AccessDenied,
    Refused. `user` is an object id or a UPN.
    """

    def __init__(
        self, http: Http, groups: Groups | None = None, *, at_once: AtOnce = sequentially
    ) -> None:
        """Each user carries membership in *groups*; None if no caller needs it."""
        self._http = http
        self._at_once = at_once
        self._groups = groups or Groups()
        self._pool = ThreadPoolExecutor(BATCHES_AT_ONCE, thread_name_prefix="batch")

    def photo_etag(self, user: str) -> str:
        """
        The etag of the user's photo, without its bytes.

        Equal etags mean an unchanged photo. Different etags mean nothing until the bytes are
        compared. Never compare it with the ETag of `$value` (graph.md section 1).
        """
        reply = self._http.send("GET", f"/v1.0{_path(user)}/photo")
        if not reply.ok:
            raise photo_fault(reply)
        return reply.read(_etag)

    def user(self, user: str) -> User:
        """
        The user as Graph knows it now.

        With groups, *user* must be an object id: a UPN may pass to another user while the requests
        of the batch are carried out, so the membership could be that user's.

        If the groups cannot be read, the user is still returned and `unasked` has the reason: not
        every caller needs them.
        """
        at = _path(user)
        fields = f"{at}?$select={USER_FIELDS}"
        if not self._groups:
            return _user(self._http.send("GET", f"/v1.0{fields}"))
        requests = [
            batch.get("user", fields),
            *self._groups.group_requests(),
            self._groups.membership_request(at),
        ]
        answers = batch.send(self._http, requests)
        known = _user(answers["user"])
        try:
            return self._groups.with_membership(known, answers)
        except (TryLater, GiveUp) as error:
            return replace(known, unasked=error)

    def user_and_photo(self, user_id: str) -> Fetched:
        """
        The user and the largest photo, read concurrently.

        The user is not in the photo's batch: there, each request waits for the one before. If the
        groups cannot be read, the photo is empty and the user's `unasked` has the reason. An error
        about the user decides, or the longer wait if both ask for one.
        """
        user, photo = self._at_once(
            functools.partial(self.user, user_id), functools.partial(self._photo_and_etag, user_id)
        )
        if error := error_of_two(user.exception(), photo.exception()):
            raise error
        known = user.result()
        if known.unasked:
            unasked = error_of_two(known.unasked, photo.exception())
            return Fetched(replace(known, unasked=unasked), b"", "")
        return Fetched(known, *photo.result())

    def _photo_and_etag(self, user_id: str) -> tuple[bytes, str]:
        """The photo's bytes, then its etag, in one call if Graph can return both in it."""
        at = _path(user_id)
        requests = [batch.get("photo", f"{at}/photo/$value"), batch.get("etag", f"{at}/photo")]
        answers = batch.send(self._http, batch.in_turn(requests))
        photo = answers["photo"]
        if not photo.ok:
            raise photo_fault(photo)
        if photo.body:
            return photo.body, _optional_etag(answers["etag"])
        # A tuple is evaluated in order, so here too the etag is read after the bytes.
        return self.photo(user_id), self.photo_etag(user_id)

    def photo_etags(self, user_ids: Sequence[str]) -> dict[str, str | PhotoSyncError]:
        """
        For each user, the photo's etag or the error that explains why it is unknown.

        A TryLater among them has persisted through several waits in place. Raises only errors of a
        whole call: the caller judges whether errors of many users mean that the service is down.
        """
        found: dict[str, str | PhotoSyncError] = {}
        left = list(user_ids)
        for still_to_come in reversed(range(_ROUNDS)):
            parts = [
                left[start : start + batch.LIMIT] for start in range(0, len(left), batch.LIMIT)
            ]
            for answers in self._pool.map(self._etags, parts):
                found |= answers
            left = [user_id for user_id in left if isinstance(found[user_id], TryLater)]
            if not left or not still_to_come:
                break
            self._http.rest(min(LONGEST_WAIT_IN_PLACE, max(map(_seconds_to_wait, found.values()))))
        return found

    def users(self, user_ids: Sequence[str]) -> dict[str, User | PhotoSyncError]:
        """
        Each user as Graph knows it now, or the error that explains why the user is unknown.

        Raises only errors of a whole call.
        """
        # User and membership take two requests.
        for_groups = len(self._groups.group_requests())
        size = (batch.LIMIT - for_groups) // 2 if self._groups else batch.LIMIT
        parts = [user_ids[start : start + size] for start in range(0, len(user_ids), size)]
        found: dict[str, User | PhotoSyncError] = {}
        for answers in self._pool.map(self._users, parts):
            found |= answers
        return found

    def _users(self, user_ids: Sequence[str]) -> dict[str, User | PhotoSyncError]:
        requests = [batch.get(each, f"{_path(each)}?$select={USER_FIELDS}") for each in user_ids]
        if self._groups:
            requests += self._groups.group_requests()
            requests += [
                self._groups.membership_request(_path(each), key=f"{MEMBERSHIP} {each}")
                for each in user_ids
            ]
        answers = batch.send(self._http, requests)
        return {each: self._user_or_error(each, answers) for each in user_ids}

    def _user_or_error(self, user_id: str, answers: Mapping[str, Reply]) -> User | PhotoSyncError:
        answer = answers[user_id]
        if not answer.ok:
            return user_fault(answer)
        try:
            known = answer.read(read_user)
            return self._groups.with_membership(known, answers, key=f"{MEMBERSHIP} {user_id}")
        except (Settled, TryLater, GiveUp) as error:
            return error

    def knows_any(self, upns: Sequence[str]) -> bool:
        """Whether a user with any of these names exists."""
        for start in range(0, len(upns), batch.LIMIT):
            part = upns[start : start + batch.LIMIT]
            requests = [batch.get(upn, f"{_path(upn)}?$select=id") for upn in part]
            for answer in batch.send(self._http, requests).values():
                refusal = None if answer.ok else user_fault(answer)
                if refusal is None:
                    return True
                if not isinstance(refusal, UnknownUser):
                    raise refusal
        return False

    def _etags(self, user_ids: Sequence[str]) -> dict[str, str | PhotoSyncError]:
        requests = [batch.get(each, f"{_path(each)}/photo") for each in user_ids]
        answers = batch.send(self._http, requests)
        return {user_id: _etag_or_error(answers[user_id]) for user_id in user_ids}

    def photo(self, user_id: str) -> bytes:
        """The largest photo."""
        return self._bytes(f"/v1.0{_path(user_id)}/photo/$value").body

    def scaled_photo(self, user_id: str) -> ScaledPhoto:
        """
        The photo as Graph scales it down. Raises NoPhoto if there is none of that size.

        If the photo is replaced before the rendition is read, the etag differs.
        """
        scaled = self._bytes(f"/v1.0{_path(user_id)}/photos/{_SCALED}/$value")
        if scaled.headers.get("Content-Type", "").lower().startswith("image/gif"):
            # Graph sends a single pixel for a size that does not exist (graph.md section 4).
            raise NoPhoto("Exchange has no smaller rendition of the photo.")
        metadata = self._http.send("GET", f"/v1.0{_path(user_id)}/photo")
        return ScaledPhoto(scaled.body, _optional_etag(metadata))

    def _bytes(self, path: str) -> Reply:
        reply = self._http.send("GET", path)
        if not reply.ok:
            raise photo_fault(reply)
        return reply


def _path(user: str) -> str:
    """The path of *user*, an object id or a UPN, quoted into one segment."""
    if user.startswith("$"):
        # Otherwise Graph reads it as a query option and refuses it (Get user, documented).
        literal = quote(user.replace("'", "''"), safe="$")
        return f"/users('{literal}')"
    return f"/users/{quote(user, safe='')}"


def _user(reply: Reply) -> User:
    """The user in *reply*. Raises what a failed user request means."""
    if not reply.ok:
        raise user_fault(reply)
    return reply.read(read_user)


def _etag(metadata: Any) -> str:
    """The etag in a photo's metadata. Raises NoPhoto."""
    # The documented response for "no photo"; 404 is the reported one (graph.md section 4).
    if str(metadata.get("id")).lower() == "1x1":
        raise NoPhoto("The user has no photo in Exchange.")
    return str(metadata.get("@odata.mediaEtag") or "")


def _optional_etag(metadata: Reply) -> str:
    try:
        return metadata.read(_etag) if metadata.ok else ""
    except PhotoSyncError:
        # The photo was read: the etag only saves the next run from reading the bytes.
        return ""


def _etag_or_error(metadata: Reply) -> str | PhotoSyncError:
    if metadata.ok:
        try:
            return metadata.read(_etag)
        except (Settled, Refused, ServiceDown) as error:
            return error
    return photo_fault(metadata)


def _seconds_to_wait(found: str | PhotoSyncError) -> float:
    """The seconds that an error asks us to wait, 1.0 if it names none; 0.0 for an etag."""
    return found.retry_after or 1.0 if isinstance(found, TryLater) else 0.0


def read_user(fields: Any) -> User:
    """Parse a user in any of Graph's responses."""
    for name in ("id", "userPrincipalName"):
        if not isinstance(fields[name], str):
            raise TypeError(name)
    return User(
        id=fields["id"].lower(),
        user_principal_name=fields["userPrincipalName"],
        # Graph leaves out fields that we may not read; a user not known to be disabled is enabled.
        account_enabled=fields.get("accountEnabled") is not False,
        is_guest=fields.get("userType") == "Guest",
        display_name=str(fields.get("displayName") or ""),
    )
