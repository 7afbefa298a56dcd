"""One user in a listing: written to and read from the metadata of a state blob."""

from __future__ import annotations

import base64
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote, unquote

from shared.errors import LONGEST_SENTENCE, DryRun, PictureKept
from shared.storage import cover
from shared.storage.cover import Outlined
from shared.storage.user_state import NO_PHOTO, REMOVED, UserState

# A blob's metadata are limited to 8 KB (Azure Storage: Set Blob Metadata, documented). These
# lengths stay within that in any script. A sentence may have a prefix, such as that PhotoSync
# waited for a day; Entra's own limit for a name is 256 (documented).
_LONGEST_DETAIL = LONGEST_SENTENCE + 100
_LONGEST_NAME = 256
# Our reasons are single words; somebody may have edited the state.
_LONGEST_REASON = 100

# What a run that may write would change in SharePoint: copy the photo, remove our picture, or
# restore ours in place of what an audit has found.
COPY, REMOVAL, REPAIR = "copy", "removal", "repair"
# No percent-encoded text starts with it.
_PACKED = "="


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One user in a listing; times are ISO 8601, empty if there is none. `missing_since` is set while
    SharePoint may show a picture of ours whose photo is gone, `damage` while an audit has found
    something else there; `left_since` and `out_of_scope_since` are as in the state; `outlined` is
    what `cover` reads.
    """

    user_id: str
    user_principal_name: str
    display_name: str
    status: str
    reason: str
    detail: str
    checked_at: str
    synced_at: str
    missing_since: str = ""
    left_since: str = ""
    out_of_scope_since: str = ""
    damage: str = ""
    outlined: Outlined | None = None

    @property
    def outline(self) -> UserState | None:
        """The state as far as it decides whether to check the user; see `cover`."""
        if self.outlined is None:
            return None
        times = self.checked_at, self.missing_since
        return cover.outline(self.user_id, self.status, self.reason, self.outlined, *times)

    @property
    def has_picture(self) -> bool:
        """Whether SharePoint most likely still shows our picture; the state itself knows."""
        kept = self.reason == PictureKept.code
        return self.synced_at != "" and self.status != REMOVED and not kept

    @property
    def would_change(self) -> str:
        """COPY, REMOVAL or REPAIR, judged by the last check; empty for nothing."""
        if self.reason == DryRun.code:
            return REMOVAL if self.missing_since else COPY
        if self.status == NO_PHOTO and self.missing_since:
            return REMOVAL
        return REPAIR if self.damage else ""

    def matches(
        self,
        search: str,
        status: str,
        *,
        gone: bool = False,
        differs: bool = False,
        changes: Collection[str] | None = None,
    ) -> bool:
        """
        Whether *search* is a prefix of the UPN, the object id, or a word of the name; with
        *changes*, also whether what would change is one of them.
        """
        if (status and self.status != status) or (gone and not self.missing_since):
            return False
        if differs and not self.damage:
            return False
        if changes is not None and self.would_change not in changes:
            return False
        wanted = search.casefold().strip()
        texts = [self.user_principal_name, self.user_id, *self.display_name.split()]
        texts.append(self.display_name)
        return any(text.casefold().startswith(wanted) for text in texts)


def describe(state: UserState) -> dict[str, str]:
    """
    The metadata of a state blob: ASCII only, as Azure Storage requires (documented).

    Empty values are left out: it is undocumented whether every client of storage accepts them.
    """
    metadata = {
        "upn": _ascii(state.user_principal_name[:_LONGEST_NAME]),
        "name": _ascii(state.display_name[:_LONGEST_NAME]),
        "status": state.status,
        "reason": _ascii(state.reason[:_LONGEST_REASON]),
        "detail": _ascii(state.detail[:_LONGEST_DETAIL]),
        "checked": _time(state.checked_at),
        "synced": _time(state.synced_at),
        "missing": _time(state.missing_since if state.picture_url else None),
        "damage": _ascii(state.damage[:_LONGEST_REASON]),
        "left": _time(state.left_since),
        "outofscope": _time(state.out_of_scope_since),
    }
    return {name: text for name, text in metadata.items() if text}


def entry(user_id: str, metadata: Mapping[str, str], content: str = "") -> Entry:
    """A user, as described by the metadata of the state blob whose content has this digest."""
    read = {key.lower(): value or "" for key, value in metadata.items()}
    return Entry(
        user_id=user_id,
        user_principal_name=_text(read.get("upn", "")),
        display_name=_text(read.get("name", "")),
        # Many users share it: intern it.
        status=sys.intern(read.get("status", "")),
        reason=_text(read.get("reason", "")),
        detail=_text(read.get("detail", "")),
        checked_at=read.get("checked", ""),
        synced_at=read.get("synced", ""),
        missing_since=read.get("missing", ""),
        damage=_text(read.get("damage", "")),
        left_since=read.get("left", ""),
        out_of_scope_since=read.get("outofscope", ""),
        outlined=cover.outlined(read, content),
    )


def _ascii(text: str) -> str:
    """*text* percent-encoded, which people can read, or in base64 behind a mark if shorter."""
    # A truncated name may end in half a surrogate pair, which no encoding accepts.
    quoted = quote(text, errors="replace")
    packed = _PACKED + base64.b64encode(text.encode(errors="replace")).decode()
    return min(quoted, packed, key=len)


def _text(encoded: str) -> str:
    """Decode what `_ascii` encoded; return anything else unchanged."""
    if not encoded.startswith(_PACKED):
        return unquote(encoded)
    try:
        return base64.b64decode(encoded.removeprefix(_PACKED), validate=True).decode()
    except ValueError:
        return encoded


def _time(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""


class Leaf(NamedTuple):
    """Some entries, and storage's token for the next ones; empty after the last."""

    entries: list[Entry]
    next: str
