"""Whom an admin means by a name, also while Microsoft Graph cannot be asked."""

from __future__ import annotations

import json

import pytest

from shared.errors import (
    AccessDenied,
    BadRequest,
    PhotoSyncError,
    Refused,
    ServiceDown,
    Throttled,
    UnknownUser,
)
from shared.storage.roster_entry import Entry
from shared.storage.user_state import WAITING, UserState
from tests.doubles.office import ANNE, NOON
from tests.shared.console.console_desk import BY, Desk

THROTTLED = Throttled("Graph asks for patience for 38 s more.", retry_after=38.0, service="graph")
SILENCES = [THROTTLED, ServiceDown("Down.", service="graph"), AccessDenied("No."), Refused("Odd.")]
UPN = ANNE.user_principal_name


@pytest.fixture
def desk() -> Desk:
    """A console that remembers Anne, whose message waits, and whose Graph does not answer."""
    desk = Desk()
    desk.kept.states.put(
        UserState(
            ANNE.id,
            user_principal_name=UPN,
            display_name="Anne",
            status=WAITING,
            detail="Graph asks for patience.",
            checked_at=NOON,
            next_attempt_at=NOON,
        )
    )
    desk.kept.entries = [
        Entry("another", f"{UPN}.au", "", WAITING, "", "", "", ""),
        Entry(ANNE.id, UPN, "Anne", WAITING, "", "", "", ""),
    ]
    desk.exchange.error = THROTTLED
    return desk


@pytest.mark.parametrize("name", [ANNE.id, ANNE.id.upper(), UPN, UPN.upper()])
def test_what_is_remembered_is_shown(desk: Desk, name: str):
    """Who is remembered is shown with state, history and next try, by object id or by UPN."""
    seen = desk.console.user(name)

    assert seen["user"] == {
        "id": ANNE.id,
        "userPrincipalName": UPN,
        "displayName": "Anne",
        "accountEnabled": None,
        "guest": None,
    }
    assert seen["state"]["nextAttemptAt"] == "2026-01-31T12:00:00.000+00:00"
    assert [one["event"] for one in seen["history"]] == [WAITING]
    assert (seen["agree"], seen["difference"]) == (None, "Nobody knows.")
    assert seen["unasked"] == [
        {"side": "exchange", "message": str(THROTTLED), "retryAfter": 38.0},
    ]


@pytest.mark.parametrize("error", SILENCES)
def test_every_silence(desk: Desk, error: PhotoSyncError):
    """Whatever keeps Graph from answering, what is remembered can be read."""
    desk.exchange.error = error

    assert desk.console.user(ANNE.id)["state"]["detail"] == "Graph asks for patience."


def test_memory_alone(desk: Desk):
    """Who only asks what is remembered of an object id asks neither Exchange nor SharePoint."""
    desk.exchange.error = AssertionError("Nobody is to ask.")
    seen = desk.console.user(ANNE.id.upper(), {"sides": "none"})

    assert (seen["asOf"], seen["state"]["status"]) == (NOON.isoformat(), WAITING)
    assert (set(seen), desk.looks.seen) == ({"asOf", "state"}, [])


def test_memory_of_a_name(desk: Desk):
    """By a name it is found as ever, also while Graph is silent."""
    assert desk.console.user(UPN, {"sides": "none"})["state"]["status"] == WAITING
    desk.exchange.error = None
    assert desk.console.user(UPN, {"sides": "none"})["state"]["userId"] == ANNE.id


def test_memory_of_nobody(desk: Desk):
    """Of an id without a state Graph is asked: it may be nobody's, and then no state will come."""
    desk.exchange.error = None
    nobody = "00000000-0000-4000-8000-00000000dead"
    with pytest.raises(UnknownUser, match="no such user"):
        desk.console.user(nobody, {"sides": "none"})
    desk.kept.states.blobs.clear()

    assert desk.console.user(ANNE.id, {"sides": "none"})["state"] is None


def test_sides_that_are_none(desk: Desk):
    """A misspelt question is refused: it would cost what it was to save."""
    with pytest.raises(BadRequest, match="sides must be none"):
        desk.console.user(ANNE.id, {"sides": "no"})


def test_sharepoint_is_shown_while_graph_is_silent(desk: Desk):
    """The UPN that SharePoint is asked by is remembered, too."""
    assert desk.console.photo(ANNE.id, "sharepoint") == b"sharepoint"


@pytest.mark.parametrize("name", ["00000000-0000-4000-8000-00000000dead", "bert@contoso.com"])
def test_nobody_is_made_up(desk: Desk, name: str):
    """Of whom nothing is remembered nothing can be told: the silence itself is."""
    with pytest.raises(Throttled, match="38 s"):
        desk.console.user(name)


@pytest.mark.parametrize(
    ("name", "queued"), [(ANNE.id.upper(), ANNE.id), (UPN, UPN), ("bert@contoso.com",) * 2]
)
def test_replay_while_graph_is_silent(desk: Desk, name: str, queued: str):
    """A replay is queued as it was typed: the worker looks the name up when Graph answers."""
    told = desk.console.replay(name, {"force": True}, by=BY)
    [(text, _)] = desk.users.sent

    assert (told["queued"], told["userId"]) == (True, queued)
    assert (json.loads(text)["userId"], json.loads(text)["force"]) == (queued, True)


def test_replay_without_a_right(desk: Desk):
    """What waiting does not mend is told at once."""
    desk.exchange.error = AccessDenied("A role is missing.")

    with pytest.raises(AccessDenied):
        desk.console.replay(UPN, {}, by=BY)
    assert desk.users.sent == []


def test_stranger_is_named(desk: Desk):
    """Who is not known is named in the sentence, for it may stand among others."""
    desk.exchange.error = None

    with pytest.raises(PhotoSyncError, match=r"no such user: nobody@contoso\.com\.$"):
        desk.console.user("nobody@contoso.com")


def test_name_that_is_none(desk: Desk):
    """A name that is nobody's is told as that, and not answered with the silence."""
    with pytest.raises(UnknownUser):
        desk.console.user("anne")


@pytest.mark.parametrize("name", [ANNE.id, UPN])
def test_who_has_left(desk: Desk, name: str):
    """Somebody whom Graph no longer knows is shown as remembered, and can be looked at again."""
    desk.exchange.error = None
    desk.exchange.leave()
    seen = desk.console.user(name)
    desk.console.replay(name, {}, by=BY)
    [(text, _)] = desk.users.sent

    assert seen["user"]["displayName"] == "Anne"
    assert seen["state"]["detail"] == "Graph asks for patience."
    assert json.loads(text)["userId"] == ANNE.id
