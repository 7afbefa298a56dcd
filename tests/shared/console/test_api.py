"""The console's queries and orders, without HTTP."""

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
from shared.version import VERSION
from tests.doubles.office import ANNE, NOON
from tests.shared.console.console_desk import BY, ENTRY, LENGTHS, RULES, Desk

NO_BRAKE = {"engaged": False, "gone": 0, "left": 0, "managed": 0, "detail": ""}


def test_empty_overview(desk: Desk):
    """Before anything has happened, the overview is empty."""
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
    """Counts, first copies, and short lists of failures and messages; no hash of a secret."""
    desk.kept.entries = [ENTRY] * 12 + [replace(ENTRY, status=SYNCED)]
    desk.kept.aside = [{"name": "a", "reason": "b", "body": "c"}] * 12
    desk.documents.put(keeper.NAME, {"status": "live", "urlHash": "secret"})
    desk.log_sweep(detail="Under way.")
    fill = FillLog("one", NOON.isoformat(), NOON.isoformat(), sent=40, found=100)
    FillLogs(desk.documents).write(fill, after=None)
    seen = desk.console.overview()

    assert seen["counts"] == {FAILED: 12, SYNCED: 1}
    assert [len(seen["failures"]), len(seen["unreadable"])] == [10, 10]
    assert seen["unreadableCount"] == 12
    assert seen["subscription"] == {"status": "live"}
    assert (seen["sweep"]["id"], seen["sweep"]["eta"]) == ("one", "")
    shown = [seen["fill"][name] for name in ("status", "sent", "found", "eta")]
    assert shown == ["running", 40, 100, ""]
    assert seen["brake"] == NO_BRAKE


@pytest.mark.parametrize(
    ("log", "gone", "left"),
    [
        ({"removals": sweep_log.BRAKED, "gone": 21}, 21, 0),
        ({"forgetting": sweep_log.BRAKED, "left": 21, "gone": 2, "removals": sweep_log.DUE}, 0, 21),
    ],
    ids=["removals", "leavers"],
)
def test_brake(desk: Desk, log: dict[str, Any], gone: int, left: int):
    """A brake says how many users it holds back, and why; others are not counted."""
    desk.log_sweep(**log, managed=90, detail="Too many.")

    brake = {"engaged": True, "gone": gone, "left": left, "managed": 90, "detail": "Too many."}
    assert desk.console.overview()["brake"] == brake


def test_brakes_while_the_next_runs():
    """A brake stays visible when the next sweep or audit has started."""
    desk = Desk(RULES._replace(dry_run=False))
    at = NOON.isoformat()
    sweeps, audits = SweepLogs(desk.documents), AuditLogs(desk.documents)
    held = AuditLog("one", at, at, status=audit_log.FINISHED, differ=50, held_from=1, held=34)
    sweeps.begin(SweepLog("one", at, at, removals=sweep_log.BRAKED, gone=21), None)
    audits.begin(replace(held, repairs=audit_log.BRAKED), None)
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
    """A page of users, with the token of the next page."""
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
    assert "sortedWithin" not in page
    [other] = desk.console.users({"token": page["token"]})["users"]
    assert other["userId"] == "other"


def test_users_whose_photo_is_gone(desk: Desk):
    """The users whose pictures the next removals remove can be listed first."""
    desk.kept.entries = [ENTRY, replace(ENTRY, user_id="other", missing_since="2026")]
    [other] = desk.console.users({"gone": "true"})["users"]

    assert (other["userId"], other["missingSince"]) == ("other", "2026")


def test_users_who_would_change(desk: Desk):
    """The users whose picture a run would change if it may write; here without repairs."""
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

    changes = [(each["userId"], each["wouldChange"]) for each in found]
    assert changes == [("copied", "copy"), ("next", "removal"), ("removed", "removal")]


@pytest.mark.parametrize(
    "query",
    [{"status": "lost"}, {"token": "?"}, {"gone": "1"}, {"wouldChange": "yes"}]
    + [{"size": size} for size in ("0", "201", "-1", "1e2", "²", "0100000", "9" * 5000)],
    ids=lambda query: str(query)[:24],
)
def test_bad_query_for_users(desk: Desk, query: Mapping[str, str]):
    """An unknown status, size, filter or token is refused in one sentence."""
    with pytest.raises(BadRequest, match="\\.$"):
        desk.console.users(query)


def test_unknown_state(desk: Desk):
    """A user without a state has both sides, and no history."""
    seen = desk.console.user(ANNE.user_principal_name)

    assert seen["user"] == {
        "id": ANNE.id,
        "userPrincipalName": "anne@contoso.com",
        "displayName": "Anne Bell",
        "accountEnabled": True,
        "guest": False,
    }
    assert (seen["state"], seen["history"]) == (None, [])
    assert (seen["agree"], seen["difference"], seen["unasked"]) == (True, "They agree.", [])
    assert seen["profile"] == {"PictureURL": ""}
    assert (desk.looks.seen, seen["chosen"]) == ([None], "")


def test_known_state(desk: Desk):
    """The stored state as it is, and the past that it records, newest first."""
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
    assert (desk.looks.seen, seen["chosen"]) == ([state], "https://cdn.contoso.com/anne.jpg")


def test_user_who_is_being_copied(desk):
    """A claim shows its holder and the latest time at which it ends."""
    desk.kept.states.put(UserState(ANNE.id, claim=Claim("a-run", 299.0)))

    claim = desk.console.user(ANNE.id)["state"]["claim"]
    assert claim == {"by": "a-run", "expiresAt": (NOON + timedelta(minutes=5)).isoformat()}


