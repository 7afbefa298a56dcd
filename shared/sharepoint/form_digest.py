"""
The form digest, SharePoint's protection against forged requests, which ProcessQuery may require.

Sources disagree whether an app with a bearer token needs one (facts: sharepoint.md section 3). It
is always sent, since one digest is valid for many requests.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from shared.errors import PhotoSyncError, Refused, ServiceDown, TryLater
from shared.microsoft365.http import Http
from shared.microsoft365.reply import Reply, fault
from shared.sharepoint.errors import read_error

# In seconds. SharePoint says 1,800; a longer lifetime is cut to that. A request may be in flight
# during the last of these seconds.
_LONGEST_LIFE = 1_800
_UNDER_WAY = 60
_LONGEST = 4_096
# "The security validation for this page is invalid", in any language (section 3).
_INVALID = "-2130575251"


class FormDigest:
    """The digest of one host; threads may share it."""

    def __init__(self, http: Http, ticks: Callable[[], float]) -> None:
        self._http = http
        self._ticks = ticks
        self._held = _Held("", 0.0)
        self._lock = threading.Lock()

    def get(self, *, refused: str = "") -> str:
        """
        A digest other than *refused*; calls SharePoint if no valid one is cached.

        Raises Throttled if the call may not be made yet; ServiceDown, also if SharePoint asks us to
        wait; AccessDenied, and Refused for an invalid digest.
        """
        with self._lock:
            held = self._held
        began = self._ticks()
        if held.value != refused and began < held.until:
            return held.value
        # No lock during the call, which may take long: several threads may call concurrently.
        headers = {"Accept": "application/json;odata=nometadata"}
        reply = self._http.send("POST", "/_api/contextinfo", headers=headers)
        if not reply.ok:
            raise _refusal(reply)
        value, seconds = reply.read(_read)
        with self._lock:
            self._held = _Held(value, began + min(seconds, _LONGEST_LIFE) - _UNDER_WAY)
        return value


class _Held(NamedTuple):
    value: str
    until: float


def is_refusal_of_digest(reply: Reply) -> bool:
    """Whether *reply* asks for another digest, whatever its status and body format."""
    return _INVALID.encode() in reply.body[:20_000]


def _refusal(reply: Reply) -> PhotoSyncError:
    error = fault(reply, *read_error(reply.body))
    if isinstance(error, TryLater):
        return ServiceDown(str(error), retry_after=error.retry_after, service=error.service)
    return error


def _read(fields: Any) -> tuple[str, int]:
    """The digest and its lifetime in seconds, 0 if the response does not contain one."""
    value, seconds = fields["FormDigestValue"], fields.get("FormDigestTimeoutSeconds")
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST or not _is_header(value):
        raise Refused("SharePoint returned an invalid form digest.")
    return value, seconds if isinstance(seconds, int) else 0


def _is_header(value: str) -> bool:
    return value.isascii() and value.isprintable() and value == value.strip()
