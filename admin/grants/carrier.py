"""Carries steps out, one by one in their order, with patience for a directory that replicates."""

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

# What Graph says of an object that has not reached every replica (facts: graph.md section 8).
_NOT_YET = (
    "does not reference a valid application object",
    "not a valid reference update",
    "queried reference-property objects are not present",
)


class Carrier:
    """Does one act after the other; who derives from it knows the acts."""

    # Without these the steps behind them have nobody to be done for.
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
        """Each step as it has become; one that fails does not keep the others from it."""
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

    def _patiently(self, do: Callable[[], T]) -> T:
        """What *do* returns, once the directory knows everywhere what it is about."""

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
                "Entra has not made the new object known everywhere in time: repeat the command, "
                "it goes on from there."
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
