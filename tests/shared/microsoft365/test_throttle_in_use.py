"""One call to a service behind its gate and within its budget."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
import requests

from shared.errors import Throttled
from shared.graph.errors import is_of_one_mailbox
from shared.microsoft365.http import Http
from shared.microsoft365.throttle import Budget, Gate
from tests.doubles.web import NOON, Answer, Clock, Tokens, Web, answer, in_turn
from tests.doubles.web import http as web_http
from tests.machine.instance_budget import InstanceBudget
from tests.shared.microsoft365.test_throttle import Jittered

SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(clock) -> Gate:
    return Jittered(clock)


def http(web: Web, clock: Clock, gate: Gate, budget: Budget | None = None) -> Http:
    """An Http like that of tests.doubles.web, behind *gate*."""
    session = web_http(web, clock=clock)._new_session
    return Http(
        "sharepoint",
        "https://service.contoso.com",
        Tokens(),
        gate=gate,
        budget=budget,
        session=session,
        clock=clock,
        sleep=clock.sleep,
    )


class Counted:
    def __init__(self, web: Web) -> None:
        self.calls = 0
        self._web = web

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        self.calls += 1
        return self._web(request)


def test_nobody_calls_a_closed_service(gate, clock):
    """One who is asked for a long wait keeps everybody from calling, on each of its hosts."""
    busy = Counted(in_turn(answer({}, 429, retry_after="60")))
    other = Counted(in_turn(answer({})))
    assert http(busy, clock, gate).send("GET", "/").status == 429

    for _ in range(5):
        with pytest.raises(Throttled) as caught:
            http(other, clock, gate).send("GET", "/")
        assert caught.value.retry_after == 60
        assert "for another 60 s, until 12:01:00 UTC." in str(caught.value)

    assert (busy.calls, other.calls) == (1, 0)


def test_short_closure_is_waited_for(gate, clock):
    """Who meets a gate that opens within ten seconds waits for it, and then calls."""
    gate.refused(9, begun_in=0)

    assert http(in_turn(answer({})), clock, gate).send("GET", "/").status == 200
    assert clock.now == NOON + 9 * SECOND


def test_gate_that_closes_again_while_waiting(clock):
    """Waits in place add up to ten seconds at most, whoever is the cause of them."""

    class Reclosed(Jittered):
        def closed_for(self) -> float:
            return 6.0

    with pytest.raises(Throttled):
        http(in_turn(answer({})), clock, Reclosed(clock)).send("GET", "/")

    assert clock.now == NOON + 6 * SECOND


def test_wait_without_a_wish_in_place(clock, gate):
    """A 503 that names no time is tried again after a short wait of our own."""
    web = in_turn(Answer(503), answer({}))

    assert http(web, clock, gate).send("GET", "/").status == 200
    assert clock.now == NOON + 2 * SECOND


def test_answer_ends_the_doubt(clock, gate):
    """Once the service has answered otherwise, its short waits are believed again."""
    busy = answer({}, 429, retry_after="1")
    web = in_turn(*[busy] * 6, Answer(404), busy, answer({}))
    service = http(web, clock, gate)
    while service.send("GET", "/").status != 404:
        clock.sleep(3600)

    began = clock.now
    assert service.send("GET", "/").status == 200
    assert clock.now - began == SECOND


def test_spent_budget(clock, gate):
    """A call beyond the budget is not made: the message waits until one is free."""
    web = Counted(in_turn(answer({})))
    service = http(web, clock, gate, InstanceBudget(3, clock))
    for _ in range(3):
        service.send("GET", "/")

    with pytest.raises(Throttled) as caught:
        service.send("GET", "/")

    assert (web.calls, caught.value.retry_after) == (3, 300)
    assert str(caught.value).startswith("The budget of calls is used up for another 300 s, until ")


def test_each_try_spends_the_budget(clock, gate):
    """Throttled tries count too: SharePoint counts them as well."""
    budget = InstanceBudget(3, clock)
    web = in_turn(*itertools.repeat(answer({}, 429, retry_after="1"), 2), answer({}))

    assert http(web, clock, gate, budget).send("GET", "/").status == 200
    assert budget.take() > 0


def test_service_that_tells_how_much_is_left(clock, gate):
    """Whoever is told that little is left of a limit calls again later."""
    told = {"RateLimit-Limit": "1250", "RateLimit-Remaining": "0", "RateLimit-Reset": "7"}
    service = http(in_turn(Answer(200, b"{}", told), answer({})), clock, gate)
    service.send("GET", "/")
    service.send("GET", "/")

    assert clock.now == NOON + 7 * SECOND


def test_refusal_about_one_mailbox_closes_no_gate(clock, gate):
    """Others are answered meanwhile: only whoever asked for that mailbox waits."""
    said = b'{"error": {"code": "ApplicationThrottled", "message": "MailboxConcurrency limit"}}'
    left = {"RateLimit-Limit": "4", "RateLimit-Remaining": "0", "RateLimit-Reset": "60"}
    busy = Answer(429, said, left)
    web = web_http(in_turn(busy, answer({})), clock=clock)._new_session
    graph = Http(
        "graph",
        "https://service.contoso.com",
        Tokens(),
        gate=gate,
        concerns_one=is_of_one_mailbox,
        session=web,
        clock=clock,
        sleep=clock.sleep,
    )

    assert [graph.send("GET", "/one").status, graph.send("GET", "/two").status] == [429, 200]
    assert clock.now == NOON