def test_photos(desk: Desk):
    """Each of the two sides has a picture."""
    assert desk.console.photo(ANNE.id, "exchange") == b"exchange of anne@contoso.com"
    assert desk.console.photo(ANNE.id, "sharepoint") == b"sharepoint"
    assert desk.console.photo(ANNE.id, "sharepoint", {"small": "true"}) == b"small sharepoint"
    with pytest.raises(BadRequest, match="exchange or sharepoint"):
        desk.console.photo(ANNE.id, "other")


@pytest.mark.parametrize(
    ("order", "force", "replaces"),
    [
        ({}, False, False),
        ({"force": True, "replace": False}, True, False),
        ({"force": False, "replace": True}, False, True),
    ],
)
def test_replay(desk: Desk, order: dict[str, bool], force: bool, replaces: bool):
    """A replay queues a message with the user's object id; the answer names its id."""
    answer = desk.console.orders.replay(ANNE.user_principal_name, order, by=BY)
    [(message, delay)] = desk.users.messages

    assert answer == {
        "queued": True,
        "userId": ANNE.id,
        "userPrincipalName": ANNE.user_principal_name,
        "displayName": ANNE.display_name,
        "correlationId": "an-id",
    }
    assert (message["userId"], message["reason"], message["force"]) == (ANNE.id, "replay", force)
    assert message.get("replace", False) is replaces
    assert (message["correlationId"], delay) == ("an-id", 0)


BOOLEANS = {"replay": ("force", "replace"), "sweep": ("releaseRemovals", "renew")}
BAD_FLAGS: list[Any] = ["true", 1, None, []]
BAD_ORDERS: list[tuple[str, dict[str, Any], str]] = [
    ("sweep", {"renew": True, "releaseRemovals": True}, "not both"),
    ("audit", {"repair": True, "releaseRepairs": True}, "not both"),
    ("uninstall", {"removePictures": True, "cancel": True}, "not both"),
    ("uninstall", {"removePicture": True}, "nothing else"),
    *(
        (kind, {name: True}, "nothing else")
        for kind in ("replay", "sweep")
        for name in ("Force", "releaseRemoval", "userId")
    ),
    *(
        (kind, {name: value}, f"{name} must be true or false")
        for kind, names in BOOLEANS.items()
        for name in names
        for value in BAD_FLAGS
    ),
]


@pytest.mark.parametrize(("kind", "order", "why"), BAD_ORDERS)
def test_bad_order(desk: Desk, kind: str, order: dict[str, Any], why: str):
    """A contradiction, a misspelt field or a value that is not a boolean orders nothing."""
    with pytest.raises(BadRequest, match=why):
        desk.order(kind, order)
    assert (desk.users.messages, desk.upkeep.messages, desk.audits.ordered) == ([], [], [])


# Uninstalling


@pytest.mark.parametrize("remove", [True, False])
def test_uninstall(desk: Desk, remove: bool):
    """The order is logged and queued; the overview shows how many users and pictures it affects."""
    desk.kept.entries = [
        ENTRY,
        replace(ENTRY, status=SYNCED),
        replace(ENTRY, status=REMOVED),
        replace(ENTRY, status=SKIPPED, reason="picture-kept"),
        replace(ENTRY, synced_at=""),
    ]
    begun = desk.order("uninstall", {"removePictures": remove})["uninstall"]
    [(message, delay)] = desk.upkeep.messages
    seen = desk.console.overview()

    assert (begun["status"], begun["removePictures"], begun["expected"]) == ("running", remove, 5)
    assert (message["uninstallId"], delay) == (begun["id"], 0)
    assert seen["uninstall"] == begun
    assert (sum(seen["counts"].values()), seen["pictures"]) == (5, 2)


def test_uninstall_is_cancelled(desk: Desk):
    """The answer says that there was an order to cancel, and the overview shows the result."""
    desk.order("uninstall")

    assert desk.order("uninstall", {"cancel": True}) == {"cancelled": True}
    assert desk.console.overview()["uninstall"]["status"] == "cancelled"


@pytest.mark.parametrize(
    ("kind", "order"),
    [
        ("replay", {}),
        *(("sweep", order) for order in ({}, {"renew": True}, {"releaseRemovals": True})),
        *(("audit", order) for order in ({}, {"repair": True}, {"releaseRepairs": True})),
    ],
)
def test_no_other_order_after_an_uninstall(desk: Desk, kind: str, order: dict[str, bool]):
    """Any other order is refused, and the answer says how to cancel the uninstall."""
    desk.order("uninstall")
    sent = len(desk.upkeep.messages)
    with pytest.raises(BadRequest, match="uninstall --cancel"):
        desk.order(kind, order)
    assert (desk.users.messages, len(desk.upkeep.messages)) == ([], sent)
    assert desk.audits.ordered == []


@pytest.mark.parametrize("name", ["", " ", "\n"])
def test_empty_name(desk: Desk, name: str):
    """An empty name is not looked up: Graph would return everybody."""
    with pytest.raises(BadRequest, match="Name a user"):
        desk.console.user(name)


def test_unknown_user(desk: Desk):
    """Each query and order about an unknown user is refused, with the name."""
    for ask in (
        lambda: desk.console.user("nobody@contoso.com"),
        lambda: desk.console.photo("nobody@contoso.com", "exchange"),
        lambda: desk.console.orders.replay("nobody@contoso.com", {}, by=BY),
    ):
        with pytest.raises(UnknownUser, match=r"no such user: nobody@contoso\.com\.$"):
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
def test_at_most_eight_at_once(desk: Desk, ask: Callable[[Console], object]):
    """At most eight callers at once: the webhook needs the other eight threads."""
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(desk.console.limit.slot())
        with pytest.raises(ServiceDown, match="Try again"):
            ask(desk.console)
    ask(desk.console)
