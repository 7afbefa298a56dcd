"""Every order of the console is signed before it is carried out, and its end is written down."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.console.api import Console
from shared.errors import BadRequest, PhotoSyncError, ServiceDown, UnknownUser
from shared.signature import PERSON, Signature
from shared.storage.user_state import UserState
from tests.doubles.office import ANNE
from tests.shared.console.console_desk import Desk

JO = Signature(PERSON, "jo@contoso.com", "0b000000-0000-4000-8000-000000000001")
BY = {"via": PERSON, "name": JO.name, "id": JO.id}
UPN = ANNE.user_principal_name
Order = Callable[[Console], dict[str, Any]]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def history(desk: Desk, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.console.history(query)["orders"]
    return found


def test_replay(desk: Desk):
    """The log has it before the queue, and the message says who and where that stands."""
    told = desk.console.orders.replay(UPN, {"force": True, "replace": True}, by=JO)
    [(text, _)] = desk.users.sent
    message = json.loads(text)
    [line] = desk.lines.told

    assert (message["by"], message["orderedIn"]) == (BY, "2026-01")
    assert (line["id"], line["by"]) == (told["correlationId"], BY)
    assert (line["order"], line["options"]) == ("replay", "force, replace")
    assert (line["userId"], line["userPrincipalName"]) == (ANNE.id, UPN)


def test_replay_by_object_id(desk: Desk):
    """The UPN is the one that is remembered."""
    desk.kept.states.put(UserState(ANNE.id, user_principal_name=UPN))
    desk.console.orders.replay(ANNE.id, {}, by=JO)

    assert [line["userPrincipalName"] for line in desk.lines.told] == [UPN]


def test_replay_of_somebody_new_by_an_alias(desk: Desk):
    """The log names the account, not what it was called, though nothing is remembered of it."""
    desk.search.users = [ANNE]
    desk.console.orders.replay("anne.keller@contoso.com", {}, by=JO)

    [line] = desk.lines.told
    assert (line["userId"], line["userPrincipalName"]) == (ANNE.id, UPN)


@pytest.mark.parametrize(
    ("give", "order", "result", "detail"),
    [
        (lambda one: one.orders.sweep({}, by=JO), "sweep", "", ""),
        (lambda one: one.orders.sweep({"renew": True}, by=JO), "renew", "", ""),
        (
            lambda one: one.orders.sweep({"releaseRemovals": True}, by=JO),
            "release-removals",
            "done",
            "21 released.",
        ),
        (lambda one: one.orders.audit({}, by=JO), "audit", "begun", "an-audit"),
        (lambda one: one.orders.audit({"repair": True}, by=JO), "repair", "begun", "an-audit"),
        (
            lambda one: one.orders.audit({"releaseRepairs": True}, by=JO),
            "release-repairs",
            "done",
            "34 released.",
        ),
        (
            lambda one: one.orders.uninstall({}, by=JO),
            "uninstall",
            "begun",
            "20260131T120000-an-id",
        ),
        (
            lambda one: one.orders.uninstall({"cancel": True}, by=JO),
            "cancel-uninstall",
            "done",
            "There was nothing to cancel.",
        ),
    ],
)
def test_what_is_about_nobody(desk: Desk, give: Order, order: str, result: str, detail: str):
    """Each has a word of its own; what goes on for long is told with its id."""
    give(desk.console)

    [one] = history(desk)
    assert (one["order"], one["by"], one["result"], one["detail"]) == (order, BY, result, detail)
    for text, _ in desk.upkeep.sent:
        sent = json.loads(text)
        if sent["kind"] != "uninstall":
            assert (sent["by"], sent["orderId"]) == (BY, one["correlationId"])


def test_unwritten_order(desk: Desk):
    """What cannot be signed is not carried out: whoever ordered it reads why."""
    desk.lines.error = ServiceDown("Down.")
    attempts: list[Callable[[], object]] = [
        lambda: desk.console.orders.replay(UPN, {}, by=JO),
        lambda: desk.console.orders.sweep({}, by=JO),
        lambda: desk.console.orders.audit({}, by=JO),
        lambda: desk.console.orders.uninstall({}, by=JO),
    ]
    for give in attempts:
        with pytest.raises(ServiceDown):
            give()

    assert (desk.users.sent, desk.upkeep.sent, desk.audits.ordered) == ([], [], [])
    assert desk.uninstall.latest() is None


def test_refused_orders(desk: Desk):
    """Who tried what in vain is in the log, with the refusal."""
    attempts: list[tuple[Callable[[], object], type[PhotoSyncError]]] = [
        (lambda: desk.console.orders.replay("nobody@contoso.com", {}, by=JO), UnknownUser),
        (
            lambda: desk.console.orders.sweep({"renew": True, "releaseRemovals": 1}, by=JO),
            BadRequest,
        ),
    ]
    for give, error in attempts:
        with pytest.raises(error):
            give()

    newest, oldest = history(desk)
    assert (newest["order"], newest["result"]) == ("renew", "refused")
    assert (oldest["userPrincipalName"], oldest["result"]) == ("nobody@contoso.com", "refused")
    assert oldest["detail"].startswith("Microsoft Graph knows no such user")


def test_queue_that_is_down(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    """An order that was signed and could not be queued has failed."""

    def send(text: str, *, delay_seconds: float) -> None:
        raise ServiceDown("Down.")

    monkeypatch.setattr(desk.users, "send", send)
    with pytest.raises(ServiceDown):
        desk.console.orders.replay(UPN, {}, by=JO)

    assert [(one["result"], one["detail"]) for one in history(desk)] == [("failed", "Down.")]


def test_uninstall_is_the_last_order(desk: Desk):
    """It forgets states and not the log: the order that ended everything is in it."""
    desk.console.orders.uninstall({}, by=JO)
    with pytest.raises(BadRequest):
        desk.console.orders.replay(UPN, {}, by=JO)

    assert [(one["order"], one["result"]) for one in history(desk)] == [
        ("replay", "refused"),
        ("uninstall", "begun"),
    ]
