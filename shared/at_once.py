"""Runs two independent calls concurrently; the caller continues when both have finished."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Protocol, TypeVar

A = TypeVar("A")
B = TypeVar("B")


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


def over(call: Callable[[], A]) -> Future[A]:
    """Run *call* now; the Future holds its result or exception."""
    future: Future[A] = Future()
    try:
        future.set_result(call())
    except Exception as error:  # noqa: BLE001 - it is raised where the result is asked for
        future.set_exception(error)
    return future
