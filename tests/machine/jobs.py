"""Runs of the app that pause, fail or die at any of their calls, as the scheduler decides."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
_here = threading.local()


class Died(BaseException):
    """The process has died. Not an Exception, so that no code handles it."""


@dataclass(frozen=True)
class Outcome:
    """
    What happens to a call: after a `pause` in seconds it is carried out or not, and then returns or
    raises. If `late` is given, its effect comes that many seconds after the error.
    """

    pause: float = 0.0
    carried_out: bool = True
    error: BaseException | None = None
    late: float = 0.0


NORMAL = Outcome()


class Job:
    """One run of the app. Only one runs at a time: a pause returns to the scheduler."""

    def __init__(
        self,
        work: Callable[[], object],
        decide: Callable[[Job, str], Outcome],
        later: Callable[[float, Callable[[], object]], object],
    ) -> None:
        """*decide* returns the outcome of a call by its name; *later* acts after a delay."""
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
        self._resumed, self._paused = threading.Lock(), threading.Lock()
        self._resumed.acquire()
        self._paused.acquire()

    def start(self) -> None:
        """Run until the first pause, or to the end."""
        self._thread = threading.Thread(target=self._run_in_thread, daemon=True)
        self._thread.start()
        self._await()

    def resume(self) -> None:
        """Run until the next pause, or to the end."""
        self._resumed.release()
        self._await()

    def kill(self) -> None:
        """End it at its current call."""
        self._killed = True
        self.resume()

    def _await(self) -> None:
        self._paused.acquire()
        if self.is_over and self._thread:
            self._thread.join()

    def _run_in_thread(self) -> None:
        self.run()
        self._paused.release()

    def run(self) -> None:
        """Run to the end in this thread, which is fast: none of its calls may pause."""
        _here.job = self
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - the scheduler reads it
            self.error = error
        _here.job = None
        self.is_over = True

    def outcome(self, call: str) -> Outcome:
        """The outcome of this run's next call, after its pause."""
        self.calls += 1
        outcome = self._decide(self, call)
        if outcome.pause and self._thread:
            self.sleeps_for = outcome.pause
            self._paused.release()
            self._resumed.acquire()
            if self._killed:
                raise Died
        return outcome


def current() -> Job | None:
    """The run that makes this call; None outside of runs."""
    job: Job | None = getattr(_here, "job", None)
    return job


def at(call: str, effect: Callable[[], T], *, check: Callable[[], object] | None = None) -> T:
    """A call to a service, with its decided outcome; *check* raises if it may not begin."""
    job = current()
    outcome = job.outcome(call) if job else NORMAL
    if check:
        check()
    if outcome.late and job and outcome.error:
        job.later(outcome.late, effect)
        raise outcome.error
    if outcome.carried_out:
        answer = effect()
    if outcome.error:
        raise outcome.error
    return answer


class InTurn(Executor):
    """Replaces a thread pool, so that calls always have the same order."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__()

    def submit(self, fn: Callable[..., T], /, *args: Any, **options: Any) -> Future[T]:
        future: Future[T] = Future()
        future.set_result(fn(*args, **options))
        return future
