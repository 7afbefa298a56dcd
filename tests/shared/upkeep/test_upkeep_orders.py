"""Who ordered upkeep, and how that ended, in the log of orders."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import AccessDenied, BadMessage, ServiceDown, Throttled
from shared.messages import upkeep_message
from shared.messages.upkeep_message import AUDIT, RENEW, SWEEP, UpkeepMessage
from shared.orders import order as orders
from shared.orders.order import Order
from shared.orders.order_log import OrderLog
from shared.signature import APP, KEY, Signature
from tests.doubles.office import NOON
from tests.shared.upkeep.test_upkeep import Office


@pytest.fixture
def office() -> Office:
    return Office()


def told(office: Office) -> list[tuple[str, ...]]:
    """Every line: event, order, by whom, id, and the result."""
    return [
        (line["event"], line["order"], line["by"]["via"], line["id"], line.get("result", ""))
        for line in office.lines.told
    ]


@pytest.mark.parametrize(("kind", "result"), [(RENEW, "done"), (SWEEP, "begun"), (AUDIT, "done")])
def test_typed_word(office: Office, kind: str, result: str):
    """It is signed "queue", and known by the id that the queue has given it."""
    office.upkeep.work_off(kind.encode(), message_id="m-1")

    assert told(office) == [
        ("given", kind, "queue", "m-1", ""),
        ("ended", kind, "queue", "m-1", result),
    ]


@pytest.mark.parametrize("kind", [RENEW, SWEEP, AUDIT])
def test_timer(office: Office, kind: str):
    """What a timer asks for is nobody's order."""
    office.work_off(UpkeepMessage(kind, by=Signature(APP)))

    assert told(office) == []


def console_s(office: Office, kind: str = SWEEP) -> UpkeepMessage:
    """The message of an order that the console has signed."""
    log = OrderLog(office.lines, clock=office.here.clock)
    file = log.give(Order(kind, Signature(KEY), "c-1"))
    return UpkeepMessage(kind, by=Signature(KEY), order_id="c-1", ordered_in=file)


def test_order_of_the_console(office: Office):
    """Its end names the sweep that has begun."""
    office.work_off(console_s(office))

    given, ended = office.lines.told
    assert (given["event"], given["by"]) == ("given", {"via": "key"})
    assert (ended["result"], ended["detail"], ended["id"]) == ("begun", "a-sweep", "c-1")


def test_order_that_waits(office: Office):
    """It comes back as the order it was."""
    office.here.graph.error = Throttled("Busy.", retry_after=5)
    office.upkeep.work_off(b"renew", message_id="m-1")
    office.here.graph.error = None
    office.work_off_waiting()

    assert [(event, result) for event, *_, result in told(office)] == [
        ("given", ""),
        ("ended", orders.DONE),
    ]


def test_log_that_is_down(office: Office):
    """A typed order waits until it can be signed."""
    office.lines.error = ServiceDown("Down.")
    office.upkeep.work_off(b"sweep")
    assert office.sweeps.done == []
    office.lines.error = None
    office.work_off_waiting()

    assert office.sweeps.done == ["start"]
    assert len(told(office)) == 2


def test_order_that_is_never_signed(office: Office):
    """Once a typed order waits no more it is kept where the console lists it."""
    office.lines.error = ServiceDown("Down.")
    office.upkeep.work_off(b"sweep")
    office.here.clock.advance(timedelta(days=1))
    office.work_off_waiting()
    office.lines.error = AccessDenied("A role is missing.")
    office.upkeep.work_off(b"renew")

    kept = list(office.store.unreadable.values())
    assert [upkeep_message.parse(body, now=NOON).kind for body, _ in kept] == [SWEEP, RENEW]
    assert [reason for _, reason in kept] == [
        "Gave up after a day of waiting. Down.",
        "A role is missing.",
    ]
    assert office.sweeps.done == []


def test_order_over_which_the_app_stops(office: Office, monkeypatch: pytest.MonkeyPatch):
    """What was typed is not known again once the host gives it up: its end is told at once."""

    def stop() -> str:
        raise RuntimeError

    monkeypatch.setattr(office.sweeps, "start", stop)
    with pytest.raises(RuntimeError):
        office.upkeep.work_off(b"sweep", message_id="m-1")

    assert told(office)[-1] == ("ended", SWEEP, "queue", "m-1", orders.FAILED)


def test_ends_that_are_none(office: Office):
    """Failed, halted or parked: each is told as such."""
    office.sweeps.error = AccessDenied("Consent is missing.")
    office.work_off(console_s(office))
    office.uninstall.ordered = "an-uninstall"
    office.work_off(console_s(office))
    office.upkeep.park(console_s(office).to_json().encode())
    office.upkeep.park(b"?")

    assert [line["result"] for line in office.lines.told if line["event"] == "ended"] == [
        orders.FAILED,
        orders.HALTED,
        orders.FAILED,
    ]


@pytest.mark.parametrize(
    "odd", [{"by": "jo"}, {"by": {"via": "god"}}, {"orderId": "a b"}, {"orderedIn": "../x"}]
)
def test_signature_that_is_none(odd: dict[str, Any]):
    """Nothing in a message leads to another blob, or into a log line."""
    with pytest.raises(BadMessage):
        upkeep_message.parse(json.dumps({"kind": "sweep", **odd}).encode(), now=NOON)
