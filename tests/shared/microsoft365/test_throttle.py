"""A throttle remembers, per process, that a service asked us to wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.microsoft365.throttle import Throttle
from tests.doubles.web import Clock


class Jittered(Throttle):
    """A throttle whose own waits are as short as jitter allows."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, jitter=lambda: 0.0)

    def refuse(self, asked: float | None = None) -> float:
        """Refuse one more round; returns the seconds that the throttle stays closed."""
        self.refused(asked, begun_in=self.round())
        return self.paused_for()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock) -> Jittered:
    return Jittered(clock)


def test_closed_as_asked(throttle, clock):
    """It is open at first, closed for as long as the service asks, and then open again."""
    assert throttle.paused_for() == 0
    assert throttle.refuse(7.5) == 7.5

    clock.sleep(7.4)
    assert throttle.paused_for() == pytest.approx(0.1)
    for later in (0.1, 3600):
        clock.sleep(later)
        assert throttle.paused_for() == 0

    # Nor does a clock that is set back close it.
    throttle.answered({})
    clock.sleep(-60)
    assert throttle.paused_for() == 0


def test_other_answer_never_closes_it(throttle, clock):
    """If the clock is set back after an answer, the throttle stays open."""
    throttle.answered({})
    clock.sleep(-3600)
    assert throttle.paused_for() == 0


def test_never_opens_earlier(throttle):
    """Neither a later, shorter wait nor rate limit headers shorten an earlier wait."""
    throttle.refuse(60)

    assert throttle.refuse(1) == 60
    throttle.answered(
        {"RateLimit-Limit": "100", "RateLimit-Remaining": "1", "RateLimit-Reset": "1"}
    )
    assert throttle.paused_for() == 60


def test_doubles_without_retry_after(throttle, clock):
    """If the service names no time, each round waits twice as long, up to three hours."""
    waits = []
    for _ in range(16):
        waits.append(throttle.refuse())
        clock.sleep(waits[-1])

    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == waits[-2] == 3 * 3600


@pytest.mark.parametrize("asked", [1, 0])
def test_short_waits_are_believed_three_times(throttle, clock, asked):
    """After three refusals, a Retry-After shorter than our own backoff is ignored."""
    waits = []
    for _ in range(7):
        waits.append(throttle.refuse(asked))
        clock.sleep(waits[-1])

    assert waits == [asked, asked, asked, 2, 4, 8, 16]
    assert throttle.refuse(600) == 600


def test_other_answer_resets_the_backoff(throttle, clock):
    """After any other answer, Retry-After is believed again."""
    for _ in range(9):
        clock.sleep(throttle.refuse())
    throttle.answered({})

    assert throttle.refuse() == 2
    clock.sleep(2)
    throttle.answered({})
    assert throttle.refuse(1) == 1


@pytest.mark.parametrize("asked", [None, 1])
def test_concurrent_refusals_count_once(throttle, asked):
    """However many calls in flight are refused, the throttle closes as if for one."""
    begun_in = throttle.round()
    for _ in range(100):
        throttle.refused(asked, begun_in=begun_in)

    assert throttle.paused_for() == (asked or 2)
    assert throttle.round() == 1


@given(
    st.lists(st.tuples(st.none() | st.floats(0, 86_400), st.integers(0, 50), st.floats(0, 100_000)))
)
def test_never_closed_for_more_than_a_day(history):
    """No history of refusals closes the throttle for longer than a day."""
    clock = Clock()
    throttle = Jittered(clock)
    for asked, begun_in, later in history:
        throttle.refused(asked, begun_in=begun_in)
        assert 0 <= throttle.paused_for() <= 86_400
        clock.sleep(later)


@pytest.mark.parametrize(
    ("limit", "remaining", "reset", "seconds"),
    [
        ("1000", "200", "30", 0),
        ("1000", "50", "30", 0),
        ("1000", "25", "20", 5),
        ("1250", "0", "31", 31),
        ("1250", "0", "0.5", 0.5),
        ("10", "0", "30", 30),
        ("1250", "0", "86400", 60),
        ("0", "0", "30", 0),
        ("1250", "-1", "30", 0),
        ("nan", "0", "30", 0),
        ("inf", "0", "30", 0),
        ("1250", "0", "nan", 0),
        ("many", "0", "30", 0),
    ],
)
def test_slower_where_little_is_left(throttle, limit, remaining, reset, seconds):
    """Less remaining means a longer pause; nonsensical headers are ignored."""
    headers = {"RateLimit-Limit": limit, "RateLimit-Remaining": remaining, "RateLimit-Reset": reset}
    throttle.answered(headers)

    assert throttle.paused_for() == pytest.approx(seconds)
