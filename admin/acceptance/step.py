"""One question to the tenant: what was assumed, what was seen, and how both compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from admin.acceptance.finding import Seen, Verdict
from admin.acceptance.scene import Scene


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
