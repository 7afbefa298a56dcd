"""What one process remembers of a service that asked for patience."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.microsoft365.throttle import BUDGET_WINDOW, Budget, Gate
from tests.doubles.web import Clock


class Jittered(Gate):
    """A gate whose own waits are as short as jitter makes them."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, jitter=lambda: 0.0)

    def refuse(self, asked: float | None = None) -> float:
        """One more round that ends in a refusal; the seconds that the gate is closed for."""
        self.refused(asked, begun_in=self.round())
        return self.closed_for()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(clock) -> Jittered:
    return Jittered(clock)


def test_open_at_first(gate):
    """Nobody waits for a service that never asked for it."""
    assert gate.closed_for() == 0


def test_closed_as_asked(gate, clock):
    """It is closed for as long as the service asked, and then open."""
    assert gate.refuse(7.5) == 7.5

    clock.sleep(7.4)
    assert gate.closed_for() == pytest.approx(0.1)
    clock.sleep(0.1)
    assert gate.closed_for() == 0


def test_never_opens_earlier(gate):
    """A later and shorter wish does not shorten an earlier one."""
    gate.refuse(60)

    assert gate.refuse(1) == 60


def test_doubles_without_a_wish(gate, clock):
    """Where the service does not say, each round is twice as long, up to some hours."""
    waits = []
    for _ in range(16):
        waits.append(gate.refuse())
        clock.sleep(waits[-1])

    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == waits[-2] == 3 * 3600


def test_short_wishes_are_believed_for_a_while(gate, clock):
    """A service that keeps asking for a second, in vain, is asked less and less often."""
    waits = []
    for _ in range(7):
        waits.append(gate.refuse(1))
        clock.sleep(waits[-1])

    assert waits == [1, 1, 1, 2, 4, 8, 16]
    assert gate.refuse(600) == 600


def test_works_again(gate, clock):
    """After any other answer the service is believed again."""
    for _ in range(9):
        clock.sleep(gate.refuse())
    gate.answered()

    assert gate.refuse() == 2
    clock.sleep(2)
    gate.answered()
    assert gate.refuse(1) == 1


@pytest.mark.parametrize("asked", [None, 1])
def test_calls_under_way_together_count_once(gate, asked):
    """However many calls are refused at once, the gate closes as for one."""
    begun_in = gate.round()
    for _ in range(100):
        gate.refused(asked, begun_in=begun_in)

    assert gate.closed_for() == (asked or 2)
    assert gate.round() == 1


@given(
    st.lists(st.tuples(st.none() | st.floats(0, 86_400), st.integers(0, 50), st.floats(0, 100_000)))
)
def test_never_closed_for_more_than_a_day(history):
    """No history of refusals closes it for longer than the longest wait."""
    clock = Clock()
    gate = Jittered(clock)
    for asked, begun_in, later in history:
        gate.refused(asked, begun_in=begun_in)
        assert 0 <= gate.closed_for() <= 86_400
        clock.sleep(later)


# The budget


def test_so_many_in_five_minutes(clock):
    """When the calls of five minutes are spent, the next may be made when the first grows old."""
    budget = Budget(2, clock)
    assert budget.take() == 0
    clock.sleep(10)
    assert budget.take() == 0
    clock.sleep(20)

    assert budget.take() == 270
    clock.sleep(270)
    assert budget.take() == 0
    assert budget.take() == 10


def test_no_limit(clock):
    """A limit of 0 is none."""
    budget = Budget(0, clock)

    assert {budget.take() for _ in range(10_000)} == {0}


@given(st.integers(1, 5), st.lists(st.floats(0, 400), min_size=1, max_size=60))
def test_never_more_than_the_limit(limit, steps):
    """In no five minutes there are more calls than the limit."""
    clock = Clock()
    budget, taken = Budget(limit, clock), []
    for step in steps:
        clock.sleep(step)
        if budget.take() == 0:
            taken.append(clock.now)

    for first, beyond in zip(taken, taken[limit:], strict=False):
        assert beyond - first >= BUDGET_WINDOW


def test_threads_share_the_budget(clock):
    """Threads that take at once do not take more than there is."""
    budget, barrier = Budget(10, clock), threading.Barrier(8)

    def take(_: int) -> int:
        barrier.wait()
        return sum(budget.take() == 0 for _ in range(10))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(8))) == 10


def test_share_of_the_budget(clock):
    """Work that gives way waits until all that is spent, with its own, fits into its share."""
    budget = Budget(10, clock)
    assert budget.wait_for(2, share=0.2) == 0
    assert budget.take() == 0
    assert budget.wait_for(1, share=0.2) == 0
    clock.sleep(10)
    budget.take()
    budget.take()

    # Two calls and one of ten fit into three tenths when the first is five minutes old.
    assert budget.wait_for(1, share=0.3) == 290
    assert budget.wait_for(3, share=0.3) == 300
    clock.sleep(290)
    assert budget.wait_for(1, share=0.3) == 0


def test_share_that_is_too_small(clock):
    """What never fits into the share has its turn when nothing was spent for five minutes."""
    budget = Budget(10, clock)
    assert budget.wait_for(5, share=0.1) == 0
    budget.take()
    assert budget.wait_for(5, share=0.1) == 300
    assert Budget(0, clock).wait_for(10**9, share=0.1) == 0
