"""One question to the tenant: what was assumed, what was seen, and how both compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from admin.acceptance.scene import Scene


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


@dataclass(frozen=True)
class Step:
    """
    One question. `docs/facts` names its `id`; `assumed` is what the code rests on meanwhile.

    `ask` raises NotAsked, and what the clients of the scene raise. What `writes` remembers in the
    scene beforehand what is to be put back.
    """

    id: str
    question: str
    assumed: str
    ask: Callable[[Scene], Seen]
    writes: bool = False


class Result(NamedTuple):
    """What came of a step; `seconds` is how long it took."""

    step: Step
    verdict: Verdict
    text: str
    seconds: float
