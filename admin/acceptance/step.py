"""One test of the tenant: what was assumed, what was seen, and how they compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from admin.acceptance.finding import Seen, Verdict
from admin.acceptance.scene import Scene


@dataclass(frozen=True)
class Step:
    """
    One open question. `docs/facts` names its `id`; `assumed` is what the code relies on until then.

    `ask` raises NotRun, and what the scene's clients raise. A step that `writes` first saves in
    the scene what must be restored.
    """

    id: str
    question: str
    assumed: str
    ask: Callable[[Scene], Seen]
    writes: bool = False


class Result(NamedTuple):
    """The outcome of a step, and the seconds it took."""

    step: Step
    verdict: Verdict
    text: str
    seconds: float
