"""What an admin sees and may do, without HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.auditing import audit_log
from shared.auditing.audit_log import AuditLog, AuditLogs
from shared.console.api import Console
from shared.console.comparison import OTHER
from shared.errors import BadRequest, ServiceDown, UnknownUser
from shared.storage.user_state import FAILED, NO_PHOTO, REMOVED, SKIPPED, SYNCED, Claim, UserState
from shared.subscription import keeper
from shared.sweeping import sweep_log
from shared.sweeping.fill_log import FillLog, FillLogs
from shared.sweeping.sweep_log import SweepLog, SweepLogs
from shared.user import User
from shared.version import VERSION
from tests.doubles.office import ANNE, NOON
from tests.shared.console.console_desk import BY, ENTRY, LENGTHS, RULES, Desk

NO_BRAKE = {"engaged": False, "gone": 0, "left": 0, "managed": 0, "detail": ""}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_overview_of_nothing(desk: Desk):
    """Before anything has happened the overview says just that."""
    assert desk.console.overview() == {
        "asOf": NOON.isoformat(),
        "counts": {},
        "pictures": 0,
        "countedAt": NOON.isoformat(),
        "queues": LENGTHS,
        "subscription": None,
        "sweep": None,
        "fill": None,
        "brake": NO_BRAKE,
        "audit": None,
        "repairBrake": {"engaged": False, "released": False, "differ": 0, "detail": ""},
        "differ": 0,
        "uninstall": None,
        "failures": [],
        "unreadable": [],
        "unreadableCount": 0,
        "groups": {"SYNC_GROUP_ID": "a-group"},
        "dryRun": True,
        "version": VERSION,
        "packedAt": "",
        "dismissed": 0,
    }


def test_overview(desk: Desk):
    """Counts, failures and messages set aside, each list short; no fingerprint of a secret."""
    desk.kept.entries = [ENTRY] * 12 + [replace(ENTRY, status=SYNCED)]
    desk.kept.aside = [{"name": "a", "reason": "b", "body": "c"}] * 12
    desk.documents.put(keeper.NAME, {"status": "live", "urlHash": "secret"})
    desk.log_sweep(detail="Under way.")
    seen = desk.console.overview()

    assert seen["counts"] == {FAILED: 12, SYNCED: 1}
    assert [len(seen["failures"]), len(seen["unreadable"])] == [10, 10]
    assert seen["unreadableCount"] == 12
    assert seen["subscription"] == {"status": "live"}
    assert (seen["sweep"]["id"], seen["sweep"]["eta"]) == ("one", "")
    assert seen["brake"] == NO_BRAKE


def test_fill(desk: Desk):
    """While people wait for their turns the overview says how many had theirs."""
    fill = FillLog("one", NOON.isoformat(), NOON.isoformat(), sent=40, found=100)
    FillLogs(desk.documents).write(fill, after=None)
    seen = desk.console.overview()["fill"]

    assert (seen["status"], seen["sent"], seen["found"], seen["eta"]) == ("running", 40, 100, "")


def test_brake(desk: Desk):
    """A brake that holds removals back says how many, and why."""
    desk.log_sweep(removals=sweep_log.BRAKED, gone=21, managed=90, detail="Too many.")

    assert desk.console.overview()["brake"] == {
        "engaged": True,
        "gone": 21,
        "left": 0,
        "managed": 90,
        "detail": "Too many.",
    }


def test_brake_for_leavers(desk: Desk):
    """One that holds leavers back says how many; whoever's photo is gone is not held back then."""
    desk.log_sweep(forgetting=sweep_log.BRAKED, left=21, gone=2, removals=sweep_log.DUE, managed=90)

    brake = desk.console.overview()["brake"]
    assert (brake["engaged"], brake["gone"], brake["left"]) == (True, 0, 21)


