"""What the console returns over HTTP: JSON or a picture, and every error as one sentence."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from shared import version
from shared.errors import (
    AccessDenied,
    BadRequest,
    KeyInAddress,
    NotAllowed,
    NotSignedIn,
    PhotoRefused,
    PhotoSyncError,
    Refused,
    SettingsError,
    Settled,
    TryLater,
)

# A 5xx means that the caller did nothing wrong: the sentence tells the admin what failed.
_STATUSES: tuple[tuple[type[PhotoSyncError], int], ...] = (
    (NotSignedIn, 401),
    (NotAllowed, 403),
    (KeyInAddress, 403),
    (BadRequest, 400),
    (Settled, 404),
    (TryLater, 503),
    (AccessDenied, 502),
    (Refused, 502),
    # Only the picture is at fault: it cannot be made smaller.
    (PhotoRefused, 422),
    (SettingsError, 500),
)
_JSON = "application/json"
# Pictures of people must not be cached, and none may be rendered as a page.
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    version.HEADER: version.VERSION,
}
# For an order: the longest meaningful one, twenty full names, is half of this.
_LONGEST_BODY = 5000
_PICTURES = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG", "image/png"), (b"GIF8", "image/gif"))


class ConsoleAnswer(NamedTuple):
    """One answer; `retry_after`: seconds that a service asked us to wait, None if none did."""

    status: int
    body: bytes
    media_type: str
    retry_after: float | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The common headers, with Retry-After in whole seconds if trying again makes sense."""
        if self.retry_after is None:
            return HEADERS
        return HEADERS | {"Retry-After": str(math.ceil(self.retry_after))}


def as_json(ask: Callable[[], Mapping[str, Any]], *, status: int = 200) -> ConsoleAnswer:
    """The JSON that *ask* returns, or the error that it raises."""
    try:
        return ConsoleAnswer(status, json.dumps(ask()).encode(), _JSON)
    except PhotoSyncError as error:
        return refuse(error)


def as_picture(ask: Callable[[], bytes]) -> ConsoleAnswer:
    """The picture that *ask* returns, or the error that it raises."""
    try:
        content = ask()
    except PhotoSyncError as error:
        return refuse(error)
    kinds = (kind for magic, kind in _PICTURES if content.startswith(magic))
    return ConsoleAnswer(200, content, next(kinds, "application/octet-stream"))


def refuse(error: PhotoSyncError, status: int | None = None) -> ConsoleAnswer:
    """An error as JSON, with the matching status."""
    if status is None:
        status = next((code for kind, code in _STATUSES if isinstance(error, kind)), 500)
    body = {"error": {"code": error.code, "message": str(error)}}
    retry_after = error.retry_after if isinstance(error, TryLater) else None
    return ConsoleAnswer(status, json.dumps(body).encode(), _JSON, retry_after)


def order(query: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """
    The JSON object in the body of an order. Raises BadRequest, KeyInAddress.

    A link carries its key in the query and a form cannot set a header: neither may give orders.
    """
    if "code" in {name.lower() for name in query}:
        raise KeyInAddress("Send the key in the header x-functions-key, not in the URL.")
    if len(body) > _LONGEST_BODY:
        raise BadRequest(f"The body must be a JSON object of at most {_LONGEST_BODY:,} bytes.")
    try:
        fields = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body must be a JSON object.") from error
    if not isinstance(fields, dict):
        raise BadRequest("The body must be a JSON object.")
    return fields
