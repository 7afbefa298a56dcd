"""
Understands what SharePoint says when it refuses.

It answers as JSON with either of two keys, as XML, as plain text, or with nothing at all
(facts: sharepoint.md section 3, recorded and reported).
"""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any, NamedTuple

# What the .NET types hold, and E_ACCESSDENIED (section 3). A sentence may be in any language: it
# only helps out where the code says nothing.
_DENIED = ("UnauthorizedAccessException", "-2147024891")
_DENIED_IN_WORDS = ("access denied", "managing your own data")
_NO_USER, _NO_USER_IN_WORDS = "UserNotFound", "user not found"
_LOCKED = "PropertyNotEditable"


class Said(NamedTuple):
    """`code` is such as "-2130575338, Microsoft.SharePoint.SPException"; both may be empty."""

    code: str
    message: str

    @property
    def is_denial(self) -> bool:
        """Whether a role is missing; told with any status (section 4)."""
        words = self.message.casefold()
        return any(each in self.code for each in _DENIED) or any(
            each in words for each in _DENIED_IN_WORDS
        )

    @property
    def knows_no_user(self) -> bool:
        """Whether there is no profile of that name."""
        return _NO_USER in self.code or _NO_USER_IN_WORDS in self.message.casefold()

    @property
    def is_locked(self) -> bool:
        """Whether an administrator has made the property read-only."""
        return _LOCKED in self.code


def said(body: bytes) -> Said:
    """Code and message of an error body in any of its forms."""
    text = body[:20_000].decode("utf-8-sig", "replace").strip()
    if text.startswith("{"):
        return _json(text)
    if text.startswith("<"):
        return _xml(text)
    return Said("", text[:300])


def says_nothing_there(body: bytes) -> bool:
    """Whether *body* is {"odata.null": true}, which stands for an object that is not there."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and fields.get("odata.null") is True


def _json(text: str) -> Said:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return Said("", text[:300])
    error = fields.get("odata.error") or fields.get("error")
    if isinstance(error, dict):
        return Said(str(error.get("code") or ""), _value(error.get("message")))
    # The token service in front of SharePoint has a form of its own.
    return Said(_value(error), _value(fields.get("error_description")))


def _xml(text: str) -> Said:
    # A pattern, not a parser: a body may be cut, and entities in it are nobody's business.
    return Said(_element(text, "code"), _element(text, "message"))


def _element(text: str, name: str) -> str:
    found = re.search(rf"<(?:\w+:)?{name}\b[^>]*>([^<]*)<", text)
    return unescape(found.group(1)).strip() if found else ""


def _value(message: Any) -> str:
    if isinstance(message, dict):
        message = message.get("value")
    return message if isinstance(message, str) else ""
