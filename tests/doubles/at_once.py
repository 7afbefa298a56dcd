"""Makes two parallel calls one after the other, the second first, so that tests are repeatable."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from shared.at_once import over

A = TypeVar("A")
B = TypeVar("B")


def backwards(first: Callable[[], A], beside: Callable[[], B]) -> tuple[Future[A], Future[B]]:
    late = over(beside)
    return over(first), late
