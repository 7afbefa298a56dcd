"""One call of `grant`: the identity, the steps, who carries them out, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from admin.grants.carry_out import Subject
from admin.grants.executor import Executor
from admin.grants.step import Step


@dataclass(frozen=True)
class Job:
    """*following* returns the sentences on what to do next."""

    subject: Subject
    steps: Sequence[Step]
    worker: Executor
    notes: Sequence[str]
    following: Callable[[], Iterable[str]]
