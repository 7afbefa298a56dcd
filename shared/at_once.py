"""Two calls that do not depend on each other, made at once; nobody goes on before both are over."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Protocol, TypeVar

A = TypeVar("A")
B = TypeVar("B")


class AtOnce(Protocol):
    """
    Makes *first* and *beside* in any order or at once, and returns when both are over.

    What either has returned or raised is in its Future: an error of one cuts the other short in
    nothing, so that no call goes on behind the back of a run that has ended.
    """

    def __call__(
        self, first: Callable[[], A], beside: Callable[[], B]
    ) -> tuple[Future[A], Future[B]]: ...


class Threads:
    """AtOnce: *beside* in the caller's thread, *first* in one of a pool of *size*."""

    def __init__(self, size: int) -> None:
        # One pool for the process, so that its threads keep their connections.
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="at-once")

    def __call__(
        self, first: Callable[[], A], beside: Callable[[], B]
    ) -> tuple[Future[A], Future[B]]:
        started = self._pool.submit(contextvars.copy_context().run, first)
        try:
            return started, over(beside)
        finally:
            wait([started])


def over(call: Callable[[], A]) -> Future[A]:
    """What *call*, made here and now, has returned or raised."""
    future: Future[A] = Future()
    try:
        future.set_result(call())
    except Exception as error:  # noqa: BLE001 - it is raised where the result is asked for
        future.set_exception(error)
    return future
