"""
What an admin sees and may do: the console's questions and orders, as JSON-ready dictionaries.

Everything is read from where it is kept: users from their blobs' metadata, one user from both
sides as they are now. Nothing here writes pictures or states: an order goes into the log of orders,
and then into a queue or a document.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar

from shared import moments, version
from shared.auditing import audit_log
from shared.auditing.audit import Audit
from shared.auditing.audit_log import AuditLog, AuditLogs
from shared.console import card as cards
from shared.console import dismissals
from shared.console.cached_answer import Remembered
from shared.console.card import Brakes, Rules
from shared.console.comparison import EXCHANGE, SHAREPOINT, Sides
from shared.console.dismissals import Dismissals, Dismissed
from shared.console.history import History, shown
from shared.console.lookup import Meant, Memory, People
from shared.console.roster import LARGEST_PAGE, USERS_A_CALL, Census, Roster
from shared.console.signing import Signing
from shared.console.turnstile import Turnstile
from shared.errors import BadRequest, GiveUp, TryLater, UnknownUser
from shared.messages.sync_message import SyncMessage
from shared.messages.upkeep_message import RENEW, SWEEP, UpkeepMessage
from shared.orders import order as orders
from shared.orders.order import Order
from shared.orders.order_log import OrderLog
from shared.signature import Signature
from shared.storage import user_state
from shared.storage.delayed_queue import DelayedQueue
from shared.storage.documents import Documents
from shared.storage.roster_entry import Entry, describe, entry
from shared.storage.unreadable import SetAside
from shared.storage.user_state import STATUSES
from shared.subscription import keeper
from shared.sweeping import sweep_log
from shared.sweeping.sweep import Sweep
from shared.sweeping.sweep_log import SweepLog, SweepLogs
from shared.uninstalling import uninstall_log
from shared.uninstalling.uninstall import Uninstall
from shared.user import User, is_object_id, is_upn

P = ParamSpec("P")
T = TypeVar("T")

_SHOWN = 10
# Begins the token of a list that has named nobody so far; none of the roster's has such a sign.
_IN_VAIN = "~"
# What an order may say that is not its kind already.
_OPTIONS = ("force", "replace", "removePictures")
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
    """
    Errors of all: Throttled, ServiceDown, AccessDenied; UnknownUser where a user is named.

    `groups` are the ids of those that bind, by the setting that names each; `changes` those of the
    roster's that the settings allow for, but for DRY_RUN.
    """

    def __init__(
        self,
        roster: Roster,
        sides: Sides,
        kept: Kept,
        documents: Documents,
        people: People,
        sweep: Sweep,
        audit: Audit,
        uninstall: Uninstall,
        orders: Orders,
        order_log: OrderLog,
        *,
        groups: Mapping[str, str],
        changes: Collection[str],
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
        self._dismissals = Dismissals(documents, roster)
        self._people = people
        self._sweep = sweep
        self._audit = audit
        self._uninstall = uninstall
        self._orders = orders
        self._groups = groups
        self._changes = changes
        self._order_log = order_log
        self._history = History(order_log)
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
            "brake": _brake(self._held_back()),
            "audit": audit_log.to_fields(audit) if audit else None,
            "repairBrake": self._repair_brake(),
            "differ": census.differ,
            "uninstall": uninstall_log.to_fields(uninstall) if uninstall else None,
            "failures": [_shown(each) for each in census.failures if not dismissed.hides(each)],
            "dismissed": census.dismissed,
            "unreadable": aside.newest,
            "unreadableCount": aside.total,
            "groups": dict(self._groups),
            "dryRun": self._rules.dry_run,
            **version.told(),
        }

    @_takes_a_place
    def users(self, query: Mapping[str, str]) -> dict[str, Any]:
        """
        Users by `search`, `status`, `token` and `size`; with `gone=true` those whose photo is
        gone while the picture is still there, with `differs=true` those whom an audit has found
        damaged in SharePoint, with `wouldChange=true` those whose picture a run would change that
        may write. A search of all that ends with nobody goes on in Graph. Raises BadRequest.
        """
        status, size = query.get("status", ""), query.get("size") or "50"
        flags = ("gone", "differs", "wouldChange")
        gone, differs, would_change = (_is_asked_for(query, name) for name in flags)
        if status and status not in STATUSES:
            raise BadRequest(f"status must be one of {', '.join(sorted(STATUSES))}.")
        if not (size.isascii() and size.isdecimal() and len(size) <= 3):
            size = "0"
        if not 1 <= int(size) <= LARGEST_PAGE:
            raise BadRequest(f"size must be a whole number from 1 to {LARGEST_PAGE}.")
        search, token = query.get("search", ""), query.get("token", "")
        page = self._roster.page(
            search=search,
            status=status,
            gone=gone,
            differs=differs,
            changes=self._changes if would_change else None,
            token=token.removeprefix(_IN_VAIN),
            size=int(size),
        )
        in_vain = not page.entries and (not token or token.startswith(_IN_VAIN))
        told = {
            "users": self._lines(page.entries),
            "token": _IN_VAIN + page.token if in_vain and page.token else page.token,
            "complete": page.complete,
        }
        if page.in_batches:
            told["sortedWithin"] = USERS_A_CALL
        narrowed = status or gone or differs or would_change
        if search.strip() and page.complete and in_vain and not narrowed:
            return told | self._elsewhere(search)
        return told

    def _elsewhere(self, search: str) -> dict[str, Any]:
        """Whom Graph knows by what no state knows anybody by: aliases, and who is new."""
        try:
            found = self._people.search(search)
        except (TryLater, GiveUp) as error:
            return {"unasked": str(error)}
        return {"users": self._lines([_entry(user, known) for user, known in found])}

    def _lines(self, entries: Collection[Entry]) -> list[dict[str, Any]]:
        failed = any(each.status == user_state.FAILED for each in entries)
        dismissed = self._dismissals.read() if failed else Dismissed()
        return [{**_shown(each), "dismissed": dismissed.hides(each)} for each in entries]

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
        held, audit = self._held_back(), self._held_repairs()
        return Brakes(
            removals=held is not None and held.removals == sweep_log.BRAKED,
            forgetting=held is not None and held.forgetting == sweep_log.BRAKED,
            repairs=audit is not None and audit.repairs == audit_log.BRAKED,
            halted=self._uninstall.is_on(),
        )

    def _held_back(self) -> SweepLog | None:
        found = SweepLogs(self._documents).held_back()
        return found[0] if found else None

    def _held_repairs(self) -> AuditLog | None:
        found = AuditLogs(self._documents).held_back()
        return found[0] if found else None

    def _repair_brake(self) -> dict[str, Any]:
        """What a release of repairs would release now."""
        held = self._held_repairs()
        return {
            "engaged": held is not None,
            # They are on their way soon; until then the release can be repeated.
            "released": held is not None and held.repairs == audit_log.RELEASED,
            "differ": held.held if held else 0,
            "detail": held.detail if held else "",
        }

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
    def photo(self, name: str, side: str, query: Mapping[str, str] | None = None) -> bytes:
        """
        One side's picture, with `small=true` as a thumbnail. Raises BadRequest for a side that is
        none, NoPhoto, NoProfile, PictureKept for one that a person chose and that cannot be shown,
        and PhotoRefused for one that cannot be made small.
        """
        if side not in {EXCHANGE, SHAREPOINT}:
            raise BadRequest("The side must be exchange or sharepoint.")
        small = _is_asked_for(query or {}, "small")
        user, known, _ = self._people.find(name)
        if side == EXCHANGE:
            return self._sides.exchange(user, small=small)
        return self._sides.sharepoint(user, known, small=small)

    @_takes_a_place
    def history(self, query: Mapping[str, str]) -> dict[str, Any]:
        """
        Orders, the newest first: those about `user`, those given `since` a moment, and older ones
        by `token`; and whom `user` means, null for nobody known. Raises BadRequest.
        """
        name = query.get("user", "")
        meant = self._meant(name) if name else Meant("")
        page = self._history.page(
            lambda entry: not name or entry.is_about(meant.called, meant.user_principal_name),
            since=_moment(query.get("since", "")),
            token=query.get("token", ""),
        )
        return {
            "orders": [shown(entry) for entry in page.entries],
            "token": page.token,
            "complete": not page.token,
            "damaged": page.damaged,
            "user": _named(*meant) if meant.called else None,
        }

    def _meant(self, name: str) -> Meant:
        """Whoever is called *name*, as far as that is known; who is not has no object id."""
        if is_object_id(name):
            return Meant(*self._called(name, name.lower()))
        try:
            user = self._people.find(name).user
        except (TryLater, GiveUp, UnknownUser) as error:
            if isinstance(error, BadRequest):
                raise
            # Orders were given by this name, too, and the log needs nobody to find them.
            return Meant("", name)
        return Meant(user.id, user.user_principal_name, user.display_name)

    @_takes_a_place
    def replay(self, name: str, order: Mapping[str, Any], *, by: Signature) -> dict[str, Any]:
        """
        Queue one user again, whether Graph can be asked now or not; with `replace` a picture that
        a person chose makes room. Raises BadRequest.
        """
        with self._signing(orders.REPLAY, order, by) as signing:
            signing.about(*_spelled(name))
            force, replace = _flags(order, "force", "replace")
            self._uninstall.must_be_off()
            meant = self._people.to_queue(name)
            user_id, upn = self._called(name, meant.called)
            signing.about(user_id, meant.user_principal_name or upn)
            signing.give()
            run = signing.order.id
            message = SyncMessage(
                *(meant.called, "replay", force, 1, self._clock(), run),
                replace_chosen=replace,
                by=by,
                ordered_in=signing.file,
            )
            self._orders.users.send(message.to_json(), delay_seconds=0)
        return {"queued": True, "correlationId": run, **_named(*meant)}

    @_takes_a_place
    def sweep(self, order: Mapping[str, Any], *, by: Signature) -> dict[str, Any]:
        """
        Queue a sweep, or instead a look after the subscription with `renew`; `releaseRemovals`
        lets the removals go ahead that the brake holds back. Raises BadRequest.
        """
        kinds = {"releaseRemovals": orders.RELEASE_REMOVALS, "renew": orders.RENEW}
        with self._signing(_kind(order, kinds, orders.SWEEP), order, by) as signing:
            release, renew = _flags(order, "releaseRemovals", "renew")
            if release and renew:
                raise BadRequest("Order one thing at a time: releaseRemovals or renew.")
            self._uninstall.must_be_off()
            signing.give()
            if release:
                released = self._sweep.release_removals()
                signing.end(orders.DONE, f"{released} released.")
                return {"released": released}
            message = UpkeepMessage(
                RENEW if renew else SWEEP,
                by=by,
                order_id=signing.order.id,
                ordered_in=signing.file,
            )
            self._orders.upkeep.send(message.to_json(), delay_seconds=0)
        return {"queued": True}

    @_takes_a_place
    def audit(self, order: Mapping[str, Any], *, by: Signature) -> dict[str, Any]:
        """
        Audit everybody now, with `repair` repairing what differs; `releaseRepairs` lets the repairs
        go ahead that the brake holds back. Raises BadRequest.
        """
        kinds = {"releaseRepairs": orders.RELEASE_REPAIRS, "repair": orders.REPAIR}
        with self._signing(_kind(order, kinds, orders.AUDIT), order, by) as signing:
            release, repair = _flags(order, "releaseRepairs", "repair")
            if release and repair:
                raise BadRequest("Order one thing at a time: releaseRepairs or repair.")
            self._uninstall.must_be_off()
            signing.give()
            if release:
                released = self._audit.repairs.release()
                signing.end(orders.DONE, f"{released} released.")
                return {"released": released}
            begun = self._audit.order(repair=repair)
            signing.end(orders.BEGUN, begun.id)
        return {"audit": audit_log.to_fields(begun)}

    @_takes_a_place
    def uninstall(self, order: Mapping[str, Any], *, by: Signature) -> dict[str, Any]:
        """
        Take PhotoSync back, with `removePictures` also what it wrote into SharePoint; `cancel`
        takes that order back. Raises BadRequest, Conflict.
        """
        kind = _kind(order, {"cancel": orders.CANCEL_UNINSTALL}, orders.UNINSTALL)
        with self._signing(kind, order, by) as signing:
            remove, cancel = _flags(order, "removePictures", "cancel")
            if remove and cancel:
                raise BadRequest("Order one thing at a time: removePictures or cancel.")
            signing.give()
            if cancel:
                cancelled = self._uninstall.cancel()
                signing.end(orders.DONE, "" if cancelled else "There was nothing to cancel.")
                return {"cancelled": cancelled}
            _, census = self._census.get()
            ordered = self._uninstall.order(
                remove_pictures=remove, expected=sum(census.counts.values())
            )
            signing.end(orders.BEGUN, ordered.id)
        return {"uninstall": uninstall_log.to_fields(ordered)}

    @_takes_a_place
    def dismiss(self, order: Mapping[str, Any], *, by: Signature) -> dict[str, Any]:
        """
        Dismiss lines of the overview: the failures of `users`, and the messages set aside
        `unreadableTo` a moment. Raises BadRequest, Conflict.
        """
        with self._signing(orders.DISMISS, order, by) as signing:
            names, until = dismissals.read(order, self._clock())
            failed = [self._failure(name) for name in names]
            if len(failed) == 1:
                signing.about(failed[0].user_id, failed[0].user_principal_name)
            signing.give()
            self._dismissals.add(failed, until)
            self._census.forget()
            signing.end(orders.DONE, ", ".join(each.user_principal_name for each in failed))
        return {
            "dismissed": len(failed),
            "unreadableTo": until.isoformat() if until else "",
            "users": [
                _named(each.user_id, each.user_principal_name, each.display_name) for each in failed
            ],
        }

    def _failure(self, name: str) -> Entry:
        known = self._people.remembered(name)
        if known is None or known.status != user_state.FAILED:
            raise BadRequest(f"{name} has not failed: there is no line to dismiss.")
        return entry(known.user_id, describe(known))

    def _signing(self, kind: str, order: Mapping[str, Any], by: Signature) -> Signing:
        words = ", ".join(word for word in _OPTIONS if order.get(word) is True)
        return Signing(self._order_log, Order(kind, by, self._new_id(), options=words))

    def _called(self, name: str, user_id: str) -> tuple[str, str]:
        """The object id of whoever is queued as *user_id*, and the UPN, as far as known."""
        if not is_object_id(user_id):
            return "", user_id
        known = self._kept.read(user_id)
        upn = known.state.user_principal_name if known else ""
        return user_id, upn or _spelled(name)[1]

    def _count(self) -> tuple[datetime, Census]:
        return self._clock(), self._roster.census(_SHOWN, self._dismissals.read().hides)


def _is_asked_for(query: Mapping[str, str], name: str) -> bool:
    if query.get(name, "") not in {"", "true"}:
        raise BadRequest(f"{name} must be true, or be left out.")
    return query.get(name) == "true"


def _kind(order: Mapping[str, Any], kinds: Mapping[str, str], otherwise: str) -> str:
    """What *order* asks for, by the word that it says; how it is logged even if it is refused."""
    return next((kind for word, kind in kinds.items() if order.get(word) is True), otherwise)


def _spelled(name: str) -> tuple[str, str]:
    """*name* as an object id or as a UPN; the other is empty, and both for what is neither."""
    if is_object_id(name):
        return name.lower(), ""
    return "", name if is_upn(name) else ""


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return moments.read(text)
    except (ValueError, OverflowError) as error:
        raise BadRequest("since must be a time such as 2026-01-31T08:00:00+00:00.") from error


def _brake(held: SweepLog | None) -> dict[str, Any]:
    """What a sweep holds back: whose photo is gone, and who has left."""
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


def _entry(user: User, known: user_state.UserState | None) -> Entry:
    """A user as in a list; with no status whom PhotoSync has not looked at yet."""
    if known:
        return entry(user.id, describe(known))
    return Entry(user.id, user.user_principal_name, user.display_name, *[""] * 5)


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
        "wouldChange": entry.would_change,
        "leftSince": entry.left_since,
        "outOfScopeSince": entry.out_of_scope_since,
    }


def _named(user_id: str, upn: str, name: str) -> dict[str, str]:
    return {"userId": user_id, "userPrincipalName": upn, "displayName": name}


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
