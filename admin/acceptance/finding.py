"""The outcome of a step: what was seen, or why it could not be run, and the verdict."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Verdict(Enum):
    """How what was seen compares with what was assumed."""

    AS_ASSUMED = "as assumed"
    DIFFERS = "differs"
    NOT_ASKED = "could not be asked"


class NotRun(Exception):
    """The step could not be run; the text says why."""


class Seen(NamedTuple):
    """What a step saw, without names, and whether that was assumed."""

    text: str
    as_assumed: bool = True
