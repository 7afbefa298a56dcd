"""What a message leaves in the log: one line, and no person's name or address."""

from __future__ import annotations

import logging
import re

import pytest

from shared.errors import AccessDenied, Throttled
from tests.doubles.office import ANNE, NOON
from tests.shared.copying.runs import message

UPN = ANNE.user_principal_name


@pytest.fixture
def lines(caplog):
    """What the worker logs."""
    caplog.set_level(logging.INFO, "photosync")
    return caplog


def test_one_event_a_message(office, lines):
    """A message leaves one line: the event, the user, the correlation id, calls and time."""
    office.clock.sleep(60)
    office.exchange.after_copy = lambda: office.clock.sleep(1.5)
    office.process(message(reason="notification", firstQueuedAt=NOON.isoformat()))

    [line] = lines.messages
    assert re.fullmatch(
        rf"photo\.synced user={ANNE.id} correlation=from-the-webhook "
        r"graph=3 sharepoint=5 blob=4 ms=1500 reason=notification seconds=61\.5",
        line,
    )


def test_wait_is_logged_with_its_reason(office, lines):
    """The line of a wait says how long, and why."""
    office.exchange.error = Throttled("Busy.", retry_after=20)
    office.process(message(reason="notification"))

    [line] = lines.messages
    assert re.search(r'^photo\.waiting .* retryIn=20\.0 service=photosync why="Busy\."$', line)


@pytest.mark.parametrize("body", [UPN, "bert@contoso.com", '{"userId": "cleo@contoso.com", "x'])
def test_log_names_no_person(office, lines, body):
    """No address and no message body reaches the log: object ids only."""
    office.process(body)
    office.exchange.error = Throttled("Busy.")
    office.process(body)
    office.worker.park(body.encode())

    [name] = re.findall(r"\w+@", body)
    assert len([line for line in lines.messages if line.startswith("photo.")]) == 3
    assert [line for line in lines.messages if f"user={name}" in line or "cleo" in line] == []


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (message(), f"photo.parked user={ANNE.id} correlation=from-the-webhook"),
        ("?", "photo.parked user=- correlation=correlation-2"),
    ],
    ids=["message", "unreadable"],
)
def test_parking_is_an_error(office, lines, body, line):
    """Parking is logged as an error, so that an alert can watch for it."""
    office.worker.park(body.encode())

    [record] = lines.records
    assert (record.levelno, record.getMessage()) == (logging.ERROR, line)


@pytest.mark.parametrize(
    ("body", "level"),
    [(ANNE.id, logging.INFO), ("?", logging.WARNING), (message(force=True), logging.ERROR)],
    ids=["synced", "unreadable", "failed"],
)
def test_level(office, lines, body, level):
    """A failed user is an error, an unreadable message a warning, everything else information."""
    if level == logging.ERROR:
        office.sharepoint.plan_error = AccessDenied("No role.")
    office.process(body)

    [record] = [each for each in lines.records if each.getMessage().startswith("photo.")]
    assert record.levelno == level
