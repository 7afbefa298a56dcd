"""Lines of the overview that a person has dealt with."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.console import dismissals
from shared.errors import BadRequest
from shared.signature import KEY, Signature
from shared.storage import roster_entry
from shared.storage.user_state import FAILED, SYNCED, UserState
from tests.doubles.office import ANNE, NOON
from tests.shared.console.console_desk import ENTRY, Desk

BROKEN = UserState(
    ANNE.id,
    user_principal_name="anne@contoso.com",
    status=FAILED,
    reason="photo-refused",
    detail="The photo is not a sound image.",
    checked_at=NOON,
)
BY = Signature(KEY)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def shows(desk: Desk, state: UserState) -> None:
    """Let *state* be what is remembered, in the blob and in its metadata."""
    stored = desk.kept.states.read(state.user_id)
    if stored is None:
        desk.kept.states.create(state)
    else:
        desk.kept.states.replace(state, version=stored.version)
    desk.kept.entries = [roster_entry.entry(state.user_id, roster_entry.describe(state))]


def failures(desk: Desk) -> tuple[int, int, int]:
    """How many failures the overview shows, hides, and counts."""
    seen = desk.console.overview()
    return len(seen["failures"]), seen["dismissed"], seen["counts"][FAILED]


def test_a_failure_is_dismissed(desk: Desk):
    """It leaves the overview and stays counted, listed, and in its state."""
    shows(desk, BROKEN)
    assert failures(desk) == (1, 0, 1)

    answer = desk.console.orders.dismiss({"users": [ANNE.id]}, by=BY)
    assert (answer["dismissed"], [one["userId"] for one in answer["users"]]) == (1, [ANNE.id])
    assert failures(desk) == (0, 1, 1)
    [listed] = desk.console.users({"status": FAILED})["users"]
    assert listed["dismissed"] is True
    stored = desk.kept.states.read(ANNE.id)
    assert stored is not None
    assert stored.state == BROKEN


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"checked_at": NOON + timedelta(hours=1)}, 0),
        ({"reason": "access-denied"}, 1),
        ({"synced_at": NOON + timedelta(hours=1)}, 1),
    ],
    ids=["tried again", "another reason", "copied in between"],
)
def test_a_failure_comes_back(desk: Desk, changed: dict[str, Any], shown: int):
    """The same failure, tried anew by each sweep, stays away; another one does not."""
    shows(desk, BROKEN)
    desk.console.orders.dismiss({"users": [ANNE.id]}, by=BY)
    shows(desk, replace(BROKEN, **changed))

    assert failures(desk)[0] == shown


def test_messages_set_aside_are_dismissed(desk: Desk):
    """Those up to a moment are gone from the overview; what comes later is shown."""
    old, new = (NOON - timedelta(hours=2)).isoformat(), (NOON - timedelta(hours=1)).isoformat()
    aside = [{"name": at, "at": at, "reason": "", "body": ""} for at in (new, old)]
    desk.kept.aside = list(aside)
    desk.console.orders.dismiss({"unreadableTo": old}, by=BY)

    assert [each["name"] for each in desk.console.overview()["unreadable"]] == [new]
    # An older moment takes nothing back.
    desk.console.orders.dismiss({"unreadableTo": new}, by=BY)
    desk.console.orders.dismiss({"unreadableTo": old}, by=BY)
    assert desk.console.overview()["unreadableCount"] == 0
    assert desk.kept.aside == aside


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({}, "users, unreadableTo or both"),
        ({"user": ["x"]}, "users, unreadableTo or both"),
        ({"users": "anne@contoso.com"}, "a list"),
        ({"users": [1]}, "a list"),
        ({"users": ["x"] * 21}, "at most 20"),
        ({"unreadableTo": "yesterday"}, "a time in the format of the overview"),
        ({"unreadableTo": 9}, "a time in the format of the overview"),
        ({"unreadableTo": "9999-01-01"}, "is in the future"),
        ({"users": [ANNE.id]}, "has not failed"),
    ],
)
def test_orders_that_mean_nothing(desk: Desk, order: dict[str, Any], why: str):
    """What cannot be meant is refused with a sentence, and hides nothing."""
    shows(desk, replace(BROKEN, status=SYNCED))
    with pytest.raises(BadRequest, match=why):
        desk.console.orders.dismiss(order, by=BY)

    assert desk.documents.read(dismissals.NAME) is None


def test_not_without_an_end(desk: Desk):
    """A thousand failures are no single lines: the next order is refused, and says what to do."""
    many = [replace(ENTRY, user_id=f"user-{n}") for n in range(dismissals.MOST)]
    told = {each.user_id: f"{each.reason} {each.synced_at}" for each in many}
    desk.documents.put(dismissals.NAME, {"failures": told})
    shows(desk, BROKEN)
    desk.kept.entries += many

    with pytest.raises(BadRequest, match="Fix their common cause"):
        desk.console.orders.dismiss({"users": [ANNE.id]}, by=BY)
    # Those who were copied since, or are gone, make room.
    desk.kept.entries[1:4] = [replace(each, status=SYNCED) for each in many[:2]]
    desk.console.orders.dismiss({"users": [ANNE.id]}, by=BY)

    stored = desk.documents.read(dismissals.NAME)
    assert stored is not None
    assert stored.fields["failures"].keys() == {ANNE.id, *list(told)[3:]}


@pytest.mark.parametrize(
    "fields", [{"failures": [], "unreadableTo": 5}, {"failures": {"x": {}}, "unreadableTo": "no"}]
)
def test_a_damaged_document_hides_nothing(desk: Desk, fields: dict[str, Any]):
    """Whatever a person wrote there, all is shown, and an order writes over it."""
    desk.documents.put(dismissals.NAME, fields)
    shows(desk, BROKEN)

    assert failures(desk) == (1, 0, 1)
    desk.console.orders.dismiss({"users": [ANNE.id]}, by=BY)
    assert failures(desk) == (0, 1, 1)
