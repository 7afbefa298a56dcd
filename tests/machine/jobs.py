"""Runs that stand still at each of their calls until they are told what becomes of it."""

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
    """What becomes of a call: carried out or not, then answered, or ended with an error."""

    carried_out: bool = True
    error: BaseException | None = None


GO = Order()
DIE = Order(False, Died())


class Job:
    """One run of the app. `call` is what it waits in, None when it is over."""

    def __init__(self, work: Callable[[], object], about: str) -> None:
        self.about = about
        self.call: str | None = "start"
        self.error: BaseException | None = None
        self._order = GO
        self._told, self._waits = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def tell(self, order: Order) -> None:
        """Let it go on to its next call, or to its end."""
        self._order = order
        self._told.release()
        self._waits.acquire()
        if self.call is None:
            self._thread.join()

    def finish(self) -> None:
        while self.call is not None:
            self.tell(GO)

    def _run(self, work: Callable[[], object]) -> None:
        _here.job = self
        self._told.acquire()
        try:
            if self._order.error:
                raise self._order.error
            work()
        except BaseException as error:  # noqa: BLE001 - whoever started it asks for it
            self.error = error
        self.call = None
        self._waits.release()

    def pause(self, call: str) -> Order:
        self.call = call
        self._waits.release()
        self._told.acquire()
        return self._order


def current() -> Job | None:
    """The run that makes this call; None outside of runs."""
    job: Job | None = getattr(_here, "job", None)
    return job


def at(call: str, effect: Callable[[], T]) -> T:
    """A call to a service: stands still before it; then what was ordered happens."""
    job = current()
    order = job.pause(call) if job else GO
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
