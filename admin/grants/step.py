"""
One line of a plan: a thing that is there, missing, more than needed, or unknown.

`Step.act` is what carrying out does about it, an object that the carrier of that plan knows; None
where nothing is to be done.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from admin.terminal.problems import Problem

ENTRA = "Entra"


class State(StrEnum):
    """How a thing is, and what became of it."""

    THERE = "ok"
    MISSING = "missing"
    SURPLUS = "surplus"  # more than PhotoSync needs: told, never taken away by a grant
    GRANTED = "granted"  # before it is revoked
    LEFT = "left"  # no grant gives it: told, never taken away by a revocation
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
        # An act without a field is an empty tuple, and so is false.
        return self.act is not None