def test_brakes_while_the_next_runs():
    """What a release would release is told also when the next sweep or audit has begun."""
    desk = Desk(RULES._replace(dry_run=False))
    at = NOON.isoformat()
    sweeps, audits = SweepLogs(desk.documents), AuditLogs(desk.documents)
    held: dict[str, Any] = {
        "status": audit_log.FINISHED,
        "repairs": audit_log.BRAKED,
        "held_from": 1,
    }
    sweeps.begin(SweepLog("one", at, at, removals=sweep_log.BRAKED, gone=21), None)
    audits.begin(AuditLog("one", at, at, differ=50, held=34, **held), None)
    sweeps.begin(SweepLog("two", at, at, previous="one"), sweeps.latest()[1])
    audits.begin(AuditLog("two", at, at, previous="one", repair=True), audits.latest()[1])

    seen = desk.console.overview()
    assert (seen["brake"]["engaged"], seen["brake"]["gone"]) == (True, 21)
    repairs = {"engaged": True, "released": False, "differ": 34, "detail": ""}
    assert seen["repairBrake"] == repairs
    desk.kept.states.put(UserState(ANNE.id, status=SYNCED, damage="A file is gone."))
    desk.looks.finding = OTHER
    assert "holds back all repairs" in desk.console.user(ANNE.id)["card"]["next"]


def test_users(desk: Desk):
    """A page of users with the token of the next."""
    desk.kept.entries = [ENTRY, replace(ENTRY, user_id="other")]
    page = desk.console.users({"search": "anne", "status": FAILED, "size": "1"})

    assert page["users"] == [
        {
            "userId": "id",
            "userPrincipalName": "anne@contoso.com",
            "displayName": "Anne",
            "status": FAILED,
            "reason": "refused",
            "detail": "Broken.",
            "checkedAt": "2026",
            "syncedAt": "2025",
            "missingSince": "",
            "damage": "",
            "leftSince": "",
            "outOfScopeSince": "",
            "wouldChange": "",
            "dismissed": False,
        }
    ]
    assert not page["complete"]
    [other] = desk.console.users({"token": page["token"]})["users"]
    assert other["userId"] == "other"


def test_users_whose_photo_is_gone(desk: Desk):
    """Whose picture the next removals take can be listed before they are released."""
    desk.kept.entries = [ENTRY, replace(ENTRY, user_id="other", missing_since="2026")]
    [other] = desk.console.users({"gone": "true"})["users"]

    assert (other["userId"], other["missingSince"]) == ("other", "2026")


def test_users_who_would_change(desk: Desk):
    """Whose picture a run would change that may write, as the settings let it: here no repairs."""
    dry = replace(ENTRY, status=SKIPPED, reason="dry-run")
    desk.kept.entries = [
        replace(dry, user_id="copied"),
        replace(dry, user_id="removed", missing_since="2026"),
        replace(ENTRY, user_id="next", status=NO_PHOTO, reason="no-photo", missing_since="2026"),
        replace(ENTRY, user_id="damaged", damage="A file is gone."),
        replace(ENTRY, user_id="left alone", reason="out-of-scope", missing_since="2026"),
        ENTRY,
    ]
    found = desk.console.users({"wouldChange": "true"})["users"]

    told = [(each["userId"], each["wouldChange"]) for each in found]
    assert told == [("copied", "copy"), ("next", "removal"), ("removed", "removal")]


@pytest.mark.parametrize(
    "query",
    [{"status": "lost"}, {"token": "?"}, {"gone": "1"}, {"wouldChange": "yes"}]
    + [{"size": size} for size in ("0", "201", "-1", "1e2", "²", "0100000", "9" * 5000)],
    ids=lambda query: str(query)[:24],
)
def test_users_asked_wrongly(desk: Desk, query: Mapping[str, str]):
    """A status, size, filter or token that is none is refused in a sentence."""
    with pytest.raises(BadRequest, match="\\.$"):
        desk.console.users(query)


