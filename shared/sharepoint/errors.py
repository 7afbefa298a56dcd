"""
Parses and translates SharePoint's error responses.

The body is JSON with either of two keys, XML, plain text, or empty (facts: sharepoint.md section 3,
recorded and reported).
"""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any, NamedTuple

from shared.errors import AccessDenied, NoProfile, PhotoSyncError, Refused, Throttled
from shared.microsoft365.reply import Reply, fault

NO_PROFILE = (
    "SharePoint has no profile for this user. In some tenants it creates one at the first visit, "
    "and a new user principal name takes hours to reach it. Sweeps check again once a day."
)
_PROFILE_ROLE = (
    "The identity needs the SharePoint application role User.ReadWrite.All to write profiles"
)
_FILES_ROLE = (
    "The identity needs the SharePoint application role Sites.Selected with write on the My Site "
    "root (each geography has its own), or Sites.FullControl.All, to write pictures"
)
# The meaning of an error, by its .NET type or HRESULT (sharepoint.md section 3). The message may be
# in any language, so it counts only if the code is none of these. An HRESULT in the message is
# independent of the language.
_DENIED, _NO_USER, _LOCKED = "denied", "no user", "locked"
_BY_CODE = {
    "UnauthorizedAccessException": _DENIED,
    "-2147024891": _DENIED,
    "UserNotFound": _NO_USER,
    "PropertyNotEditableException": _LOCKED,
}
_BY_WORDS = {
    "0x80070005": _DENIED,
    "access denied": _DENIED,
    "managing your own data": _DENIED,
    "user not found": _NO_USER,
}


class ErrorBody(NamedTuple):
    """An example `code` is "-2130575338, Microsoft.SharePoint.SPException"; both may be empty."""

    code: str
    message: str

    @property
    def is_denial(self) -> bool:
        """Whether a role is missing; SharePoint reports that with any status (section 4)."""
        return self._meaning == _DENIED

    @property
    def is_missing_profile(self) -> bool:
        """Whether no profile with that name exists."""
        return self._meaning == _NO_USER

    @property
    def is_locked(self) -> bool:
        """Whether an administrator has made the property read-only."""
        return self._meaning == _LOCKED

    @property
    def _meaning(self) -> str:
        for told, known in ((self.code, _BY_CODE), (self.message.casefold(), _BY_WORDS)):
            found = next((meaning for part, meaning in known.items() if part in told), "")
            if found:
                return found
        return ""


def read_error(body: bytes) -> ErrorBody:
    """Code and message of an error body in any of its forms."""
    text = body[:20_000].decode("utf-8-sig", "replace").strip()
    if text.startswith("{"):
        return _json(text)
    if text.startswith("<"):
        return _xml(text)
    return ErrorBody("", text[:300])


def is_odata_null(body: bytes) -> bool:
    """Whether *body* is {"odata.null": true}, which means that the object does not exist."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and fields.get("odata.null") is True


def profile_fault(reply: Reply) -> PhotoSyncError:
    """The error that a failed profile request means."""
    told = read_error(reply.body)
    if told.is_missing_profile:
        return NoProfile(NO_PROFILE)
    # A missing profile may also read as null with an error status (section 3, inferred).
    if reply.status in {404, 500} and is_odata_null(reply.body):
        return NoProfile(NO_PROFILE)
    if told.is_locked:
        return Refused(
            f"An administrator locked the picture properties of profiles: {told.message}"
        )
    return _with_missing_role(reply, told, _PROFILE_ROLE)


def file_fault(reply: Reply) -> PhotoSyncError:
    """The error that a failed file or folder request means."""
    return _with_missing_role(reply, read_error(reply.body), _FILES_ROLE)


def _with_missing_role(reply: Reply, told: ErrorBody, role: str) -> PhotoSyncError:
    """SharePoint says only "access denied"; add which *role* is missing, for the admin."""
    error = fault(reply, *told)
    denied = told.is_denial and not isinstance(error, Throttled)
    return AccessDenied(f"{error} {role}.") if denied or isinstance(error, AccessDenied) else error


def _json(text: str) -> ErrorBody:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return ErrorBody("", text[:300])
    error = fields.get("odata.error") or fields.get("error")
    if isinstance(error, dict):
        return ErrorBody(str(error.get("code") or ""), _value(error.get("message")))
    # The token service in front of SharePoint uses its own form.
    return ErrorBody(_value(error), _value(fields.get("error_description")))


def _xml(text: str) -> ErrorBody:
    # A pattern instead of a parser: the body may be truncated, and no entity must be expanded.
    return ErrorBody(_element(text, "code"), _element(text, "message"))


def _element(text: str, name: str) -> str:
    found = re.search(rf"<(?:\w+:)?{name}\b[^>]*>([^<]*)<", text)
    return unescape(found.group(1)).strip() if found else ""


def _value(message: Any) -> str:
    if isinstance(message, dict):
        message = message.get("value")
    return message if isinstance(message, str) else ""
