"""A user as the product knows one, the two names a user has, and who finds one by them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from shared.errors import PhotoSyncError

_OBJECT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Entra allows fewer characters than this; Graph is asked and has the last word. Without quotes and
# brackets, so that JSON is never one; without surrogates, which no address can carry.
_PART = r"[^\s@/\\?%\"<>(){}\[\]:;,\x00-\x1f\x7f\ud800-\udfff]{1,128}"
# A text, compiled at its first use: the webhook loads this and needs none.
_UPN = f"{_PART}@{_PART}"


def is_object_id(text: str) -> bool:
    """Whether *text* is a GUID, as every object id in Entra is."""
    return bool(_OBJECT_ID.fullmatch(text))


def is_upn(text: str) -> bool:
    """Whether *text* may be a user principal name."""
    return bool(re.fullmatch(_UPN, text))


@dataclass(frozen=True)
class User:
    """The part of a Graph user that decides whether and where a picture goes."""

    id: str
    user_principal_name: str
    account_enabled: bool
    is_guest: bool
    # Of SYNC_GROUP_ID; without that setting everybody is.
    in_group: bool = True
    # By EXCLUDED_GROUP_ID.
    is_excluded: bool = False
    # Why nobody knows what these two are; None where they are known.
    unasked: PhotoSyncError | None = None
    display_name: str = ""


class Directory(Protocol):
    """Finds a user by UPN; see GraphClient."""

    def user(self, user: str) -> User: ...
