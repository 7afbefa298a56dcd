"""Orders of upkeep in the log of orders: who gave them, and how they ended."""

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
from shared.signature import KEY, Signature
from tests.doubles.office import NOON
from tests.shared.upkeep.test_upkeep import Office


def logged(office: Office) -> list[tuple[str, ...]]:
    """Every line: event, order, who gave it, id, and result."""
    return [
        (line["event"], line["order"], line["by"]["via"], line["id"], line.get("result", ""))
        for line in office.lines.parsed
    ]


@pytest.mark.parametrize(("kind", "result"), [(RENEW, "done"), (SWEEP, "begun"), (AUDIT, "done")])
def test_typed_word(office: Office, kind: str, result: str):
    """A typed order is signed "queue" and has the id of its message."""
    office.upkeep.process(kind.encode(), message_id="m-1")

    assert logged(office) == [
        ("given", kind, "queue", "m-1", ""),
        ("ended", kind, "queue", "m-1", result),
    ]


def from_console(office: Office, kind: str = SWEEP) -> UpkeepMessage:
    """The message of an order that the console has signed."""
    log = OrderLog(office.lines, clock=office.here.clock)
    file = log.give(Order(kind, Signature(KEY), "c-1"))
    return UpkeepMessage(kind, by=Signature(KEY), order_id="c-1", ordered_in=file)


def test_order_of_the_console(office: Office):
    """Its end names the sweep that has begun."""
    office.process(from_console(office))

    given, ended = office.lines.parsed
    assert (given["event"], given["by"]) == ("given", {"via": "key"})
    assert (ended["result"], ended["detail"], ended["id"]) == ("begun", "a-sweep", "c-1")


def test_order_that_waits(office: Office):
    """A message that waits stays the same order."""
    office.here.graph.error = Throttled("Busy.", retry_after=5)
    office.upkeep.process(b"renew", message_id="m-1")
    office.here.graph.error = None
    office.process_waiting()

    assert [(event, result) for event, *_, result in logged(office)] == [
        ("given", ""),
        ("ended", orders.DONE),
    ]


def test_order_that_cannot_be_signed(office: Office):
    """A typed order waits until it can be signed; if it is given up, it is stored instead."""
    office.lines.error = ServiceDown("Down.")
    office.upkeep.process(b"sweep")
    assert office.sweeps.done == []
    office.lines.error = None
    office.process_waiting()
    assert office.sweeps.done == [("start", "again")]
    assert len(logged(office)) == 2

    office.lines.error = ServiceDown("Down.")
    office.upkeep.process(b"sweep")
    office.here.clock.advance(timedelta(days=1))
    office.process_waiting()
    office.lines.error = AccessDenied("A role is missing.")
    office.upkeep.process(b"renew")

    kept = list(office.store.unreadable.values())
    assert [upkeep_message.parse(body, now=NOON).kind for body, _ in kept] == [SWEEP, RENEW]
    assert [reason for _, reason in kept] == [
        "Gave up after a day of waiting. Down.",
        "A role is missing.",
    ]
    assert office.sweeps.done == [("start", "again")]


def test_orders_that_fail(office: Office):
    """An order that failed, was halted or was parked has such an end."""
    office.sweeps.error = AccessDenied("Consent is missing.")
    office.process(from_console(office))
    office.uninstall.ordered = "an-uninstall"
    office.process(from_console(office))
    office.upkeep.park(from_console(office).to_json().encode())
    office.upkeep.park(b"?")

    assert [line["result"] for line in office.lines.parsed if line["event"] == "ended"] == [
        orders.FAILED,
        orders.HALTED,
        orders.FAILED,
    ]


@pytest.mark.parametrize(
    "odd", [{"by": "jo"}, {"by": {"via": "god"}}, {"orderId": "a b"}, {"orderedIn": "../x"}]
)
def test_invalid_signature(odd: dict[str, Any]):
    """Nothing in a message leads to another blob, or into a log line."""
    with pytest.raises(BadMessage):
        upkeep_message.parse(json.dumps({"kind": "sweep", **odd}).encode(), now=NOON)
