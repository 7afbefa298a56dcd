"""
Sample answers of the console's API: a healthy app at noon, which has copied Anne's photo.

The console itself builds them, so their fields are the real ones: *changes* replace some of them,
and can add none.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

from shared.auditing import audit_log
from shared.auditing.audit_log import AuditLog
from shared.console import fields
from shared.console.history import shown
from shared.orders.order import REPLAY, Entry, Order
from shared.signature import PERSON, Signature
from shared.storage import roster_entry
from shared.storage.user_state import FAILED, SYNCED, UserState
from shared.sweeping import sweep_log
from shared.sweeping.sweep_log import SweepLog
from shared.uninstalling import uninstall_log
from shared.uninstalling.uninstall_log import UninstallLog
from tests.doubles import office
from tests.shared.console.console_desk import RULES, Desk

ANNE = office.ANNE.id
NOON = office.NOON.isoformat()
ID = "20260131T120000-1"
NO_DRY_RUN = RULES._replace(dry_run=False)
JO = Signature(PERSON, "jo@contoso.com", "0b000000-0000-4000-8000-000000000001")


def _changed(real: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """*real* with *changes*, which may name no field that it does not have."""
    assert changes.keys() <= real.keys(), changes.keys() - real.keys()
    return {**real, **changes}


def entry(number: int, **changes: Any) -> dict[str, Any]:
    """One of the failed users in a list."""
    user = f"{number:08}-1111-1111-1111-111111111111", f"person{number}@contoso.com"
    why = "photo-refused", "The photo cannot be read."
    failed = roster_entry.Entry(*user, f"Person {number}", FAILED, *why, NOON, "")
    return _changed({**fields.of_entry(failed), "dismissed": False}, changes)


def users(*entries: dict[str, Any], token: str = "", **changes: Any) -> dict[str, Any]:
    """A page of a list of users; *token* is that of the next page."""
    return {"users": list(entries), "token": token, "complete": not token, **changes}


def sweep(**changes: Any) -> dict[str, Any]:
    """A sweep that has ended."""
    log = SweepLog(ID, NOON, NOON, status=sweep_log.FINISHED, users=12, in_scope=10, managed=9)
    log = replace(log, changed={"new": 2}, expected_users=12)
    return _changed(sweep_log.to_fields(log), changes)


def audit(**changes: Any) -> dict[str, Any]:
    """An audit that has ended, and found nothing to repair."""
    log = AuditLog(ID, NOON, NOON, repair=True, status=audit_log.FINISHED, page=3, looked=120)
    return _changed(audit_log.to_fields(log), changes)


def uninstall(**changes: Any) -> dict[str, Any]:
    """An uninstall that has just begun."""
    log = UninstallLog(ID, False, NOON, NOON, NOON, expected=10, left=10)
    return _changed(uninstall_log.to_fields(log), changes)


def order(**changes: Any) -> dict[str, Any]:
    """A replay of Anne's photo in the history, which a person ordered and which has ended."""
    replay = Order(REPLAY, JO, "c-1", ANNE, office.ANNE.user_principal_name)
    ended = Entry(replay, office.NOON, result=SYNCED, ended_at=office.NOON)
    return _changed(shown(ended), changes)


def overview(**changes: Any) -> dict[str, Any]:
    """Everything is well, and nobody has failed."""
    queues = ("photo-sync", "photo-sync-poison", "photo-upkeep", "photo-upkeep-poison")
    live = {"status": "live", "detail": "", "expiresAt": "2026-02-26T12:00:00+00:00"}
    healthy = {
        "counts": {"synced": 9, "no-photo": 1},
        "pictures": 8,
        "queues": dict.fromkeys(queues, 0),
        "subscription": {**live, "checkedAt": NOON},
        "sweep": sweep(),
        "groups": {},
    }
    return _changed(Desk(NO_DRY_RUN).console.overview(), {**healthy, **changes})


def person(**changes: Any) -> dict[str, Any]:
    """Anne, whose two sides agree; without a card, as an older app answers."""
    profile = {
        "PictureURL": "https://contoso-my.sharepoint.com/a_MThumb.jpg",
        "SPS-PicturePlaceholderState": "0",
        "SPS-PictureExchangeSyncState": "1",
        "SPS-PictureTimestamp": "63913492800",
    }
    return _changed(_anne(), {"card": None, "profile": profile, "chosen": "", **changes})


def state(**changes: Any) -> dict[str, Any]:
    """The stored state in the answer about Anne."""
    return _changed(_anne()["state"], changes)


def card(**changes: Any) -> dict[str, Any]:
    """The card in the answer about Anne: no action is needed."""
    return _changed(_anne()["card"], changes)


@functools.cache
def _anne() -> dict[str, Any]:
    desk = Desk(NO_DRY_RUN)
    desk.exchange.users[ANNE] = replace(office.ANNE, display_name="Anne Other")
    synced = UserState(ANNE, status=SYNCED, checked_at=office.NOON, synced_at=office.NOON)
    upn = office.ANNE.user_principal_name
    desk.kept.states.put(replace(synced, user_principal_name=upn, detail="Copied."))
    return desk.console.user(ANNE)
