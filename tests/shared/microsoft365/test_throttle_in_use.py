"""Calls to a service behind its throttle and within its budget."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.errors import Throttled
from shared.graph.errors import is_of_one_mailbox
from shared.microsoft365.http import Http
from shared.microsoft365.throttle import Throttle
from tests.doubles.web import NOON, Answer, Clock, Recorded, answer, http, in_turn
from tests.machine.instance_budget import InstanceBudget
from tests.shared.microsoft365.test_throttle import Jittered

SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock) -> Throttle:
    return Jittered(clock)


@pytest.fixture
def behind(clock, throttle) -> Callable[..., Http]:
    """Build an Http behind the throttle."""
    return functools.partial(http, clock=clock, throttle=throttle)


def test_closed_service_is_not_called(behind):
    """After one long Retry-After, no thread calls any host of the service."""
    busy = Recorded(answer({}, 429, retry_after="60"))
    other = Recorded(answer({}))
    assert behind(busy).send("GET", "/").status == 429

    for _ in range(5):
        with pytest.raises(Throttled) as caught:
            behind(other).send("GET", "/")
        assert caught.value.retry_after == 60
        assert "for another 60 s, until 12:01:00 UTC." in str(caught.value)

    assert (len(busy.requests), other.requests) == (1, [])


def test_short_closure_is_waited_for(behind, throttle, clock):
    """If the throttle opens within ten seconds, the caller waits for it."""
    throttle.refused(9, begun_in=0)

    assert behind(in_turn(answer({}))).send("GET", "/").status == 200
    assert clock.now == NOON + 9 * SECOND


def test_throttle_that_closes_again_while_waiting(behind, clock):
    """Waits in place add up to at most ten seconds, whatever their cause."""

    class Reclosed(Jittered):
        def paused_for(self) -> float:
            return 6.0

    with pytest.raises(Throttled):
        behind(in_turn(answer({})), throttle=Reclosed(clock)).send("GET", "/")

    assert clock.now == NOON + 6 * SECOND


def test_503_without_retry_after(behind, clock):
    """A 503 that names no time is retried after a short wait of our own."""
    assert behind(in_turn(Answer(503), answer({}))).send("GET", "/").status == 200
    assert clock.now == NOON + 2 * SECOND


def test_other_answer_resets_the_backoff(behind, clock):
    """Once the service has answered otherwise, its short waits are believed again."""
    busy = answer({}, 429, retry_after="1")
    service = behind(in_turn(*[busy] * 6, Answer(404), busy, answer({})))
    while service.send("GET", "/").status != 404:
        clock.sleep(3600)

    began = clock.now
    assert service.send("GET", "/").status == 200
    assert clock.now - began == SECOND


def test_spent_budget(behind, clock):
    """A call beyond the budget is not made: the message waits until one is free."""
    web = Recorded(answer({}))
    service = behind(web, budget=InstanceBudget(3, clock))
    for _ in range(3):
        service.send("GET", "/")

    with pytest.raises(Throttled) as caught:
        service.send("GET", "/")

    assert (len(web.requests), caught.value.retry_after) == (3, 300)
    assert str(caught.value).startswith("The budget of calls is used up for another 300 s, until ")


def test_each_try_spends_the_budget(behind, clock):
    """Throttled attempts count too, because SharePoint counts them."""
    budget = InstanceBudget(3, clock)
    web = in_turn(*[answer({}, 429, retry_after="1")] * 2, answer({}))

    assert behind(web, budget=budget).send("GET", "/").status == 200
    assert budget.take() > 0


def test_service_that_reports_what_is_left(behind, clock):
    """If little is left of a limit, the next call waits."""
    left = {"RateLimit-Limit": "1250", "RateLimit-Remaining": "0", "RateLimit-Reset": "7"}
    service = behind(in_turn(Answer(200, b"{}", left), answer({})))
    service.send("GET", "/")
    service.send("GET", "/")

    assert clock.now == NOON + 7 * SECOND


@pytest.mark.parametrize(
    ("status", "message", "seen"),
    [
        (429, "MailboxConcurrency limit", 429),
        (429, "Too many requests", 200),
        (503, "MailboxConcurrency limit", 200),
    ],
    ids=["of one", "of all", "overloaded"],
)
def test_refusal_about_one_mailbox_closes_no_throttle(behind, clock, status, message, seen):
    """A limit of one mailbox delays only the call for that mailbox."""
    body = answer({"error": {"code": "ApplicationThrottled", "message": message}}).body
    left = {"RateLimit-Limit": "4", "RateLimit-Remaining": "0", "RateLimit-Reset": "6"}
    graph = behind(in_turn(Answer(status, body, left), answer({})), concerns_one=is_of_one_mailbox)

    assert [graph.send("GET", "/one").status, graph.send("GET", "/two").status] == [seen, 200]
    assert (clock.now == NOON) is (seen == 429)
