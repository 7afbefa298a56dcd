"""What came of a question: what was seen, that it could not be asked, and the verdict."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Verdict(Enum):
    """How what was seen compares with what was assumed."""

    AS_ASSUMED = "as assumed"
    DIFFERS = "differs"
    NOT_ASKED = "could not be asked"


class NotAsked(Exception):
    """The question could not be asked; the text says why."""


class Seen(NamedTuple):
    """What a step saw, in words without names, and whether it is what was assumed."""

    text: str
    as_assumed: bool = True
