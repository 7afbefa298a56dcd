"""How users, their past and what the brakes hold back appear in the console's answers."""

from __future__ import annotations

from typing import Any

from shared.auditing import audit_log
from shared.auditing.audit_log import AuditLog
from shared.storage import user_state
from shared.storage.roster_entry import Entry, describe, entry
from shared.sweeping import sweep_log
from shared.sweeping.sweep_log import SweepLog
from shared.user import User


def entry_of(user: User, known: user_state.UserState | None) -> Entry:
    """A user as in a list; without a status if PhotoSync has not checked the user yet."""
    if known:
        return entry(user.id, describe(known))
    return Entry(user.id, user.user_principal_name, user.display_name, "", "", "", "", "")


def of_entry(entry: Entry) -> dict[str, str]:
    """A user in a list."""
    return {
        "userId": entry.user_id,
        "userPrincipalName": entry.user_principal_name,
        "displayName": entry.display_name,
        "status": entry.status,
        "reason": entry.reason,
        "detail": entry.detail,
        "checkedAt": entry.checked_at,
        "syncedAt": entry.synced_at,
        "missingSince": entry.missing_since,
        "damage": entry.damage,
        "wouldChange": entry.would_change,
        "leftSince": entry.left_since,
        "outOfScopeSince": entry.out_of_scope_since,
    }


def account(user_id: str, upn: str, name: str) -> dict[str, str]:
    """The user that an order is about."""
    return {"userId": user_id, "userPrincipalName": upn, "displayName": name}


def past(known: user_state.UserState) -> list[dict[str, str]]:
    """What the state says about the past, newest first."""
    remembered = [
        (known.checked_at, known.status, known.detail),
        (known.missing_since, "photo missing", "The photo was first found missing in Exchange."),
        (known.left_since, "left", "Microsoft Graph no longer found the user."),
        (known.out_of_scope_since, "out of scope", "The settings first excluded the user."),
        (known.synced_at, "written", "The pictures in SharePoint were written."),
    ]
    # By the seconds that are shown: within one second, a run checks after it has written.
    events = [
        {"at": at.isoformat(timespec="seconds"), "event": event, "detail": detail}
        for at, event, detail in remembered
        if at
    ]
    return sorted(events, key=lambda one: one["at"], reverse=True)


def brake(held: SweepLog | None) -> dict[str, Any]:
    """What a sweep holds back: users whose photo is gone, and users who have left."""
    return {
        "engaged": held is not None,
        "gone": held.gone if held and held.removals == sweep_log.BRAKED else 0,
        "left": held.left if held and held.forgetting == sweep_log.BRAKED else 0,
        "managed": held.managed if held else 0,
        "detail": held.detail if held else "",
    }


def repair_brake(held: AuditLog | None) -> dict[str, Any]:
    """What a release of repairs would release now."""
    return {
        "engaged": held is not None,
        # They are queued soon; until then the release can be repeated.
        "released": held is not None and held.repairs == audit_log.RELEASED,
        "differ": held.held if held else 0,
        "detail": held.detail if held else "",
    }
