"""Who ordered a run, and how it ended, in the log of orders."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from shared.errors import ServiceDown, Throttled
from shared.messages.sync_message import SyncMessage
from shared.orders.order import REPLAY, Entry, Order
from shared.orders.order_log import File, OrderLog
from shared.signature import APP, PERSON, Signature
from shared.sweeping.user_queue import UserQueue
from tests.doubles.office import ANNE, Office
from tests.shared.copying.runs import message

UPN = ANNE.user_principal_name
JO = Signature(PERSON, "jo@contoso.com", "0b000000-0000-4000-8000-000000000001")
AS_JO = {"via": PERSON, "name": JO.name, "id": JO.id}


def logged(office: Office) -> list[dict[str, Any]]:
    """Every line, without the times."""
    return [{k: v for k, v in line.items() if k != "at"} for line in office.lines.parsed]


def from_console(office: Office) -> str:
    """The message of an order that the console has signed."""
    file = OrderLog(office.lines, clock=office.clock).give(Order(REPLAY, JO, "c-1", ANNE.id, UPN))
    return message(correlationId="c-1", by=AS_JO, orderedIn=file)


def read(office: Office) -> list[Entry]:
    """The orders in the log."""
    return OrderLog(office.lines, clock=office.clock).read(File("2026-01", 1)).entries


@pytest.mark.parametrize(
    ("typed", "upn", "options"),
    [
        (UPN, UPN, ""),
        (ANNE.id, "", ""),
        (json.dumps({"userId": UPN, "force": True, "replace": True}), UPN, "force, replace"),
    ],
)
def test_typed_message(office: Office, typed: str, upn: str, options: str):
    """It is signed "queue", and its id is the one that the queue gave it."""
    office.worker.process(typed.encode(), message_id="m-1")

    [entry] = read(office)
    assert entry.order == Order("replay", Signature("queue"), "m-1", ANNE.id, upn, options)
    assert entry.result == "synced"


NAMES = ("userId", "userPrincipalName", "options")


@pytest.mark.parametrize(
    ("fields", "options"),
    [({}, ""), ({"force": True}, "force"), ({"force": True, "replace": True}, "force, replace")],
)
@pytest.mark.parametrize(("typed", "upn"), [(UPN, UPN), (ANNE.id, "")], ids=["name", "id"])
def test_what_a_typed_order_says(office: Office, typed: str, upn: str, fields, options: str):
    """The log has the user as it was typed, the object id once it is known, and the options."""
    office.process(message(userId=typed, **fields))

    said = [tuple(line.get(name, "") for name in NAMES) for line in logged(office)]
    assert said == [("" if upn else ANNE.id, upn, options), (ANNE.id, upn, options)]


def test_order_of_the_console(office: Office):
    """The worker adds the end; who ordered it stays as the console wrote it."""
    office.process(from_console(office))

    given, ended = logged(office)
    assert (given["event"], given["by"]) == ("given", AS_JO)
    assert (ended["event"], ended["by"]) == ("ended", AS_JO)
    assert (ended["result"], ended["id"]) == ("synced", "c-1")


def test_order_that_waits(office: Office):
    """It has one beginning and one end, however often it waits, typed or not."""
    office.exchange.error = Throttled("Busy.")
    outcome = office.process(message(userId=UPN))
    assert (outcome.event, outcome.user) == ("waiting", "-")
    office.exchange.error = None
    assert office.process_waiting().event == "synced"

    assert [(line["event"], line["by"]["via"]) for line in logged(office)] == [
        ("given", "queue"),
        ("ended", "queue"),
    ]


@pytest.mark.parametrize("by", [AS_JO, {"via": "key"}])
def test_forged_signature(office: Office, by: dict[str, str]):
    """Typing into the queue cannot sign as a person, nor create a file in the log."""
    office.process(message(by=by))
    office.process(message(by=by, orderedIn="1999-01", correlationId="c-2"))

    assert office.lines.names() == ["2026-01.jsonl"]
    assert [entry.order.by.via for entry in read(office)] == ["queue", "queue"]


@pytest.mark.parametrize("reason", ["notification", "sweep", "audit"])
def test_other_messages(office: Office, reason: str):
    """Notifications, sweeps and audits are no orders; nor are the replays of a sweep."""
    office.process(message(reason=reason))
    queue = UserQueue(office.queue, clock=office.clock, new_id=lambda: "an-id")
    queue.queue([ANNE.id], reason="replay")
    office.process_waiting()

    assert logged(office) == []


def test_log_is_down(office: Office):
    """A typed order waits until it can be signed, and is then carried out."""
    office.lines.error = ServiceDown("Down.")
    assert office.process(message()).event == "waiting"
    office.lines.error = None

    assert office.process_waiting().event == "synced"
    assert [line["event"] for line in logged(office)] == ["given", "ended"]


def test_end_that_cannot_be_written(office: Office, caplog: pytest.LogCaptureFixture):
    """The run has ended all the same; the app's log says what is missing."""
    body = from_console(office)
    office.lines.error = ServiceDown("Down.")

    assert office.process(body).event == "synced"
    assert [r.levelno for r in caplog.records if "order.unwritten" in r.getMessage()] == [
        logging.ERROR
    ]


def test_parked_order(office: Office):
    """An order that the host gives up has ended."""
    office.worker.park(from_console(office).encode())

    assert [line.get("result") for line in logged(office)] == [None, "parked"]


@pytest.mark.parametrize(
    "odd",
    [
        {"by": "jo"},
        {"by": {"via": "god"}},
        {"by": {"via": "person", "name": "Jo"}},
        {"by": {**AS_JO, "name": "x" * 257}},
        {"by": {**AS_JO, "name": "a\nb"}},
        {"orderedIn": "../users/x"},
        {"orderedIn": ["2026-01"]},
        {"orderedIn": "2026-13"},
    ],
)
def test_malformed_signature(office: Office, odd: dict[str, Any]):
    """It is set aside with a sentence: nothing in it leads to another blob."""
    outcome = office.process(message(**odd))

    assert (outcome.event, outcome.detail) == (
        "unreadable",
        "by and orderedIn are reserved for PhotoSync: leave them out.",
    )
    assert office.lines.names() == []


def test_old_message(office: Office):
    """A message of a version without signatures is carried out; a new one adds only its own."""
    old = SyncMessage(ANNE.id, "notification", False, 1, office.clock(), "c-1").to_json()
    assert {"by", "orderedIn"} & json.loads(old).keys() == set()
    assert office.process(old).event == "synced"
    ours = SyncMessage(ANNE.id, "replay", False, 1, office.clock(), "c-2", by=Signature(APP))
    assert json.loads(ours.to_json())["by"] == {"via": "app"}


def test_order_that_stops_the_app(office: Office):
    """Once the host gives up a typed order, nothing links it to the log: its end is logged now."""
    office.sharepoint.plan_error = RuntimeError()
    with pytest.raises(RuntimeError):
        office.process(message())
    [entry] = read(office)
    assert (entry.result, entry.detail) == ("failed", "PhotoSync stopped: RuntimeError.")

    # The host retries, and this time it works.
    office.sharepoint.plan_error = None
    office.process(message())
    [entry] = read(office)
    assert entry.result == "synced"
