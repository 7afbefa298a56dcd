"""One user in a listing: what the metadata of a state blob says, and how it is written there."""

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

# All metadata of a blob is 8 KB at most (Azure Storage: Set Blob Metadata, documented); so long
# these stay within it whatever they are written in. A sentence may tell more before it, such
# as that it was waited for a day; Entra's own limit for a name is 256 (documented).
_LONGEST_DETAIL = LONGEST_SENTENCE + 100


_LONGEST_NAME = 256
# Ours are words; a person may have put anything into a state.
_LONGEST_REASON = 100


# What a run would change in SharePoint that may write: put the photo there, take our picture back,
# or put ours back in place of what an audit has found.
COPY, REMOVAL, REPAIR = "copy", "removal", "repair"
# No percent-encoded text begins so.
_PACKED = "="


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One user in a listing; times are ISO 8601, empty when there is none. `missing_since` is told
    while SharePoint may show a picture of ours whose photo is gone, `damage` while an audit has
    found another there; `left_since` and `out_of_scope_since` are as in the state; `outlined` is
    what `cover` tells.
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
        """The state as far as it decides whether to look at the user; see `cover`."""
        if self.outlined is None:
            return None
        times = self.checked_at, self.missing_since
        return cover.outline(self.user_id, self.status, self.reason, self.outlined, *times)

    @property
    def has_picture(self) -> bool:
        """Whether a picture that we wrote is shown yet, most likely: the state itself knows."""
        kept = self.reason == PictureKept.code
        return self.synced_at != "" and self.status != REMOVED and not kept

    @property
    def would_change(self) -> str:
        """COPY, REMOVAL or REPAIR as far as the last look tells; empty for nothing."""
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
        Whether *search* begins the UPN, the object id, or a word of the name; with *changes* also
        whether what would change is one of them.
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
    The metadata of a state blob: ASCII only, as Azure Storage wants it (documented).

    Nothing empty is in it: whether each way into a storage account takes that, nobody says.
    """
    told = {
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
    return {name: text for name, text in told.items() if text}


def entry(user_id: str, metadata: Mapping[str, str], content: str = "") -> Entry:
    """A user as the metadata of the state blob, whose content has this digest, describe one."""
    read = {key.lower(): value or "" for key, value in metadata.items()}
    return Entry(
        user_id=user_id,
        user_principal_name=_text(read.get("upn", "")),
        display_name=_text(read.get("name", "")),
        # One text stands for all.
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
    """*text* percent-encoded, which people can read; in base64 behind a mark if that is shorter."""
    # A name that somebody has cut off may end in half of a character, which no encoding has.
    quoted = quote(text, errors="replace")
    packed = _PACKED + base64.b64encode(text.encode(errors="replace")).decode()
    return min(quoted, packed, key=len)


def _text(told: str) -> str:
    """What `_ascii` made something of; whatever else stands there, as it stands."""
    if not told.startswith(_PACKED):
        return unquote(told)
    try:
        return base64.b64decode(told.removeprefix(_PACKED), validate=True).decode()
    except ValueError:
        return told


def _time(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""


class Leaf(NamedTuple):
    """Some entries, and the storage's own token for what follows; empty after the last."""

    entries: list[Entry]
    next: str
