"""An expensive query runs rarely, however many callers there are."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.console.cached_answer import CachedAnswer
from shared.errors import ServiceDown
from tests.doubles.office import Clock

TICK = timedelta(milliseconds=1)


class Question:
    """Takes its time by the clock; each answer is the next number."""

    def __init__(self, clock: Clock, **takes: float) -> None:
        self._clock, self._takes, self._numbers = clock, timedelta(**takes), itertools.count(1)

    def __call__(self) -> int:
        self._clock.advance(self._takes)
        return next(self._numbers)


def test_answer_is_cached():
    """An answer that took three seconds is valid for thirty."""
    clock = Clock()
    cached = CachedAnswer(Question(clock, seconds=3), clock)
    assert cached.get() == 1
    clock.advance(timedelta(seconds=30) - TICK)
    assert cached.get() == 1
    clock.advance(TICK)
    assert cached.get() == 2


def test_fast_query_is_not_cached():
    """A fast query, as in a small tenant, runs every time."""
    clock = Clock()
    cached = CachedAnswer(Question(clock, seconds=2), clock)

    assert [cached.get(), cached.get()] == [1, 2]


class Slow:
    """A query that is answered when the test allows it."""

    def __init__(self, clock: Clock) -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()
        self._question = Question(clock, seconds=60)

    def __call__(self) -> int:
        self.asked.set()
        assert self.may_answer.wait(30)
        return self._question()


def test_callers_wait_for_the_first_answer():
    """Callers who come during the first query wait for its answer."""
    clock = Clock()
    question = Slow(clock)
    cached = CachedAnswer(question, clock)
    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(cached.get) for _ in range(4)]
        assert question.asked.wait(30)
        question.may_answer.set()

    assert [each.result() for each in answers] == [1] * 4


def test_last_answer_while_the_query_runs():
    """While the query runs again, other callers get the last answer."""
    clock = Clock()
    question = Slow(clock)
    question.may_answer.set()
    cached = CachedAnswer(question, clock)
    assert cached.get() == 1
    clock.advance(timedelta(days=1))
    question.asked.clear()
    question.may_answer.clear()
    with ThreadPoolExecutor(1) as threads:
        renewed = threads.submit(cached.get)
        assert question.asked.wait(30)
        assert cached.get() == 1
        question.may_answer.set()
        assert renewed.result() == 2


def test_failed_query():
    """A query that failed runs again."""
    clock, answers = Clock(), iter([1])

    def ask() -> int:
        if found := next(answers, None):
            return found
        raise ServiceDown("Storage could not be reached.", service="storage")

    cached = CachedAnswer(ask, clock)
    assert cached.get() == 1
    for _ in range(2):
        with pytest.raises(ServiceDown):
            cached.get()
