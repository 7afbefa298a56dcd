"""
What an admin may do: each order is signed in the log of orders before it is carried out.

Nothing here writes pictures or states: an order goes into a queue or a document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from shared.auditing import audit_log
from shared.auditing.audit import Audit
from shared.console import dismissals
from shared.console.cached_answer import CachedAnswer
from shared.console.concurrency_limit import ConcurrencyLimit, limited
from shared.console.dismissals import Dismissals
from shared.console.fields import account
from shared.console.lookup import UserLookup, spelled
from shared.console.roster import Census
from shared.console.signing import Signing
from shared.errors import BadRequest
from shared.messages.sync_message import SyncMessage
from shared.messages.upkeep_message import RENEW, SWEEP, UpkeepMessage
from shared.orders import order as orders
from shared.orders.order import Order
from shared.orders.order_log import OrderLog
from shared.signature import Signature
from shared.storage import user_state
from shared.storage.delayed_queue import DelayedQueue
from shared.storage.roster_entry import Entry, describe, entry
from shared.sweeping.sweep import Sweep
from shared.uninstalling import uninstall_log
from shared.uninstalling.uninstall import Uninstall

# Options of an order that its kind does not already imply.
_OPTIONS = ("force", "replace", "removePictures")


class Queues(NamedTuple):
    """Where orders go, and how long each queue is."""

    users: DelayedQueue
    upkeep: DelayedQueue
    lengths: Callable[[], dict[str, int]]


class Chains(NamedTuple):
    """Work that takes long once it is ordered."""

    sweep: Sweep
    audit: Audit
    uninstall: Uninstall


class Ordering:
    """
    All methods raise Throttled, ServiceDown, AccessDenied; UnknownUser if they take a user's name.
    An order that cannot be signed is not carried out.
    """

    def __init__(
        self,
        lookup: UserLookup,
        lines: Dismissals,
        chains: Chains,
        queues: Queues,
        log: OrderLog,
        *,
        census: CachedAnswer[tuple[datetime, Census]],
        limit: ConcurrencyLimit,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._lookup = lookup
        self._dismissals = lines
        self._sweep, self._audit, self._uninstall = chains
        self._queues = queues
        self._order_log = log
        self._census = census
        self.limit = limit
        self._clock = clock
        self._new_id = new_id

    @limited
    def replay(self, name: str, order: Mapping[str, Any], *, by: Signature) -> dict[str, Any]:
        """
        Queue one user again, whether or not Graph can be asked now; `replace` also replaces a
        picture that a person chose. Raises BadRequest.
        """
        with self._signing(orders.REPLAY, order, by) as signing:
            signing.about(*spelled(name))
            force, replace = _flags(order, "force", "replace")
            self._uninstall.must_be_off()
            named = self._lookup.to_queue(name)
            user_id, upn = self._lookup.account(name, named.called)
            signing.about(user_id, named.user_principal_name or upn)
            signing.give()
            run = signing.order.id
            message = SyncMessage(
                *(named.called, "replay", force, 1, self._clock(), run),
                replace_chosen=replace,
                by=by,
                ordered_in=signing.file,
            )
            self._queues.users.send(message.to_json(), delay_seconds=0)
        return {"queued": True, "correlationId": run, **account(*named)}

    @limited
    def sweep(self, order: Mapping[str, Any], *, by: Signature) -> dict[str, Any]:
        """
        Queue a sweep, or with `renew` a check of the subscription instead; `releaseRemovals`
        releases the removals that the brake holds back. Raises BadRequest.
        """
        kinds = {"releaseRemovals": orders.RELEASE_REMOVALS, "renew": orders.RENEW}
        with self._signing(_kind(order, kinds, orders.SWEEP), order, by) as signing:
            release, renew = _flags(order, "releaseRemovals", "renew")
            if release and renew:
                raise BadRequest("An order may set releaseRemovals or renew, not both.")
            self._uninstall.must_be_off()
            signing.give()
            if release:
                released = self._sweep.removals.release()
                signing.end(orders.DONE, f"{released} released.")
                return {"released": released}
            message = UpkeepMessage(
                RENEW if renew else SWEEP,
                by=by,
                order_id=signing.order.id,
                ordered_in=signing.file,
            )
            self._queues.upkeep.send(message.to_json(), delay_seconds=0)
        return {"queued": True}

    @limited
    def audit(self, order: Mapping[str, Any], *, by: Signature) -> dict[str, Any]:
        """
        Audit everyone now, and with `repair` repair what differs; `releaseRepairs` releases the
        repairs that the brake holds back. Raises BadRequest.
        """
        kinds = {"releaseRepairs": orders.RELEASE_REPAIRS, "repair": orders.REPAIR}
        with self._signing(_kind(order, kinds, orders.AUDIT), order, by) as signing:
            release, repair = _flags(order, "releaseRepairs", "repair")
            if release and repair:
                raise BadRequest("An order may set releaseRepairs or repair, not both.")
            self._uninstall.must_be_off()
            signing.give()
            if release:
                released = self._audit.repairs.release()
                signing.end(orders.DONE, f"{released} released.")
                return {"released": released}
            begun = self._audit.order(repair=repair)
            signing.end(orders.BEGUN, begun.id)
        return {"audit": audit_log.to_fields(begun)}

    @limited
    def uninstall(self, order: Mapping[str, Any], *, by: Signature) -> dict[str, Any]:
        """
        Uninstall PhotoSync, and with `removePictures` also remove what it wrote to SharePoint;
        `cancel` cancels that order. Raises BadRequest, Conflict.
        """
        kind = _kind(order, {"cancel": orders.CANCEL_UNINSTALL}, orders.UNINSTALL)
        with self._signing(kind, order, by) as signing:
            remove, cancel = _flags(order, "removePictures", "cancel")
            if remove and cancel:
                raise BadRequest("An order may set removePictures or cancel, not both.")
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

    @limited
    def dismiss(self, order: Mapping[str, Any], *, by: Signature) -> dict[str, Any]:
        """
        Dismiss lines of the overview: the failures of `users`, and the messages set aside up to
        `unreadableTo`. Raises BadRequest, Conflict.
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
                account(each.user_id, each.user_principal_name, each.display_name)
                for each in failed
            ],
        }

    def _failure(self, name: str) -> Entry:
        known = self._lookup.stored(name)
        if known is None or known.status != user_state.FAILED:
            raise BadRequest(f"{name} has not failed, so there is nothing to dismiss.")
        return entry(known.user_id, describe(known))

    def _signing(self, kind: str, order: Mapping[str, Any], by: Signature) -> Signing:
        words = ", ".join(word for word in _OPTIONS if order.get(word) is True)
        return Signing(self._order_log, Order(kind, by, self._new_id(), options=words))


def _kind(order: Mapping[str, Any], kinds: Mapping[str, str], otherwise: str) -> str:
    """The kind of *order*, by the option that it sets; it is logged as this even if refused."""
    return next((kind for word, kind in kinds.items() if order.get(word) is True), otherwise)


def _flags(order: Mapping[str, Any], *names: str) -> list[bool]:
    """The allowed options of *order*: a misspelt field must not order something else."""
    if order.keys() - set(names):
        raise BadRequest(f"The order may contain {' or '.join(names)}, and nothing else.")
    values = [order.get(name, False) for name in names]
    for name, value in zip(names, values, strict=True):
        if not isinstance(value, bool):
            raise BadRequest(f"{name} must be true or false, without quotation marks.")
    return values
