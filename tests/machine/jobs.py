"""Runs of the app that stand still, fail or die at any of their calls, as the scheduler orders."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
_here = threading.local()


class Died(BaseException):
    """The process is gone. Not an Exception: nobody may handle it."""


@dataclass(frozen=True)
class Order:
    """
    What becomes of a call: after a `pause` in seconds it is carried out or not, then answered, or
    ended with an error; of one that is `late` the effect comes so many seconds after the error.
    """

    pause: float = 0.0
    carried_out: bool = True
    error: BaseException | None = None
    late: float = 0.0


GO = Order()


class Job:
    """One run of the app. Only one runs at any moment: whoever pauses gives the turn back."""

    def __init__(
        self,
        work: Callable[[], object],
        decide: Callable[[Job, str], Order],
        later: Callable[[float, Callable[[], object]], object],
    ) -> None:
        """*decide* says what becomes of a call of this name, *later* does something in a while."""
        self._work = work
        self._decide = decide
        self.later = later
        self.calls = 0
        self.is_over = False
        self.error: BaseException | None = None
        self.sleeps_for = 0.0
        self._killed = False
        self._thread: threading.Thread | None = None
        # Locks that start locked: a semaphore of threading takes ten times as long.
        self._told, self._waits = threading.Lock(), threading.Lock()
        self._told.acquire()
        self._waits.acquire()

    def run_through(self) -> None:
        """Run to the end in this thread, which is quick: no call of it may pause."""
        self._run()

    def start(self) -> None:
        """Run until the first pause, or to the end."""
        self._thread = threading.Thread(target=self._run_in_thread, daemon=True)
        self._thread.start()
        self._await()

    def go_on(self) -> None:
        """Run until the next pause, or to the end."""
        self._told.release()
        self._await()

    def kill(self) -> None:
        """End it where it stands."""
        self._killed = True
        self.go_on()

    def _await(self) -> None:
        self._waits.acquire()
        if self.is_over and self._thread:
            self._thread.join()

    def _run_in_thread(self) -> None:
        self._run()
        self._waits.release()

    def _run(self) -> None:
        _here.job = self
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - whoever started it asks for it
            self.error = error
        _here.job = None
        self.is_over = True

    def order(self, call: str) -> Order:
        """What becomes of the call that this run is about to make, once it is its turn."""
        self.calls += 1
        order = self._decide(self, call)
        if order.pause and self._thread:
            self.sleeps_for = order.pause
            self._waits.release()
            self._told.acquire()
            if self._killed:
                raise Died
        return order


def current() -> Job | None:
    """The run that makes this call; None outside of runs."""
    job: Job | None = getattr(_here, "job", None)
    return job


def at(call: str, effect: Callable[[], T], *, check: Callable[[], object] | None = None) -> T:
    """
    A call to a service: what was ordered happens.

    *check* looks whether it may begin at all, however late its effect comes.
    """
    job = current()
    order = job.order(call) if job else GO
    if check:
        check()
    if order.late and job and order.error:
        job.later(order.late, effect)
        raise order.error
    if order.carried_out:
        answer = effect()
    if order.error:
        raise order.error
    return answer


class InTurn(Executor):
    """Takes the place of a thread pool where the order of calls must always be the same."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__()

    def submit(self, fn: Callable[..., T], /, *args: Any, **options: Any) -> Future[T]:
        future: Future[T] = Future()
        future.set_result(fn(*args, **options))
        return future
