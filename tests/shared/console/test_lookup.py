"""Which user an admin means by a name, even while Microsoft Graph cannot be asked."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from shared.console import roster
from shared.errors import (
    AccessDenied,
    BadRequest,
    PhotoSyncError,
    Refused,
    ServiceDown,
    Throttled,
    UnknownUser,
)
from shared.storage.roster_entry import Entry, Leaf
from shared.storage.user_state import FAILED, WAITING, UserState
from tests.doubles.office import ANNE, NOON
from tests.shared.console.console_desk import BY, Desk

THROTTLED = Throttled("Graph asks to wait for 38 s.", retry_after=38.0, service="graph")
SILENCES = [THROTTLED, ServiceDown("Down.", service="graph"), AccessDenied("No."), Refused("Odd.")]
UPN = ANNE.user_principal_name


@pytest.fixture
def desk() -> Desk:
    """A console with a state for Anne, whose message waits; Graph does not answer."""
    desk = Desk()
    desk.kept.states.put(
        UserState(
            ANNE.id,
            user_principal_name=UPN,
            display_name="Anne",
            status=WAITING,
            detail="Graph asks to wait.",
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
def test_stored_state_is_shown(desk: Desk, name: str):
    """A known user is shown with state, history and next attempt, by object id or UPN."""
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
    assert (seen["agree"], seen["difference"]) == (None, "Unknown.")
    unasked = {"side": "exchange", "message": str(THROTTLED), "retryAfter": 38.0}
    assert seen["unasked"] == [unasked]


@pytest.mark.parametrize("error", SILENCES)
def test_graph_does_not_answer(desk: Desk, error: PhotoSyncError):
    """Whatever keeps Graph from answering, the stored state and SharePoint's picture are shown."""
    desk.exchange.error = error

    assert desk.console.user(ANNE.id)["state"]["detail"] == "Graph asks to wait."
    assert desk.console.photo(ANNE.id, "sharepoint") == b"sharepoint"


def test_state_alone(desk: Desk):
    """A query for the state of an object id asks neither Exchange nor SharePoint."""
    desk.exchange.error = AssertionError("Exchange must not be asked.")
    seen = desk.console.user(ANNE.id.upper(), {"sides": "none"})

    assert (seen["asOf"], seen["state"]["status"]) == (NOON.isoformat(), WAITING)
    assert (set(seen), desk.looks.seen) == ({"asOf", "state"}, [])


def test_state_by_name(desk: Desk):
    """A name is looked up as usual, even while Graph does not answer."""
    assert desk.console.user(UPN, {"sides": "none"})["state"]["status"] == WAITING
    desk.exchange.error = None
    assert desk.console.user(UPN, {"sides": "none"})["state"]["userId"] == ANNE.id


def test_state_of_an_unknown_id(desk: Desk):
    """For an id without a state Graph is asked whether the user exists."""
    desk.exchange.error = None
    nobody = "00000000-0000-4000-8000-00000000dead"
    with pytest.raises(UnknownUser, match="no such user"):
        desk.console.user(nobody, {"sides": "none"})
    desk.kept.states.blobs.clear()

    assert desk.console.user(ANNE.id, {"sides": "none"})["state"] is None


def test_bad_sides(desk: Desk):
    """A misspelt query is refused: it would cost the calls that it should save."""
    with pytest.raises(BadRequest, match="sides must be none"):
        desk.console.user(ANNE.id, {"sides": "no"})


@pytest.mark.parametrize("name", ["00000000-0000-4000-8000-00000000dead", "bert@contoso.com"])
def test_unknown_user_while_graph_is_silent(desk: Desk, name: str):
    """For a user without a state, Graph's error is the answer."""
    with pytest.raises(Throttled, match="38 s"):
        desk.console.user(name)


@pytest.mark.parametrize(
    ("name", "queued"), [(ANNE.id.upper(), ANNE.id), (UPN, UPN), ("bert@contoso.com",) * 2]
)
def test_replay_while_graph_is_silent(desk: Desk, name: str, queued: str):
    """The replay is queued with the name as typed: the worker looks it up later."""
    answer = desk.console.orders.replay(name, {"force": True}, by=BY)
    [(message, _)] = desk.users.messages

    assert (answer["queued"], answer["userId"]) == (True, queued)
    assert (message["userId"], message["force"]) == (queued, True)


@pytest.mark.parametrize(
    ("name", "error"),
    [(UPN, AccessDenied("A role is missing.")), ("ann", THROTTLED)],
    ids=["no right", "a name"],
)
def test_replay_that_cannot_wait(desk: Desk, name: str, error: PhotoSyncError):
    """Waiting grants no role, and the worker looks up no names: both are reported at once."""
    desk.exchange.error = desk.search.error = error

    with pytest.raises(type(error), match=str(error)):
        desk.console.orders.replay(name, {}, by=BY)
    assert desk.users.messages == []


def test_unknown_name(desk: Desk):
    """An unknown name is reported as such, and not as an outage."""
    with pytest.raises(UnknownUser):
        desk.console.user("anne")


