"""Reads users and photos from Microsoft Graph. It never writes there."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from requests.structures import CaseInsensitiveDict

from shared.errors import NoMailbox, NoPhoto, PhotoSyncError, ServiceDown, UnknownUser
from shared.http import Http, Reply, fault

_USER_FIELDS = "id,userPrincipalName,displayName,accountEnabled,userType"
# Statuses for a missing mailbox are undocumented; 400 and 404 were reported (graph.md section 4).
_NO_MAILBOX = {
    "ErrorNonExistentMailbox",
    "MailboxNotHostedInExchangeOnline",
    "MailboxNotEnabledForRESTAPI",
}
_UNKNOWN_USER = {"Request_ResourceNotFound", "ErrorInvalidUser"}


@dataclass(frozen=True)
class User:
    """The part of a Graph user that decides whether and where a picture goes."""

    id: str
    user_principal_name: str
    account_enabled: bool
    is_guest: bool


@dataclass(frozen=True)
class Fetched:
    """A user and the photo; `etag` is the photo's after the bytes were read, empty if unknown."""

    user: User
    photo: bytes
    etag: str


class GraphClient:
    """
    Errors of every call: NoPhoto, NoMailbox, UnknownUser, Throttled, ServiceDown, AccessDenied,
    Refused. `user` is an object id or a UPN.
    """

    def __init__(self, http: Http) -> None:
        self._http = http

    def photo_etag(self, user: str) -> str:
        """
        The etag of the user's photo, without its bytes.

        Equal etags mean an unchanged photo; different ones mean nothing until the bytes are
        compared. It is never compared with the ETag of `$value` (graph.md section 1).
        """
        reply = self._http.send("GET", f"/v1.0{_path(user)}/photo")
        if not reply.ok:
            raise _photo_fault(reply)
        return reply.read(_etag)

    def user(self, user: str) -> User:
        """The user as Graph knows it now."""
        reply = self._http.send("GET", f"/v1.0{_path(user)}?$select={_USER_FIELDS}")
        if not reply.ok:
            raise _user_fault(reply)
        return reply.read(_user)

    def user_and_photo(self, user_id: str) -> Fetched:
        """The user and the largest photo, in one call where Graph can put both in it."""
        paths = {
            "user": f"/users/{user_id}?$select={_USER_FIELDS}",
            "photo": f"/users/{user_id}/photo/$value",
            "etag": f"/users/{user_id}/photo",
        }
        answers = self._batch(paths)
        user, photo = answers["user"], answers["photo"]
        if not user.ok:
            raise _user_fault(user)
        if not photo.ok:
            raise _photo_fault(photo)
        known = user.read(_user)
        if photo.body:
            return Fetched(known, photo.body, _etag_if_told(answers["etag"]))
        # Arguments are worked out in their order: the etag after the bytes here, too.
        return Fetched(known, self._photo(user_id), self.photo_etag(user_id))

    def _photo(self, user_id: str) -> bytes:
        reply = self._http.send("GET", f"/v1.0/users/{user_id}/photo/$value")
        if not reply.ok:
            raise _photo_fault(reply)
        return reply.body

    def _batch(self, paths: Mapping[str, str]) -> dict[str, Reply]:
        """Ask for all of *paths*, each after the one before, which must not have failed."""
        # Documented: a batch is to be either fully sequential or fully parallel; reported: mixed
        # ones are refused (Graph, "Combine multiple HTTP requests using JSON batching").
        requests: list[dict[str, Any]] = []
        for key, url in paths.items():
            after = {"dependsOn": [requests[-1]["id"]]} if requests else {}
            requests.append({"id": key, "method": "GET", "url": url, **after})
        reply = self._http.send(
            "POST",
            "/v1.0/$batch",
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            body=json.dumps({"requests": requests}).encode(),
        )
        if not reply.ok:
            raise fault(reply, *_said(reply))
        # Answers come in any order (graph.md section 4, documented).
        answers = reply.read(self._items)
        if set(answers) != set(paths):
            raise ServiceDown("Graph left an answer out of a batch.")
        return answers

    def _items(self, fields: Any) -> dict[str, Reply]:
        return {item["id"]: self._item(item) for item in fields["responses"]}

    def _item(self, item: Mapping[str, Any]) -> Reply:
        """One answer of a batch, as if it had come alone; no body when its form is unknown."""
        headers = CaseInsensitiveDict(item.get("headers") or {})
        body = item.get("body")
        if isinstance(body, str):
            content = _from_base64(body)
        else:
            content = b"" if body is None else json.dumps(body).encode()
        wait = self._http.seconds_asked(headers)
        return Reply(self._http.service, int(item["status"]), headers, content, wait)


def _path(user: str) -> str:
    """Where Graph has *user*, an object id or a UPN."""
    if user.startswith("$"):
        # Else it is read as an option of the query and refused (Get user, documented).
        literal = quote(user.replace("'", "''"), safe="$")
        return f"/users('{literal}')"
    return f"/users/{quote(user, safe='')}"


def _from_base64(text: str) -> bytes:
    """Both alphabets, with and without padding (graph.md section 4)."""
    text = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return b""


def _etag(metadata: Any) -> str:
    """The etag in a photo's metadata. Raises NoPhoto."""
    # The documented answer for "no photo"; 404 is the reported one (graph.md section 4).
    if str(metadata.get("id")).lower() == "1x1":
        raise NoPhoto("The user has no photo in Exchange.")
    return str(metadata.get("@odata.mediaEtag") or "")


def _etag_if_told(metadata: Reply) -> str:
    try:
        return metadata.read(_etag) if metadata.ok else ""
    except PhotoSyncError:
        # The photo itself is there: the etag only spares the next run a look at the bytes.
        return ""


def _user(fields: Any) -> User:
    for name in ("id", "userPrincipalName"):
        if not isinstance(fields[name], str):
            raise TypeError(name)
    return User(
        id=fields["id"].lower(),
        user_principal_name=fields["userPrincipalName"],
        # Graph leaves out what it may not tell; somebody not known to be disabled is enabled.
        account_enabled=fields.get("accountEnabled") is not False,
        is_guest=fields.get("userType") == "Guest",
    )


def _photo_fault(reply: Reply) -> PhotoSyncError:
    code, message = _said(reply)
    if code in _NO_MAILBOX:
        return NoMailbox("The user has no mailbox in Exchange Online, so there is no photo.")
    if reply.status == 404 and code in _UNKNOWN_USER:
        return UnknownUser("Microsoft Graph knows no such user.")
    if reply.status == 404:
        # Two codes have been seen and a third may come: the status decides (graph.md section 4).
        return NoPhoto("The user has no photo in Exchange.")
    return fault(reply, code, message)


def _user_fault(reply: Reply) -> PhotoSyncError:
    code, message = _said(reply)
    if reply.status == 404:
        return UnknownUser("Microsoft Graph knows no such user.")
    return fault(reply, code, message)


def _said(reply: Reply) -> tuple[str, str]:
    """Code and message of an error body; empty where there is none."""
    try:
        error = json.loads(reply.body)["error"]
        return str(error["code"]), str(error.get("message") or "")
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", ""
