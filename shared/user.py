"""A user, the two kinds of identifier, and the lookup by them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from shared.errors import PhotoSyncError

_OBJECT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Entra allows fewer characters than this; Graph decides. Quotes and brackets are excluded, so JSON
# never matches; surrogates are excluded because no URL can carry them.
_PART = r"[^\s@/\\?%\"<>(){}\[\]:;,\x00-\x1f\x7f\ud800-\udfff]{1,128}"
# A string, compiled on first use: the webhook imports this module and does not need the pattern.
_UPN = f"{_PART}@{_PART}"


def is_object_id(text: str) -> bool:
    """Whether *text* is a GUID, as all object ids in Entra are."""
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
    # In SYNC_GROUP_ID; True for everybody without that setting.
    in_group: bool = True
    # In EXCLUDED_GROUP_ID.
    is_excluded: bool = False
    # The error that kept these two unknown; None if they are known.
    unasked: PhotoSyncError | None = None
    display_name: str = ""


class Directory(Protocol):
    """Finds a user by UPN; see GraphClient."""

    def user(self, user: str) -> User: ...
