"""What a call of `grant` is about: whom, which steps, who does them, and what comes after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from admin.grants.carrier import Carrier
from admin.grants.carry_out import Subject
from admin.grants.step import Step


@dataclass(frozen=True)
class Job:
    """*following* gives the sentences on what to do next, once everything is done."""

    subject: Subject
    steps: Sequence[Step]
    worker: Carrier
    notes: Sequence[str]
    following: Callable[[], Iterable[str]]
