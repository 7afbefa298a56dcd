"""
What an admin sees and may do: the console's questions and orders, as JSON-ready dictionaries.

Everything is read from where it is kept: users from their blobs' metadata, one user from both
sides as they are now. Nothing here writes but through the queues.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar

from shared import version
from shared.auditing import audit_log
from shared.auditing.audit import Audit
from shared.auditing.audit_log import AuditLogs
from shared.console import card as cards
from shared.console import dismissals
from shared.console.cached_answer import Remembered
from shared.console.card import Brakes, Rules
from shared.console.comparison import EXCHANGE, SHAREPOINT, Sides
from shared.console.dismissals import Dismissals, Dismissed
from shared.console.lookup import Memory, People
from shared.console.roster import LARGEST_PAGE, Census, Roster
from shared.console.turnstile import Turnstile
from shared.errors import BadRequest
from shared.messages.sync_message import SyncMessage
from shared.messages.upkeep_message import RENEW, SWEEP, UpkeepMessage
from shared.signature import Signature
from shared.storage import roster_entry, user_state
from shared.storage.delayed_queue import DelayedQueue
from shared.storage.documents import Documents
from shared.storage.roster_entry import Entry
from shared.storage.unreadable import SetAside
from shared.storage.user_state import STATUSES
from shared.subscription import keeper
from shared.sweeping import sweep_log
from shared.sweeping.sweep import Sweep
from shared.sweeping.sweep_log import SweepLog, SweepLogs
from shared.uninstalling import uninstall_log
from shared.uninstalling.uninstall import Uninstall
from shared.user import Directory

P = ParamSpec("P")
T = TypeVar("T")

_SHOWN = 10
# Half of an instance's threads.
_ASKING_AT_ONCE = 8


class Kept(Memory, Protocol):
    """The reading half of the state store, and the messages set aside there."""

    def unreadable(self, limit: int, after: datetime | None = None) -> SetAside: ...


class Orders(NamedTuple):
    """Where orders go, and how long each queue is."""

    users: DelayedQueue
    upkeep: DelayedQueue
    lengths: Callable[[], dict[str, int]]


def _takes_a_place(
    method: Callable[Concatenate[Console, P], T],
) -> Callable[Concatenate[Console, P], T]:
    """Whatever *method* asks may be slow, storage too: so only so many are inside at once."""

    @functools.wraps(method)
    def inside(console: Console, /, *args: P.args, **named: P.kwargs) -> T:
        with console.turnstile.inside():
            return method(console, *args, **named)

    return inside


class Console:
    """Errors of all: Throttled, ServiceDown, AccessDenied; UnknownUser where a user is named."""

    def __init__(
        self,
        roster: Roster,
        sides: Sides,
        kept: Kept,
        documents: Documents,
        directory: Directory,
        sweep: Sweep,
        audit: Audit,
        uninstall: Uninstall,
        orders: Orders,
        *,
        rules: Rules,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._roster = roster
        # Everybody is listed for it: of 100,000 users that takes the better part of a minute.
        self._census = Remembered(self._count, clock)
        self._sides = sides
        self.turnstile = Turnstile(_ASKING_AT_ONCE)
        self._kept = kept
        self._documents = documents
        self._dismissals = Dismissals(documents)
        self._people = People(directory, kept, roster)
        self._sweep = sweep
        self._audit = audit
        self._uninstall = uninstall
        self._orders = orders
        self._rules = rules
        self._clock = clock
        self._new_id = new_id

    @_takes_a_place
    def overview(self) -> dict[str, Any]:
        """The whole at a glance."""
        subscription = self._documents.read(keeper.NAME)
        newest, _ = SweepLogs(self._documents).latest()
        audit, _ = AuditLogs(self._documents).latest()
        counted_at, census = self._census.get()
        dismissed = self._dismissals.read()
        aside = self._kept.unreadable(_SHOWN, dismissed.unreadable_to)
        uninstall = self._uninstall.latest()
        return {
            "asOf": self._clock().isoformat(),
            "counts": dict(census.counts),
            "pictures": census.pictures,
            "countedAt": counted_at.isoformat(),
            "queues": self._orders.lengths(),
            "subscription": keeper.shown(subscription) if subscription else None,
            "sweep": sweep_log.to_fields(newest) if newest else None,
            "brake": _brake(newest),
            "audit": audit_log.to_fields(audit) if audit else None,
            "differ": census.differ,
            "uninstall": uninstall_log.to_fields(uninstall) if uninstall else None,
            "failures": [_shown(each) for each in census.failures if not dismissed.hides(each)],
            "dismissed": census.dismissed,
            "unreadable": aside.newest,
            "unreadableCount": aside.total,
            "dryRun": self._rules.dry_run,
            **version.told(),
        }

    @_takes_a_place
    def users(self, query: Mapping[str, str]) -> dict[str, Any]:
        """
        Users by `search`, `status`, `token` and `size`; with `gone=true` those whose photo is
        gone while the picture is still there, with `differs=true` those whom an audit has found
        damaged in SharePoint. Raises BadRequest.
        """
        status, size = query.get("status", ""), query.get("size") or "50"
        gone, differs = (_is_asked_for(query, name) for name in ("gone", "differs"))
        if status and status not in STATUSES:
            raise BadRequest(f"status must be one of {', '.join(sorted(STATUSES))}.")
        if not (size.isascii() and size.isdecimal() and len(size) <= 3):
            size = "0"
        if not 1 <= int(size) <= LARGEST_PAGE:
            raise BadRequest(f"size must be a whole number from 1 to {LARGEST_PAGE}.")
        page = self._roster.page(
            search=query.get("search", ""),
            status=status,
            gone=gone,
            differs=differs,
            token=query.get("token", ""),
            size=int(size),
        )
        failed = any(entry.status == user_state.FAILED for entry in page.entries)
        dismissed = self._dismissals.read() if failed else Dismissed()
        return {
            "users": [
                {**_shown(entry), "dismissed": dismissed.hides(entry)} for entry in page.entries
            ],
            "token": page.token,
            "complete": page.complete,
        }

    @_takes_a_place
    def user(self, name: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """
        One user: what is remembered, both sides as they are now, the difference in words.

        With `sides=none` only what is remembered, for who looks again and again: both sides cost
        calls of a budget that copies need, too. Raises BadRequest.
        """
        sides = (query or {}).get("sides", "")
        if sides not in {"", "none"}:
            raise BadRequest("sides must be none, or be left out.")
        if sides:
            return self._told(self._people.remembered(name))
        user, known, error = self._people.find(name)
        difference = self._sides.compare(user, known, exchange_error=error)
        now = self._clock()
        card = cards.card(
            user, known, difference.finding, rules=self._rules, brakes=self._brakes(), now=now
        )
        return {
            "user": {
                "id": user.id,
                "userPrincipalName": user.user_principal_name,
                "displayName": user.display_name,
                "accountEnabled": None if error else user.account_enabled,
                "guest": None if error else user.is_guest,
            },
            **self._told(known),
            "profile": difference.profile,
            "chosen": difference.chosen,
            "agree": difference.agree,
            "difference": difference.sentence,
            "finding": difference.finding,
            "card": card.fields(user, now=now, version=version.VERSION),
            "unasked": [
                {"side": side, "message": sentence, "retryAfter": retry_after}
                for side, sentence, retry_after in difference.unasked
            ],
            "history": _history(known) if known else [],
        }

    def _brakes(self) -> Brakes:
        newest, _ = SweepLogs(self._documents).latest()
        audit, _ = AuditLogs(self._documents).latest()
        return Brakes(
            removals=newest is not None and newest.removals == sweep_log.BRAKED,
            forgetting=newest is not None and newest.forgetting == sweep_log.BRAKED,
            repairs=audit is not None and audit.repairs == audit_log.BRAKED,
            halted=self._uninstall.is_on(),
        )

    def _told(self, known: user_state.UserState | None) -> dict[str, Any]:
        return {
            "asOf": self._clock().isoformat(),
            "state": self._remembered(known) if known else None,
        }

    def _remembered(self, known: user_state.UserState) -> dict[str, Any]:
        """The state as its blob has it, with the end of a claim by our clock, for people."""
        fields: dict[str, Any] = json.loads(user_state.to_json(known))
        if known.claim:
            ends = self._clock() + timedelta(seconds=known.claim.left)
            fields["claim"] = {"by": known.claim.by, "expiresAt": ends.isoformat()}
        return fields

    @_takes_a_place
    def photo(self, name: str, side: str) -> bytes:
        """
        One side's picture. Raises BadRequest for a side that is none, NoPhoto, NoProfile, and
        PictureKept for one that a person chose and that cannot be shown.
        """
        if side not in {EXCHANGE, SHAREPOINT}:
            raise BadRequest("The side must be exchange or sharepoint.")
        user, known, _ = self._people.find(name)
        if side == EXCHANGE:
            return self._sides.exchange(user)
        return self._sides.sharepoint(user, known)

    @_takes_a_place
    def replay(self, name: str, order: Mapping[str, Any]) -> dict[str, Any]:
        """
        Queue one user again, whether Graph can be asked now or not; with `replace` a picture that
        a person chose makes room. Raises BadRequest.
        """
        force, replace = _flags(order, "force", "replace")
        self._uninstall.must_be_off()
        user_id = self._people.to_queue(name)
        message = SyncMessage(
            *(user_id, "replay", force, 1, self._clock(), self._new_id()), replace_chosen=replace
        )
        self._orders.users.send(message.to_json(), delay_seconds=0)
        return {"queued": True, "userId": user_id, "correlationId": message.correlation_id}

    @_takes_a_place
    def sweep(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """
        Queue a sweep, or instead a look after the subscription with `renew`; `releaseRemovals`
        lets the removals go ahead that the brake holds back. Raises BadRequest.
        """
        release, renew = _flags(order, "releaseRemovals", "renew")
        if release and renew:
            raise BadRequest("Order one thing at a time: releaseRemovals or renew.")
        self._uninstall.must_be_off()
        if release:
            return {"released": self._sweep.release_removals()}
        message = UpkeepMessage(RENEW if renew else SWEEP)
        self._orders.upkeep.send(message.to_json(), delay_seconds=0)
        return {"queued": True}

    @_takes_a_place
    def audit(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """
        Audit everybody now, with `repair` repairing what differs; `releaseRepairs` lets the repairs
        go ahead that the brake holds back. Raises BadRequest.
        """
        release, repair = _flags(order, "releaseRepairs", "repair")
        if release and repair:
            raise BadRequest("Order one thing at a time: releaseRepairs or repair.")
        self._uninstall.must_be_off()
        if release:
            return {"released": self._audit.repairs.release()}
        return {"audit": audit_log.to_fields(self._audit.order(repair=repair))}

    @_takes_a_place
    def uninstall(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """
        Take PhotoSync back, with `removePictures` also what it wrote into SharePoint; `cancel`
        takes that order back. Raises BadRequest, Conflict.
        """
        remove, cancel = _flags(order, "removePictures", "cancel")
        if remove and cancel:
            raise BadRequest("Order one thing at a time: removePictures or cancel.")
        if cancel:
            return {"cancelled": self._uninstall.cancel()}
        _, census = self._census.get()
        ordered = self._uninstall.order(
            remove_pictures=remove, expected=sum(census.counts.values())
        )
        return {"uninstall": uninstall_log.to_fields(ordered)}

    @_takes_a_place
    def dismiss(self, order: Mapping[str, Any], *, by: Signature) -> dict[str, Any]:
        """
        Dismiss lines of the overview: the failures of `users`, and the messages set aside
        `unreadableTo` a moment. Raises BadRequest, Conflict.
        """
        names, until = dismissals.read(order, self._clock())
        failed = [self._failure(name) for name in names]
        self._dismissals.add(failed, until)
        self._census.forget()
        return {"dismissed": len(failed), "unreadableTo": until.isoformat() if until else ""}

    def _failure(self, name: str) -> Entry:
        known = self._people.remembered(name)
        if known is None or known.status != user_state.FAILED:
            raise BadRequest(f"{name} has not failed: there is no line to dismiss.")
        return roster_entry.entry(known.user_id, roster_entry.describe(known))

    def _count(self) -> tuple[datetime, Census]:
        return self._clock(), self._roster.census(_SHOWN, self._dismissals.read().hides)


def _is_asked_for(query: Mapping[str, str], name: str) -> bool:
    if query.get(name, "") not in {"", "true"}:
        raise BadRequest(f"{name} must be true, or be left out.")
    return query.get(name) == "true"


def _brake(newest: SweepLog | None) -> dict[str, Any]:
    """What the newest sweep holds back: whose photo is gone, and who has left."""
    held = newest if newest and newest.held_back() else None
    return {
        "engaged": held is not None,
        "gone": held.gone if held and held.removals == sweep_log.BRAKED else 0,
        "left": held.left if held and held.forgetting == sweep_log.BRAKED else 0,
        "managed": held.managed if held else 0,
        "detail": held.detail if held else "",
    }


def _flags(order: Mapping[str, Any], *names: str) -> list[bool]:
    """All that *order* may say: a field that is misspelt must not order something else."""
    if order.keys() - set(names):
        raise BadRequest(f"The order may say {' or '.join(names)}, and nothing else.")
    values = [order.get(name, False) for name in names]
    for name, value in zip(names, values, strict=True):
        if not isinstance(value, bool):
            raise BadRequest(f"{name} must be true or false, without quotation marks.")
    return values


def _shown(entry: Entry) -> dict[str, str]:
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
        "leftSince": entry.left_since,
        "outOfScopeSince": entry.out_of_scope_since,
    }


def _history(known: user_state.UserState) -> list[dict[str, str]]:
    """What the state remembers of the past, newest first."""
    remembered = [
        (known.checked_at, known.status, known.detail),
        (known.missing_since, "photo missing", "The photo was first missed in Exchange."),
        (known.left_since, "left", "Microsoft Graph no longer knew the user."),
        (known.out_of_scope_since, "out of scope", "The settings first left the user out."),
        (known.synced_at, "written", "The pictures in SharePoint were written."),
    ]
    # By the seconds that are shown: within one, a run has looked after it has written.
    told = [
        {"at": at.isoformat(timespec="seconds"), "event": event, "detail": detail}
        for at, event, detail in remembered
        if at
    ]
    return sorted(told, key=lambda one: one["at"], reverse=True)