@pytest.mark.parametrize("name", [ANNE.id, UPN])
def test_leaver(desk: Desk, name: str):
    """A user whom Graph no longer knows is shown as stored, and can be replayed."""
    desk.exchange.error = None
    desk.exchange.leave()
    seen = desk.console.user(name)
    desk.console.orders.replay(name, {}, by=BY)
    [(message, _)] = desk.users.messages

    assert seen["user"]["displayName"] == "Anne"
    assert seen["state"]["detail"] == "Graph asks to wait."
    assert message["userId"] == ANNE.id


@pytest.fixture
def reachable(desk: Desk) -> Desk:
    """The same console, while Graph answers."""
    desk.exchange.error = None
    return desk


@pytest.mark.parametrize("name", ["am@contoso.com", "Ann", "anne kel"])
def test_one_person_by_another_name(reachable: Desk, name: str):
    """An alias, or the beginning of one person's name, means that person, for orders too."""
    reachable.search.users = [ANNE]
    seen = reachable.console.user(name)
    answer = reachable.console.orders.replay(name, {}, by=BY)

    assert (seen["user"]["id"], seen["state"]["status"]) == (ANNE.id, WAITING)
    assert (answer["userId"], answer["userPrincipalName"]) == (ANNE.id, UPN)
    assert reachable.search.asked == [name, name]


def test_ambiguous_name(reachable: Desk):
    """An ambiguous name is refused with some of the matches, and nothing is ordered."""
    reachable.search.users = [replace(ANNE, user_principal_name=f"{n}@c.de") for n in range(7)]
    some = ", ".join(f"{n}@c.de" for n in range(5))
    refusal = re.escape(f"More than one user matches ann: {some}, …. Enter one of these.")
    with pytest.raises(BadRequest, match=f"^{refusal}$"):
        reachable.console.orders.replay("ann", {}, by=BY)
    with pytest.raises(BadRequest, match="More than one"):
        reachable.console.user("am@contoso.com")
    assert reachable.users.messages == []


@pytest.mark.parametrize("error", SILENCES)
def test_leaver_while_the_search_is_silent(reachable: Desk, error: PhotoSyncError):
    """A leaver is shown as stored even if Graph cannot search for the address's new owner."""
    reachable.exchange.leave()
    reachable.search.error = error

    assert reachable.console.user(UPN)["state"]["userId"] == ANNE.id


def test_replay_of_a_leaver_while_the_search_is_refused(reachable: Desk):
    """A leaver can be replayed even if Graph will never search some property."""
    reachable.exchange.leave()
    reachable.search.error = Refused("graph answered 400: Request_UnsupportedQuery.")

    assert reachable.console.orders.replay(UPN, {}, by=BY)["userId"] == ANNE.id
    with pytest.raises(Refused):
        reachable.console.orders.replay("nobody@contoso.com", {}, by=BY)


def test_search_continues_in_graph(reachable: Desk):
    """If no state matches, Graph is searched; each result has its state, or none yet."""
    new = replace(ANNE, id="new", user_principal_name="kim@contoso.com", display_name="Kim")
    reachable.search.users = [ANNE, new]
    page = reachable.console.users({"search": "am@contoso.com"})

    listed = [(one["displayName"], one["status"]) for one in page["users"]]
    assert listed == [("Anne", WAITING), ("Kim", "")]
    assert (page["token"], page["complete"]) == ("", True)


@pytest.mark.parametrize(
    "query",
    [
        {"search": "anne"},
        {"search": "nobody", "status": FAILED},
        {"search": "nobody", "gone": "true"},
        {"search": " "},
    ],
    ids=["known", "by status", "by flag", "empty"],
)
def test_graph_is_not_asked(reachable: Desk, query: dict[str, str]):
    """Graph is not searched if a state matches, or with a filter."""
    reachable.search.users = [ANNE]
    reachable.console.users(query)

    assert reachable.search.asked == []


@pytest.mark.parametrize("error", SILENCES)
def test_search_that_graph_does_not_answer(reachable: Desk, error: PhotoSyncError):
    """If Graph cannot be searched, the list says why."""
    reachable.search.error = error
    page = reachable.console.users({"search": "nobody"})

    assert (page["users"], page["unasked"]) == ([], str(error))


def test_search_of_a_large_tenant(reachable: Desk, monkeypatch: pytest.MonkeyPatch):
    """Graph is searched after the last page, unless an earlier page had results."""
    leaves = {"": Leaf([], "1"), "1": Leaf([], "2"), "2": Leaf([], "")}
    monkeypatch.setattr(roster, "CALLS_A_PAGE", 1)
    monkeypatch.setattr(reachable.kept, "leaf", lambda token, size: leaves[token])
    reachable.search.users = [ANNE]

    def listed() -> list[str]:
        token, seen = "", []
        while True:
            page = reachable.console.users({"search": "ann", "token": token})
            assert page["sortedWithin"] == roster.USERS_A_CALL
            seen += [one["userId"] for one in page["users"]]
            token = page["token"]
            if not token:
                return seen

    assert listed() == [ANNE.id]
    for found_at in ("", "1", "2"):
        reachable.search.asked.clear()
        leaves[found_at] = leaves[found_at]._replace(entries=reachable.kept.entries[1:])
        assert ANNE.id in listed()
        assert reachable.search.asked == []
        leaves[found_at] = leaves[found_at]._replace(entries=[])
