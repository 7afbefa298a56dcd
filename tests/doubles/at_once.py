"""Makes two parallel calls one after the other, in either order, so that tests are repeatable."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from shared.at_once import over

A = TypeVar("A")
B = TypeVar("B")


def in_turn(first: Callable[[], A], beside: Callable[[], B]) -> tuple[Future[A], Future[B]]:
    return over(first), over(beside)


def backwards(first: Callable[[], A], beside: Callable[[], B]) -> tuple[Future[A], Future[B]]:
    late = over(beside)
    return over(first), late
