"""
How a message names who ordered it, and the file of the log of orders with that order.

Both are optional: messages that a person types and those of older versions have neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shared.signature import APP, KEY, PERSON, QUEUE, Signature
from shared.user import is_object_id

# A file of the log: a month, and a number unless it is the first file of that month. It cannot form
# a path to another blob.
ORDER_FILE = re.compile(r"(\d{4}-(?:0[1-9]|1[0-2]))(?:\.([1-9]\d{0,3}))?")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LONGEST_NAME = 256


def by_fields(by: Signature) -> dict[str, str]:
    """The signature as written in a message or in the log."""
    return {"via": by.via, "name": by.name, "id": by.id} if by.via == PERSON else {"via": by.via}


def read_by(fields: Any) -> Signature:
    """Parse what `by_fields` wrote. Raises ValueError for anything else."""
    if not isinstance(fields, Mapping) or not all(isinstance(v, str) for v in fields.values()):
        raise ValueError("by must be an object with string values.")
    by = Signature(fields.get("via", ""), fields.get("name", ""), fields.get("id", ""))
    if by.via not in {PERSON, KEY, QUEUE, APP}:
        raise ValueError("by.via must be person, key, queue or app.")
    if by.via != PERSON and (by.name or by.id):
        raise ValueError("Only a person may have a name and an id.")
    if by.via == PERSON and not (is_object_id(by.id) and _is_name(by.name)):
        raise ValueError("A person must have a name and an object id.")
    return by


def to_fields(by: Signature | None, ordered_in: str) -> dict[str, Any]:
    """The fields of a message about its order; empty values are left out."""
    fields = {"by": by and by_fields(by), "orderedIn": ordered_in}
    return {name: value for name, value in fields.items() if value}


def read(fields: Mapping[str, Any]) -> tuple[Signature | None, str]:
    """Parse what `to_fields` wrote. Raises ValueError for anything else."""
    by, ordered_in = fields.get("by"), fields.get("orderedIn") or ""
    if not isinstance(ordered_in, str) or (ordered_in and not ORDER_FILE.fullmatch(ordered_in)):
        raise ValueError("orderedIn must name a file of the order log.")
    return (None if by is None else read_by(by)), ordered_in


def read_id(text: Any) -> str:
    """The id of an order, empty for none. Raises ValueError for an invalid id."""
    if not isinstance(text, str) or (text and not is_id(text)):
        raise ValueError("This is not a valid order id.")
    return text


def is_id(text: str) -> bool:
    """Whether *text* may be the id of an order or a message: a single word in a log line."""
    return bool(_ID.fullmatch(text))


def _is_name(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_NAME and text.isprintable()
