"""
What a listing tells of a state, so that most states need not be read: in metadata, and out of it.

An outline is the state as far as it decides whether the worker should look at a user. An etag is
in it as a mark of 48 bits, equal where the etags are: who compares it marks the other side, too.
There is none, and the state itself is to be read, of a user who is claimed or waited for, of a
state that an older version wrote, and of a blob that somebody else has written since.
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
# Longer than any list of picture sizes that the settings take.
_LONGEST_SIZES = 100
_PICTURE = "1"


def mark(etag: str) -> str:
    """What stands for *etag*, in hexadecimal digits; empty for none."""
    # JSON may bring half a character, which no encoding has.
    told = etag.encode(errors="surrogatepass")
    return hashlib.sha256(told).hexdigest()[: 2 * MARK_BYTES] if etag else ""


def marked(state: UserState) -> UserState:
    """The same, with the mark in place of the etag."""
    return replace(state, source_etag=mark(state.source_etag))


def digest(content: bytes) -> str:
    """As storage tells it of each blob that it lists (Azure Storage: Content-MD5, documented)."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def describe(state: UserState, content: bytes) -> dict[str, str]:
    """The metadata of which `outline` makes something; *content* is written with it."""
    told = {"content": digest(content)}
    sizes = state.sizes
    if state.claim or state.status == WAITING or not sizes.isascii() or not _is_plain(sizes):
        return told
    told |= {"made": f"{sizes}/{state.recipe}"}
    # Nothing empty, as in `roster_entry`.
    told |= {"etag": mark(state.source_etag)} if state.source_etag else {}
    return told | ({"picture": _PICTURE} if state.picture_url else {})


class Outlined(NamedTuple):
    """What stands in the metadata for an outline alone; `made` is empty where there is none."""

    made: str
    etag: str
    picture: str


def outlined(metadata: Mapping[str, str], content: str) -> Outlined | None:
    """
    Of the blob whose content has this digest; None where we have not described it.

    Where storage tells no digest the metadata are believed.
    """
    described = metadata.get("content", "")
    if not described or content not in {"", described}:
        return None
    # Most users have the same: one text stands for all.
    made = sys.intern(metadata.get("made", ""))
    return Outlined(made, metadata.get("etag", ""), metadata.get("picture", ""))


def has_picture(told: Outlined | None) -> bool:
    """Whether SharePoint may hold a picture of ours, as far as that was *told*."""
    return bool(told and told.picture)


def outline(
    user_id: str, status: str, reason: str, told: Outlined, checked: str, missing: str
) -> UserState | None:
    """The state of which that was *told*, its etag marked; None where it has to be read."""
    sizes, _, recipe = told.made.rpartition("/")
    try:
        return UserState(
            user_id,
            status=status,
            reason=reason,
            source_etag=told.etag,
            picture_url=told.picture,
            sizes=sizes,
            recipe=counts.read(int(recipe)),
            checked_at=moments.read(checked) if checked else None,
            missing_since=moments.read(missing) if missing else None,
        )
    except (ValueError, OverflowError):
        # There is none, or a person may have edited it.
        return None


def _is_plain(sizes: str) -> bool:
    return sizes.isprintable() and len(sizes) <= _LONGEST_SIZES
