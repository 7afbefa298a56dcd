"""Every order of the console is signed before it is carried out, and its end is recorded."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import BadRequest, ServiceDown, UnknownUser
from shared.signature import PERSON, Signature
from shared.storage.user_state import UserState
from tests.doubles.office import ANNE
from tests.shared.console.console_desk import Desk

JO = Signature(PERSON, "jo@contoso.com", "0b000000-0000-4000-8000-000000000001")
BY = {"via": PERSON, "name": JO.name, "id": JO.id}
UPN = ANNE.user_principal_name


def history(desk: Desk, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.console.history(query)["orders"]
    return found


def test_replay(desk: Desk):
    """The order is logged before it is queued; the message has the signature and the log's file."""
    answer = desk.console.orders.replay(UPN, {"force": True, "replace": True}, by=JO)
    [(message, _)] = desk.users.messages
    [line] = desk.lines.parsed

    assert (message["by"], message["orderedIn"]) == (BY, "2026-01")
    assert (line["id"], line["by"]) == (answer["correlationId"], BY)
    assert (line["order"], line["options"]) == ("replay", "force, replace")


@pytest.mark.parametrize("name", [UPN, ANNE.id, "anne.keller@contoso.com"])
def test_replay_by_another_name(desk: Desk, name: str):
    """The log has the object id and the UPN, whatever the user was called."""
    desk.search.users = [ANNE]
    if name == ANNE.id:
        desk.kept.states.put(UserState(ANNE.id, user_principal_name=UPN))
    desk.console.orders.replay(name, {}, by=JO)

    [line] = desk.lines.parsed
    assert (line["userId"], line["userPrincipalName"]) == (ANNE.id, UPN)


RELEASE_REMOVALS = ("sweep", {"releaseRemovals": True})
RELEASE_REPAIRS = ("audit", {"releaseRepairs": True})
CANCEL = ("uninstall", {"cancel": True})
STARTED = "20260131T120000-an-id"
NOTHING = "There was nothing to cancel."


@pytest.mark.parametrize(
    ("order", "name", "result", "detail", "answer"),
    [
        (("sweep", {}), "sweep", "", "", {"queued": True}),
        (("sweep", {"renew": True}), "renew", "", "", {"queued": True}),
        (RELEASE_REMOVALS, "release-removals", "done", "21 released.", {"released": 21}),
        (("audit", {}), "audit", "begun", "an-audit", {}),
        (("audit", {"repair": True}), "repair", "begun", "an-audit", {}),
        (RELEASE_REPAIRS, "release-repairs", "done", "34 released.", {"released": 34}),
        (("uninstall", {}), "uninstall", "begun", STARTED, {}),
        (CANCEL, "cancel-uninstall", "done", NOTHING, {"cancelled": False}),
    ],
)
def test_orders_about_everybody(desk: Desk, order, name, result, detail, answer):
    """Each kind has its own name; a long one is logged with its id; some are queued."""
    assert desk.order(*order, by=JO).items() >= answer.items()

    [one] = history(desk)
    assert (one["order"], one["by"], one["result"], one["detail"]) == (name, BY, result, detail)
    sent = desk.upkeep.messages
    queued = [(name, 0)] if name in {"sweep", "renew", "uninstall"} else []
    assert [(message["kind"], delay) for message, delay in sent] == queued
    for message, _ in sent:
        if name != "uninstall":
            assert (message["by"], message["orderId"]) == (BY, one["correlationId"])


@pytest.mark.parametrize("kind", ["replay", "sweep", "audit", "uninstall"])
def test_order_that_cannot_be_logged(desk: Desk, kind: str):
    """An order that cannot be signed is not carried out, and the caller gets the reason."""
    desk.lines.error = ServiceDown("Down.")
    with pytest.raises(ServiceDown):
        desk.order(kind, by=JO)

    assert (desk.users.messages, desk.upkeep.messages, desk.audits.ordered) == ([], [], [])
    assert desk.uninstall.latest() is None


def test_refused_orders(desk: Desk):
    """A refused order is logged with the refusal."""
    with pytest.raises(UnknownUser):
        desk.console.orders.replay("nobody@contoso.com", {}, by=JO)
    with pytest.raises(BadRequest):
        desk.order("sweep", {"renew": True, "releaseRemovals": 1}, by=JO)

    newest, oldest = history(desk)
    assert (newest["order"], newest["result"]) == ("renew", "refused")
    assert (oldest["userPrincipalName"], oldest["result"]) == ("nobody@contoso.com", "refused")
    assert oldest["detail"].startswith("Microsoft Graph found no such user")


def test_queue_that_is_down(desk: Desk):
    """An order that was signed and could not be queued has failed."""
    desk.users.error = ServiceDown("Down.")
    with pytest.raises(ServiceDown):
        desk.order("replay", by=JO)

    assert [(one["result"], one["detail"]) for one in history(desk)] == [("failed", "Down.")]


def test_uninstall_is_the_last_order(desk: Desk):
    """An uninstall deletes states but not the log, so its order stays readable."""
    desk.order("uninstall", by=JO)
    with pytest.raises(BadRequest):
        desk.order("replay", by=JO)

    results = [(one["order"], one["result"]) for one in history(desk)]
    assert results == [("replay", "refused"), ("uninstall", "begun")]
