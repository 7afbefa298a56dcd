"""Converts dataclasses, and lists of users, to documents and back; people may edit both."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

from shared import counts
from shared.storage.documents import Documents

T = TypeVar("T")


def to_fields(record: Any) -> dict[str, Any]:
    """The document's fields for the dataclass *record*."""
    return {_camel(name): value for name, value in asdict(record).items()}


def from_fields(blank: T, written: Mapping[str, Any]) -> T:
    """
    The dataclass that *written* describes, with fields of the same types as those of *blank*.

    Raises TypeError and ValueError if it is invalid, e.g. edited by hand.
    """
    # Drops fields that are only for human readers, and those that a newer version added.
    known = {each.name: _camel(each.name) for each in fields(blank)}  # type: ignore[arg-type]
    values = {name: written[key] for name, key in known.items() if key in written}
    found: T = type(blank)(**values)
    for name in known:
        _check(name, getattr(found, name), getattr(blank, name))
    return found


def keep_ids(documents: Documents, name: str, user_ids: list[str]) -> None:
    """Store *user_ids* in the document *name*, replacing what an earlier attempt stored."""
    kept = documents.read(name)
    if user_ids or kept:
        documents.write(name, {"userIds": user_ids}, after=kept)


def kept_ids(documents: Documents, name: str) -> list[str]:
    """The user ids that `keep_ids` stored."""
    document = documents.read(name)
    found = document.fields.get("userIds") if document else None
    # Somebody may have edited it; the worker reports ids that no user has.
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _check(name: str, value: Any, usual: Any) -> None:
    """Raise TypeError or ValueError if field *name* cannot hold *value*."""
    if type(value) is not type(usual):
        raise TypeError(f"{name} has the wrong type.")
    if type(usual) is int:
        counts.read(value)
    if isinstance(usual, dict):
        for each in value.values():
            counts.read(each)


@functools.cache
def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