def test_unknown_state(desk: Desk):
    """A user whom nobody has looked at yet has two sides, and no state and history."""
    seen = desk.console.user(ANNE.user_principal_name)

    assert seen["user"] == {
        "id": ANNE.id,
        "userPrincipalName": "anne@contoso.com",
        "displayName": "",
        "accountEnabled": True,
        "guest": False,
    }
    assert (seen["state"], seen["history"]) == (None, [])
    assert (seen["agree"], seen["difference"], seen["unasked"]) == (True, "They agree.", [])
    assert seen["profile"] == {"PictureURL": ""}
    assert desk.looks.seen == [None]


def test_known_state(desk: Desk):
    """The state blob as it is, and what it remembers of the past, newest first."""
    state = UserState(
        ANNE.id,
        user_principal_name=ANNE.user_principal_name,
        status="no-photo",
        detail="None.",
        synced_at=NOON,
        missing_since=NOON + timedelta(hours=1),
        checked_at=NOON + timedelta(hours=2),
    )
    desk.kept.states.put(state)
    seen = desk.console.user(ANNE.id)

    assert seen["state"] == json.loads(desk.kept.states.blobs[ANNE.id][0])
    assert [one["event"] for one in seen["history"]] == ["no-photo", "photo missing", "written"]
    assert seen["history"][0] == {
        "at": "2026-01-31T14:00:00+00:00",
        "event": "no-photo",
        "detail": "None.",
    }
    assert desk.looks.seen == [state]


def test_user_who_is_being_copied(desk):
    """Of a claim people see who holds it and when it ends at the latest."""
    desk.kept.states.put(UserState(ANNE.id, claim=Claim("a-run", 299.0)))

    claim = desk.console.user(ANNE.id)["state"]["claim"]
    assert claim == {"by": "a-run", "expiresAt": (NOON + timedelta(minutes=5)).isoformat()}


def test_photos(desk: Desk):
    """Each side's picture, and no third."""
    assert desk.console.photo(ANNE.id, "exchange") == b"exchange of anne@contoso.com"
    assert desk.console.photo(ANNE.id, "sharepoint") == b"sharepoint"
    assert desk.console.photo(ANNE.id, "sharepoint", {"small": "true"}) == b"small sharepoint"
    with pytest.raises(BadRequest, match="exchange or sharepoint"):
        desk.console.photo(ANNE.id, "other")


@pytest.mark.parametrize(
    "ask",
    [
        lambda console: console.photo(ANNE.id, "sharepoint"),
        lambda console: console.user(ANNE.id),
        lambda console: console.orders.replay(ANNE.id, {}, by=BY),
    ],
    ids=["photo", "user", "replay"],
)
def test_threads_are_left(
    desk: Desk, ask: Callable[[Console], object], monkeypatch: pytest.MonkeyPatch
):
    """While eight ask Microsoft 365 the ninth is sent away: the webhook needs threads, too."""
    others = iter(range(7))

    def hang(user: User, *, small: bool) -> bytes:
        """Another one who asks while this one waits; the ninth asks something else."""
        if next(others, None) is not None:
            return desk.console.photo(ANNE.id, "exchange")
        ask(desk.console)
        return b""

    monkeypatch.setattr(desk.looks, "exchange", hang)
    with pytest.raises(ServiceDown, match="Try again"):
        desk.console.photo(ANNE.id, "exchange")
    assert list(others) == []
    assert desk.console.overview()
    ask(desk.console)


@pytest.mark.parametrize("force", [True, False])
def test_replay(desk: Desk, force: bool):
    """A replay is a message about the user's object id, and can be followed by its id."""
    told = desk.console.orders.replay(ANNE.user_principal_name, {"force": force}, by=BY)
    [(text, delay)] = desk.users.sent
    message = json.loads(text)

    assert told == {
        "queued": True,
        "userId": ANNE.id,
        "userPrincipalName": ANNE.user_principal_name,
        "displayName": ANNE.display_name,
        "correlationId": "an-id",
    }
    assert (message["userId"], message["reason"], message["force"]) == (ANNE.id, "replay", force)
    assert (message["correlationId"], delay) == ("an-id", 0)


