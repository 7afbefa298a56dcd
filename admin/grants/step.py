"""
One line of a plan: something that exists, is missing, is more than needed, or is unknown.

`Step.act` is what to do about it, an object that the plan's executor knows; None if there is
nothing
to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from admin.terminal.problems import Problem

ENTRA = "Entra"


class State(StrEnum):
    """The state of a step before and after it is carried out."""

    THERE = "ok"
    MISSING = "missing"
    SURPLUS = "surplus"  # more than PhotoSync needs: reported, never removed by a grant
    GRANTED = "granted"  # before it is revoked
    LEFT = "left"  # not given by a grant: reported, never removed by a revocation
    UNKNOWN = "unknown"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Step:
    """One line of the plan."""

    on: str
    what: str
    purpose: str
    state: State
    act: object | None = None
    problem: Problem | None = None

    @property
    def is_to_do(self) -> bool:
        # An act without fields is an empty tuple, which is falsy.
        return self.act is not None
