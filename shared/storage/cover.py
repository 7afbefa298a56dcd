"""
What a listing says about a state, so that most states need not be read. It is stored in the blob's
metadata.

An outline holds the parts of the state that decide whether the worker should check a user. It holds
the etag as a mark of 48 bits, equal if the etags are equal: a comparison must mark the other side
too. There is no outline, and the state itself must be read, for a user who is claimed or waiting,
for a state that an older version wrote, and for a blob that somebody else has written since.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from shared import counts, moments
from shared.storage.user_state import WAITING, UserState

MARK_BYTES = 6
# Longer than any list of picture sizes that the settings accept.
_LONGEST_SIZES = 100
_PICTURE = "1"


def mark(etag: str) -> str:
    """The mark of *etag*, in hexadecimal digits; empty for an empty one."""
    # JSON may contain half a surrogate pair, which no encoding accepts.
    encoded = etag.encode(errors="surrogatepass")
    return hashlib.sha256(encoded).hexdigest()[: 2 * MARK_BYTES] if etag else ""


def marked(state: UserState) -> UserState:
    """The same state, with the mark in place of the etag."""
    return replace(state, source_etag=mark(state.source_etag))


def digest(content: bytes) -> str:
    """The digest that storage lists for each blob (Azure Storage: Content-MD5, documented)."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def describe(state: UserState, content: bytes) -> dict[str, str]:
    """The metadata from which `outline` rebuilds a state; written together with *content*."""
    metadata = {"content": digest(content)}
    sizes = state.sizes
    if state.claim or state.status == WAITING or not sizes.isascii() or not _is_plain(sizes):
        return metadata
    metadata |= {"made": f"{sizes}/{state.recipe}"}
    # No empty values, as in `roster_entry`.
    metadata |= {"etag": mark(state.source_etag)} if state.source_etag else {}
    return metadata | ({"picture": _PICTURE} if state.picture_url else {})


class Outlined(NamedTuple):
    """The metadata that only an outline needs; `made` is empty if there is no outline."""

    made: str
    etag: str
    picture: str


def outlined(metadata: Mapping[str, str], content: str) -> Outlined | None:
    """
    Read the metadata of a blob whose content has this digest; None if we did not describe it.

    If storage gives no digest, the metadata are trusted.
    """
    described = metadata.get("content", "")
    if not described or content not in {"", described}:
        return None
    # Most users have the same value: intern it.
    made = sys.intern(metadata.get("made", ""))
    return Outlined(made, metadata.get("etag", ""), metadata.get("picture", ""))


def has_picture(metadata: Outlined | None) -> bool:
    """Whether SharePoint may hold a picture of ours, as far as the metadata say."""
    return bool(metadata and metadata.picture)


def outline(
    user_id: str, status: str, reason: str, metadata: Outlined, checked: str, missing: str
) -> UserState | None:
    """The state that the metadata describe, its etag marked; None if it must be read."""
    sizes, _, recipe = metadata.made.rpartition("/")
    try:
        return UserState(
            user_id,
            status=status,
            reason=reason,
            source_etag=metadata.etag,
            picture_url=metadata.picture,
            sizes=sizes,
            recipe=counts.read(int(recipe)),
            checked_at=moments.read(checked) if checked else None,
            missing_since=moments.read(missing) if missing else None,
        )
    except (ValueError, OverflowError):
        # There is no outline, or somebody has edited it.
        return None


def _is_plain(sizes: str) -> bool:
    return sizes.isprintable() and len(sizes) <= _LONGEST_SIZES