def test_replay_that_replaces(desk: Desk):
    """A chosen picture makes room only where the order says so."""
    desk.console.orders.replay(ANNE.id, {"force": False, "replace": True}, by=BY)
    desk.console.orders.replay(ANNE.id, {"force": True, "replace": False}, by=BY)
    first, second = (json.loads(text) for text, _ in desk.users.sent)

    assert (first["replace"], first["force"]) == (True, False)
    assert ("replace" in second, second["force"]) == (False, True)


def test_chosen_picture_is_told(desk: Desk):
    """The address of a picture that a person chose comes with the person."""
    assert desk.console.user(ANNE.id)["chosen"] == ""
    desk.kept.states.put(UserState(ANNE.id))

    assert desk.console.user(ANNE.id)["chosen"] == "https://cdn.contoso.com/anne.jpg"


def test_sweep(desk: Desk):
    """A sweep is ordered through the queue."""
    assert desk.console.orders.sweep({}, by=BY) == {"queued": True}
    assert len(desk.upkeep.sent) == 1
    assert "sweep" in desk.upkeep.sent[0][0]


def test_release(desk: Desk):
    """The brake is released at once, and no sweep is queued."""
    assert desk.console.orders.sweep({"releaseRemovals": True}, by=BY) == {"released": 21}
    assert desk.upkeep.sent == []


def test_renew(desk: Desk):
    """With `renew` the subscription is looked after, and no sweep is queued."""
    assert desk.console.orders.sweep({"renew": True}, by=BY) == {"queued": True}
    [(text, delay)] = desk.upkeep.sent

    assert (json.loads(text)["kind"], delay) == ("renew", 0)


def test_two_orders_at_once(desk: Desk):
    """One order is for one thing."""
    with pytest.raises(BadRequest, match="not both"):
        desk.console.orders.sweep({"renew": True, "releaseRemovals": True}, by=BY)
    assert desk.upkeep.sent == []


@pytest.mark.parametrize("value", ["true", 1, None, []])
def test_flag_that_is_none(desk: Desk, value: Any):
    """What is neither true nor false orders nothing."""
    with pytest.raises(BadRequest, match="true or false"):
        desk.console.orders.replay(ANNE.id, {"force": value}, by=BY)
    with pytest.raises(BadRequest, match="replace must be true or false"):
        desk.console.orders.replay(ANNE.id, {"replace": value}, by=BY)
    with pytest.raises(BadRequest, match="true or false"):
        desk.console.orders.sweep({"releaseRemovals": value}, by=BY)
    with pytest.raises(BadRequest, match="true or false"):
        desk.console.orders.sweep({"renew": value}, by=BY)
    assert (desk.users.sent, desk.upkeep.sent) == ([], [])


@pytest.mark.parametrize("name", ["Force", "releaseRemoval", "userId"])
def test_field_that_is_none(desk: Desk, name: str):
    """A misspelt field is refused: without it the order would be another one."""
    with pytest.raises(BadRequest, match="nothing else"):
        desk.console.orders.replay(ANNE.id, {name: True}, by=BY)
    with pytest.raises(BadRequest, match="nothing else"):
        desk.console.orders.sweep({name: True}, by=BY)
    assert (desk.users.sent, desk.upkeep.sent) == ([], [])


# Taken back


