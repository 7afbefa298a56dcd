"""How often a service is called during an outage: the real worker and client, a manual clock."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import timedelta

import pytest
import requests

from shared.copying.worker import Worker
from shared.graph.client import GraphClient
from shared.microsoft365.http import TRIES
from shared.microsoft365.throttle import Throttle
from tests.doubles.halt import Halting
from tests.doubles.memory_lines import in_memory
from tests.doubles.office import ANNE, Clock, DelayedMessages, Office
from tests.doubles.web import Answer, answer, http, no_answer

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
OUTAGES = [MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, 23 * HOUR]
Refusal = Callable[[], Answer]


REFUSALS: dict[str, Refusal] = {
    "429 without a time": lambda: Answer(429),
    "503 for a second": lambda: answer({}, 503, retry_after="1"),
    "503 for no time": lambda: answer({}, 503, retry_after="0"),
    "429 for a minute": lambda: answer({}, 429, retry_after="60"),
    "500": lambda: Answer(500),
    "no answer": no_answer,
}


class Outage:
    """Graph, which refuses every call until *ends*, then answers that no user has a photo."""

    def __init__(self, length: timedelta, refusal: Refusal, jitter: float) -> None:
        self.clock = Clock()
        self.queue = DelayedMessages()
        self.calls = 0
        self.office = Office(clock=self.clock, queue=self.queue)
        self._ends = self.clock.now + length
        self._refusal = refusal
        self._jitter = jitter

    def worker(self) -> Worker:
        """A new process."""
        throttle = Throttle(self.clock, jitter=lambda: self._jitter)
        graph = GraphClient(http(self._answer, clock=self.clock, throttle=throttle))
        # The product's client in place of the double, which has no outages.
        self.office.exchange = graph  # type: ignore[assignment]
        return Worker(
            self.office.sync,
            graph,
            self.office.store,
            self.queue,
            Halting(),
            in_memory(self.clock),
            clock=self.clock,
            ticks=self.clock.ticks,
            jitter=lambda: self._jitter,
            new_id=lambda: "correlation",
        )

    def process_all(self, bodies: list[str], *, restarting: bool) -> None:
        """Work off *bodies*, and the messages they send, each when it is due."""
        due = [(self.clock.now, body) for body in bodies]
        worker = self.worker()
        while due:
            due.sort()
            moment, body = due.pop(0)
            self.clock.now = max(self.clock.now, moment)
            worker = self.worker() if restarting else worker
            worker.process(body.encode())
            for fields, delay in self.queue.messages:
                due.append((self.clock.now + timedelta(seconds=delay), json.dumps(fields)))
            self.queue.messages.clear()

    def _answer(self, request: requests.PreparedRequest) -> Answer:
        path, _, _ = str(request.path_url).partition("?")
        if self.clock.now >= self._ends and path.endswith("/photo"):
            return answer({"error": {"code": "ErrorEntityNotFound"}}, 404)
        if self.clock.now >= self._ends:
            user = path.rpartition("/")[2]
            return answer({"id": user, "userPrincipalName": f"{user}@contoso.com"})
        self.calls += 1
        return self._refusal()


def most_calls(length: timedelta) -> float:
    """For one message: a few tries in place at each attempt, and each wait twice the last."""
    return TRIES * (math.log2(length.total_seconds()) + 5)


@pytest.mark.parametrize("jitter", [0.0, 0.999], ids=["short waits", "long waits"])
@pytest.mark.parametrize("restarting", [False, True], ids=["one process", "new processes"])
@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("length", OUTAGES, ids=str)
def test_calls_grow_with_the_logarithm(length, refusal, restarting, jitter):
    """
    In an outage of length T, one message makes about log T calls and ends within 2 T.

    Also if the service always asks for a wait of one second, and if each attempt is a new
    process.
    """
    outage = Outage(length, refusal, jitter)
    began = outage.clock.now

    outage.process_all([ANNE.id], restarting=restarting)

    assert outage.office.anne.status == "no-photo"
    assert 0 < outage.calls <= most_calls(length)
    assert outage.clock.now - began <= 2 * length + MINUTE


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_many_messages_call_no_more_each(refusal):
    """Thirty messages in one process make at most thirty times the calls of one."""
    users = [f"0a000000-0000-4000-8000-{number:012}" for number in range(30)]
    outage = Outage(6 * HOUR, refusal, 0.5)

    outage.process_all(users, restarting=False)

    assert all(outage.office.store[user].status == "no-photo" for user in users)
    assert outage.calls <= len(users) * most_calls(6 * HOUR)


def test_outage_of_two_days():
    """After a day the message ends, and the state says so; the next sweep queues the user again."""
    outage = Outage(48 * HOUR, REFUSALS["500"], 0.0)

    outage.process_all([ANNE.id], restarting=False)

    anne = outage.office.anne
    assert anne.last_error
    assert (anne.status, anne.last_error.code) == ("failed", "gave-up")
    assert outage.calls <= most_calls(24 * HOUR)
