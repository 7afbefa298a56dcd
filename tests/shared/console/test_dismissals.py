"""Lines of the overview that a person has dismissed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.console import dismissals
from shared.errors import BadRequest
from shared.storage import roster_entry
from shared.storage.user_state import FAILED, SYNCED, UserState
from tests.doubles.office import ANNE, NOON
from tests.shared.console.console_desk import ENTRY, Desk

BROKEN = UserState(
    ANNE.id,
    user_principal_name="anne@contoso.com",
    status=FAILED,
    reason="photo-refused",
    detail="The photo is not a valid image.",
    checked_at=NOON,
)


def shows(desk: Desk, state: UserState) -> None:
    """Store *state*, in the blob and in its metadata."""
    desk.kept.states.put(state)
    desk.kept.entries = [roster_entry.entry(state.user_id, roster_entry.describe(state))]


def failures(desk: Desk) -> tuple[int, int, int]:
    """How many failures the overview shows, hides and counts."""
    seen = desk.console.overview()
    return len(seen["failures"]), seen["dismissed"], seen["counts"][FAILED]


def test_a_failure_is_dismissed(desk: Desk):
    """It leaves the overview; counts, lists and its state keep it."""
    shows(desk, BROKEN)
    assert failures(desk) == (1, 0, 1)

    answer = desk.order("dismiss", {"users": [ANNE.id]})
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
    """The same failure stays hidden when a sweep repeats it; another failure is shown."""
    shows(desk, BROKEN)
    desk.order("dismiss", {"users": [ANNE.id]})
    shows(desk, replace(BROKEN, **changed))

    assert failures(desk)[0] == shown


def test_messages_set_aside_are_dismissed(desk: Desk):
    """Messages up to that time leave the overview; later ones are shown."""
    old, new = (NOON - timedelta(hours=2)).isoformat(), (NOON - timedelta(hours=1)).isoformat()
    aside = [{"name": at, "at": at, "reason": "", "body": ""} for at in (new, old)]
    desk.kept.aside = list(aside)
    desk.order("dismiss", {"unreadableTo": old})

    assert [each["name"] for each in desk.console.overview()["unreadable"]] == [new]
    # An older time does not undo a newer one.
    desk.order("dismiss", {"unreadableTo": new})
    desk.order("dismiss", {"unreadableTo": old})
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
def test_bad_order(desk: Desk, order: dict[str, Any], why: str):
    """A bad order is refused with a sentence, and hides nothing."""
    shows(desk, replace(BROKEN, status=SYNCED))
    with pytest.raises(BadRequest, match=why):
        desk.order("dismiss", order)

    assert desk.documents.read(dismissals.NAME) is None


def test_at_most_a_thousand(desk: Desk):
    """Beyond a thousand dismissed failures, an order is refused; the sentence says what to do."""
    many = [replace(ENTRY, user_id=f"user-{n}") for n in range(dismissals.MOST)]
    dismissed = {each.user_id: f"{each.reason} {each.synced_at}" for each in many}
    desk.documents.put(dismissals.NAME, {"failures": dismissed})
    shows(desk, BROKEN)
    desk.kept.entries += many

    with pytest.raises(BadRequest, match="Fix their common cause"):
        desk.order("dismiss", {"users": [ANNE.id]})
    # Failures copied since, or gone, make room.
    desk.kept.entries[1:4] = [replace(each, status=SYNCED) for each in many[:2]]
    desk.order("dismiss", {"users": [ANNE.id]})

    stored = desk.documents.read(dismissals.NAME)
    assert stored is not None
    assert stored.fields["failures"].keys() == {ANNE.id, *list(dismissed)[3:]}


@pytest.mark.parametrize(
    "fields", [{"failures": [], "unreadableTo": 5}, {"failures": {"x": {}}, "unreadableTo": "no"}]
)
def test_a_damaged_document_hides_nothing(desk: Desk, fields: dict[str, Any]):
    """A document damaged by hand hides nothing, and the next order overwrites it."""
    desk.documents.put(dismissals.NAME, fields)
    shows(desk, BROKEN)

    assert failures(desk) == (1, 0, 1)
    desk.order("dismiss", {"users": [ANNE.id]})
    assert failures(desk) == (0, 1, 1)