@pytest.mark.parametrize("remove", [True, False])
def test_uninstall(desk: Desk, remove: bool):
    """The order is told and queued, and the overview shows it with what there is to take back."""
    desk.kept.entries = [
        ENTRY,
        replace(ENTRY, status=SYNCED),
        replace(ENTRY, status=REMOVED),
        replace(ENTRY, status=SKIPPED, reason="picture-kept"),
        replace(ENTRY, synced_at=""),
    ]
    told = desk.console.orders.uninstall({"removePictures": remove}, by=BY)["uninstall"]
    [(text, delay)] = desk.upkeep.sent
    seen = desk.console.overview()

    assert (told["status"], told["removePictures"], told["expected"]) == ("running", remove, 5)
    assert (json.loads(text)["uninstallId"], delay) == (told["id"], 0)
    assert seen["uninstall"] == told
    assert (sum(seen["counts"].values()), seen["pictures"]) == (5, 2)


def test_uninstall_is_cancelled(desk: Desk):
    """The console says whether there was an order to take back."""
    before = desk.console.orders.uninstall({"cancel": True}, by=BY)
    desk.console.orders.uninstall({}, by=BY)

    assert (before, desk.console.orders.uninstall({"cancel": True}, by=BY)) == (
        {"cancelled": False},
        {"cancelled": True},
    )
    assert desk.console.overview()["uninstall"]["status"] == "cancelled"


def test_contrary_order_to_uninstall(desk: Desk):
    """An order and its opposite, or a misspelt one, are refused."""
    for order in ({"removePictures": True, "cancel": True}, {"removePicture": True}):
        with pytest.raises(BadRequest):
            desk.console.orders.uninstall(order, by=BY)
    assert desk.upkeep.sent == []


def test_nothing_is_ordered_while_it_is_taken_back(desk: Desk):
    """Neither replay nor sweep, renewal or audit would be done: the answer says how to have it."""
    desk.console.orders.uninstall({}, by=BY)
    sent = len(desk.upkeep.sent)
    with pytest.raises(BadRequest, match="uninstall --cancel"):
        desk.console.orders.replay(ANNE.id, {}, by=BY)
    for order in ({}, {"renew": True}, {"releaseRemovals": True}):
        with pytest.raises(BadRequest, match="uninstall --cancel"):
            desk.console.orders.sweep(order, by=BY)
    for order in ({}, {"repair": True}, {"releaseRepairs": True}):
        with pytest.raises(BadRequest, match="uninstall --cancel"):
            desk.console.orders.audit(order, by=BY)
    assert (desk.users.sent, len(desk.upkeep.sent)) == ([], sent)
    assert desk.audits.ordered == []


@pytest.mark.parametrize("name", ["", " ", "\n"])
def test_user_that_is_none(desk: Desk, name: str):
    """Nothing is not even looked up: Graph would answer with everybody."""
    with pytest.raises(BadRequest, match="Name a user"):
        desk.console.user(name)


def test_stranger(desk: Desk):
    """A user whom Graph does not know is nobody's, for every question and order."""
    for ask in (
        lambda: desk.console.user("nobody@contoso.com"),
        lambda: desk.console.photo("nobody@contoso.com", "exchange"),
        lambda: desk.console.orders.replay("nobody@contoso.com", {}, by=BY),
    ):
        with pytest.raises(UnknownUser):
            ask()


@pytest.mark.parametrize(
    "ask",
    [
        lambda console: console.overview(),
        lambda console: console.users({}),
        lambda console: console.user(ANNE.id),
        lambda console: console.photo(ANNE.id, "exchange"),
        lambda console: console.orders.replay(ANNE.id, {}, by=BY),
        lambda console: console.orders.sweep({}, by=BY),
        lambda console: console.orders.uninstall({"cancel": True}, by=BY),
    ],
    ids=["overview", "users", "user", "photo", "replay", "sweep", "uninstall"],
)
def test_whatever_may_be_slow_takes_a_place(desk: Desk, ask: Callable[[Console], object]):
    """Eight at once, of an instance's sixteen threads: the webhook keeps the others."""
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(desk.console.turnstile.inside())
        with pytest.raises(ServiceDown, match="Try again"):
            ask(desk.console)
    ask(desk.console)
