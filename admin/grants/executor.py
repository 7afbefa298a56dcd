"""Carries out steps one by one, in order, and retries while the directory replicates."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import ClassVar, TypeVar

from admin.grants.graph import Answered
from admin.grants.step import State, Step
from admin.terminal.problems import Problem
from admin.terminal.waiting import wait_until

T = TypeVar("T")

# Graph's messages for an object that has not reached every replica (facts: graph.md section 8).
_NOT_YET = (
    "does not reference a valid application object",
    "not a valid reference update",
    "queried reference-property objects are not present",
)


class Executor:
    """Carries out acts; subclasses know the kinds of act."""

    # If one of these fails, the steps after it are skipped: they need its result.
    vital: ClassVar[tuple[type, ...]] = ()

    def __init__(
        self,
        *,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._pause = pause

    def carry_out(self, steps: Iterable[Step]) -> Iterator[Step]:
        """Each step with its result; if one fails, the others are still carried out."""
        stuck = False
        for step in steps:
            if step.act is None:
                yield step
            elif stuck:
                yield replace(step, state=State.SKIPPED)
            else:
                done = self._try(step, step.act)
                stuck = done.problem is not None and isinstance(step.act, self.vital)
                yield done

    def _try(self, step: Step, act: object) -> Step:
        try:
            self._do(act)
        except Problem as problem:
            return replace(step, state=State.FAILED, problem=problem)
        return replace(step, state=State.DONE)

    def _do(self, act: object) -> None:
        raise NotImplementedError

    def _retried(self, do: Callable[[], T]) -> T:
        """The result of *do*, retried until the directory has replicated the new object."""

        def attempt() -> tuple[T] | None:
            try:
                return (do(),)
            except Answered as answer:
                if not _is_not_yet(answer):
                    raise
                return None

        (result,) = wait_until(
            attempt,
            seconds=self._seconds,
            late=(
                "Entra has not replicated the new object in time: repeat the command, which "
                "continues from there."
            ),
            clock=self._clock,
            pause=self._pause,
        )
        return result


def _is_not_yet(answer: Answered) -> bool:
    told = answer.message.lower()
    return answer.status == 404 or (
        answer.status == 400 and any(sentence in told for sentence in _NOT_YET)
    )
