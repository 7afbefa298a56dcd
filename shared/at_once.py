"""Runs two independent calls concurrently; the caller continues when both have finished."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Protocol, TypeVar

from shared.errors import TryLater

A = TypeVar("A")
B = TypeVar("B")
E = TypeVar("E", bound=BaseException)


class AtOnce(Protocol):
    """
    Runs *first* and *beside* in any order or concurrently, and returns when both have finished.

    Each Future holds the call's result or exception. An error in one does not cut the other short,
    so no call outlives the run that made it.
    """

    def __call__(
        self, first: Callable[[], A], beside: Callable[[], B]
    ) -> tuple[Future[A], Future[B]]: ...


class Threads:
    """AtOnce: runs *beside* in the caller's thread and *first* in a pool of *size* threads."""

    def __init__(self, size: int) -> None:
        # One pool per process, so that its threads keep their connections.
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="at-once")

    def __call__(
        self, first: Callable[[], A], beside: Callable[[], B]
    ) -> tuple[Future[A], Future[B]]:
        started = self._pool.submit(contextvars.copy_context().run, first)
        try:
            return started, over(beside)
        finally:
            wait([started])


def sequentially(first: Callable[[], A], beside: Callable[[], B]) -> tuple[Future[A], Future[B]]:
    """AtOnce for a caller with no other threads: one call after the other."""
    return over(first), over(beside)


def error_of_two(first: E | None, beside: BaseException | None) -> E | TryLater | None:
    """
    The error that decides after two concurrent calls, from the error of each.

    It is that of *first*, as if the other call had not been made. If both errors are TryLater, it
    is the one with the longer wait: an earlier retry would meet the other error.
    """
    if isinstance(first, TryLater) and isinstance(beside, TryLater):
        both: tuple[TryLater, TryLater] = (first, beside)
        return max(both, key=lambda each: each.retry_after or 0.0)
    return first


def over(call: Callable[[], A]) -> Future[A]:
    """Run *call* now; the Future holds its result or exception."""
    future: Future[A] = Future()
    try:
        future.set_result(call())
    except Exception as error:  # noqa: BLE001 - it is raised where the result is asked for
        future.set_exception(error)
    return future
