"""When a call is retried: a fresh token, a wait in place, and never beyond the claim."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest
import requests

from shared.copying.held_claim import CLAIM_LENGTH
from shared.errors import ClaimLost, Unanswered
from shared.microsoft365.http import (
    CONNECT_SECONDS,
    LATE_WRITE,
    LONGEST_WAIT_IN_PLACE,
    REQUEST_LIMIT,
    TRIES,
    WRITE_SECONDS,
    Http,
)
from shared.telemetry import calls
from tests.doubles.claims import covered, lost
from tests.doubles.web import NOON, Answer, Clock, Tokens, Web, answer, http, in_turn

# Tokens


class Protected:
    """A service that accepts only the tokens in *valid*."""

    def __init__(self, *valid: str) -> None:
        self.tokens: list[str] = []
        self._valid = valid

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        token = str(request.headers["Authorization"]).removeprefix("Bearer ")
        self.tokens.append(token)
        return Answer(200 if token in self._valid else 401)


def test_401_gets_a_fresh_token():
    """A refused token is replaced once, and the request is sent again."""
    assert http(Protected("token-2")).send("GET", "/").status == 200


def test_fresh_token_is_refused_for_good():
    """A 401 for the fresh token is returned: there is no further attempt."""
    service = Protected()

    assert http(service).send("GET", "/").status == 401
    assert service.tokens == ["token-1", "token-2"]


def test_fresh_token_after_throttling():
    """A 401 after throttled attempts still gets its fresh token."""
    busy = answer({}, 429, retry_after="1")
    service = http(in_turn(busy, busy, Answer(401), Answer(200)))

    assert service.send("GET", "/").status == 200


# Waits


def slow(*asked: str, status: int = 429) -> Web:
    return in_turn(*(answer({}, status, retry_after=wait) for wait in asked), answer({}))


DATE = format_datetime(NOON + timedelta(seconds=4), usegmt=True)


@pytest.mark.parametrize(
    ("web", "seconds"),
    [(slow("2.5", "3"), 5.5), (slow("2.5", "3", status=503), 5.5), (slow(DATE), 4)],
    ids=["429", "503", "date"],
)
def test_short_wait_happens_in_place(web, seconds):
    """A short Retry-After, in seconds or as a date, is waited for; then the answer counts."""
    clock = Clock()

    assert http(web, clock=clock).send("GET", "/").status == 200
    assert clock.now == NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "asked",
    [("10.1",), ("6", "6"), ("1",) * TRIES],
    ids=["one long wait", "two that add up", "too many tries"],
)
def test_long_wait_is_left_to_the_message(asked):
    """Beyond ten seconds in all, or three attempts, the throttled reply is returned."""
    clock = Clock()
    reply = http(slow(*asked), clock=clock).send("GET", "/")

    assert (reply.status, reply.retry_after) == (429, float(asked[-1]))
    assert clock.now - NOON <= timedelta(seconds=LONGEST_WAIT_IN_PLACE)


@pytest.mark.parametrize(
    "response",
    [answer({}, 500, retry_after="1"), answer({}, 404, retry_after="1")],
    ids=["500", "404"],
)
def test_nothing_else_is_tried_again(response):
    """Only a 429 or 503 is retried in place."""
    assert http(in_turn(response, Answer(200))).send("GET", "/").status == response.status


# The claim


def test_no_write_begins_without_its_claim():
    """A write that its claim does not cover is not sent."""
    service = Protected("token-1")

    with pytest.raises(ClaimLost):
        http(service).send("POST", "/", before_write=lost)

    assert service.tokens == []
    assert http(service).send("POST", "/", before_write=covered).status == 200


@pytest.mark.parametrize("first", [answer({}, 429, retry_after="5"), Answer(401)])
def test_claim_is_checked_before_each_try(first):
    """The claim is checked again after a wait in place and after a refused token."""
    checks = iter([covered, lost])

    with pytest.raises(ClaimLost):
        http(in_turn(first, answer({}))).send("POST", "/", before_write=lambda: next(checks)())


def test_claim_is_checked_last():
    """The check includes the time spent on waiting and on getting a token."""
    clock = Clock()

    class Slow(Tokens):
        def bearer(self, audience: str, *, refused: str = "") -> str:
            clock.sleep(30)
            return "token-1"

    def asked() -> None:
        assert clock.now == NOON + timedelta(seconds=30)
        lost()

    service = Http("sharepoint", "https://localhost:1", Slow(), clock=clock, ticks=clock.ticks)

    with pytest.raises(ClaimLost):
        service.send("POST", "/", before_write=asked)


@pytest.mark.parametrize(("before_write", "seconds"), [(None, 30), (covered, 20)])
def test_answer_to_a_write_is_awaited_less_long(before_write, seconds):
    """A write waits only as long as its claim allows; reading a photo of 8 MB may take longer."""
    session = requests.Session()
    seen: list[object] = []

    def request(*_: object, timeout: object, **__: object) -> None:
        seen.append(timeout)
        raise requests.ReadTimeout

    session.request = request  # type: ignore[method-assign,assignment]
    service = Http("sharepoint", "https://localhost:1", Tokens(), session=lambda: session)

    with pytest.raises(Unanswered):
        service.send("POST", "/", before_write=before_write)
    assert seen == [(CONNECT_SECONDS, seconds)]


def test_claim_outlasts_a_late_write():
    """If a run dies during its last write, its claim lasts until that write is over."""
    on_our_side = 4 * CONNECT_SECONDS + WRITE_SECONDS

    assert on_our_side + LATE_WRITE <= REQUEST_LIMIT


def test_claim_leaves_time_to_write():
    """A usual copy of two seconds renews no claim; after a death, all is done within 90 s."""
    over_and_copied = 1 + 2 + 1 + 5  # seconds: of storage, of the wait for it, of polling, a copy

    assert CLAIM_LENGTH - REQUEST_LIMIT >= 10
    assert CLAIM_LENGTH + over_and_copied <= 90


def test_calls_are_noted():
    """Each attempt is recorded under its service, answered or not."""
    with calls.noted() as made:
        http(slow("1")).send("GET", "/")
        with pytest.raises(Unanswered):
            http(in_turn(requests.ConnectTimeout())).send("GET", "/")

    assert made == ["sharepoint"] * 3
