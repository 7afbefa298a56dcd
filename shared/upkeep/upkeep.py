"""Processes one message of queue `photo-upkeep`, such as a renewal, a bundle or a sweep's page."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from shared.auditing.audit import Audit
from shared.errors import BadMessage, ClaimLost, GiveUp, TryLater
from shared.messages import signed, upkeep_message
from shared.messages.disposition import Done, Wait, decide
from shared.messages.sync_message import NOTIFICATION, SyncMessage
from shared.messages.upkeep_message import UpkeepMessage
from shared.orders import order as orders
from shared.orders.order import Order
from shared.orders.order_log import OrderLog
from shared.signature import APP, QUEUE, Signature
from shared.storage.delayed_queue import DelayedQueue
from shared.storage.unreadable import set_aside
from shared.storage.user_state import Store
from shared.subscription.keeper import SubscriptionKeeper
from shared.sweeping.fill import Fill
from shared.sweeping.sweep import Sweep
from shared.sweeping.user_queue import UserQueue
from shared.telemetry import metrics
from shared.telemetry.log_text import loggable, place
from shared.uninstalling.uninstall import Uninstall

log = logging.getLogger("photosync")

_STOPPED = (
    "The app stopped every time it worked on this message. Look for upkeep.crashed in the log. "
    "The next sweep or renewal does not depend on this message, and a sweep checks everybody."
)
_HALTED = "PhotoSync is being uninstalled."


# Messages of a bundle sent at once: if storage refuses one, no more than these are queued twice.
_SENT_AT_ONCE = 64


class End(NamedTuple):
    """How an order ended: one of the results in `order`, and the details."""

    result: str
    detail: str = ""


_DONE = End(orders.DONE)


class Upkeep:
    """One per process; threads share it."""

    def __init__(
        self,
        keeper: SubscriptionKeeper,
        sweep: Sweep,
        fill: Fill,
        audit: Audit,
        uninstall: Uninstall,
        store: Store,
        queue: DelayedQueue,
        order_log: OrderLog,
        users: UserQueue,
        *,
        lengths: Callable[[], dict[str, int]],
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        """*lengths* counts the messages of each queue."""
        self._keeper = keeper
        self._sweep = sweep
        self._fill = fill
        self._audit = audit
        self._uninstall = uninstall
        self._store = store
        self._queue = queue
        self._orders = order_log
        self._users = users
        self._lengths = lengths
        self._clock = clock
        self._jitter = jitter
        self._new_id = new_id
        self._work = self._kinds()

    def _kinds(self) -> dict[str, Callable[[UpkeepMessage], End | None]]:
        """The function that handles each kind of message."""
        keeper, sweep, fill = self._keeper, self._sweep, self._fill
        audit, uninstall = self._audit, self._uninstall
        return {
            upkeep_message.RENEW: lambda message: keeper.keep(),
            upkeep_message.LIFECYCLE: self._handle_lifecycle,
            upkeep_message.BUNDLE: self._split_bundle,
            upkeep_message.SWEEP: lambda message: self._start_sweep(again=message.attempt > 1),
            upkeep_message.SWEEP_PAGE: lambda one: sweep.process(one.sweep_id, one.page),
            upkeep_message.REMOVALS: lambda one: sweep.removals.queue(one.sweep_id),
            upkeep_message.FILL: lambda one: fill.process(one.sweep_id, one.page),
            upkeep_message.AUDIT: lambda message: audit.wake(),
            upkeep_message.AUDIT_PAGE: lambda one: audit.process(one.audit_id, one.page),
            upkeep_message.REPAIRS: lambda one: audit.repairs.queue(one.audit_id),
            upkeep_message.UNINSTALL: lambda one: uninstall.process(one.uninstall_id, one.page),
        }

    def process(self, body: bytes, *, redelivered: bool = False, message_id: str = "") -> None:
        """
        Do what *body* asks for, and log one event about it.

        A *redelivered* message belongs to a run that died or raised. The queue's *message_id*
        identifies an order that was typed.

        What can succeed later becomes a new message with a delay; what cannot is recorded for the
        console and ends the message. Raises only unforeseen errors.
        """
        try:
            message = upkeep_message.parse(body, now=self._clock())
        except BadMessage as error:
            self._set_aside(body, str(error))
            log.warning('upkeep.unreadable why="%s"', error)
            return
        if redelivered:
            message = message.again(self._clock())
        try:
            message = self._signed(message, message_id)
            self._write_end(message, self._do(message))
        except (TryLater, GiveUp) as error:
            self._end(message, error)
        except Exception as error:
            log.error(
                "upkeep.crashed kind=%s error=%s at=%s",
                message.kind,
                type(error).__name__,
                place(error),
            )
            # The message may come back and end differently. But a typed one comes back as it was
            # typed: once the host gives it up, it can no longer be matched to this order.
            why = f"PhotoSync stopped: {type(error).__name__}."
            self._write_end(message, End(orders.FAILED, why))
            raise

    def park(self, body: bytes) -> None:
        """
        Store a message that the host gave up on for the console to list, and log one event.

        Raises ServiceDown, AccessDenied.
        """
        self._set_aside(body, _STOPPED)
        log.error('upkeep.parked why="%s"', _STOPPED)
        try:
            message = upkeep_message.parse(body, now=self._clock())
        except BadMessage:
            return
        self._write_end(message, End(orders.FAILED, _STOPPED))

    def _signed(self, message: UpkeepMessage, message_id: str) -> UpkeepMessage:
        """The message, entered in the log of orders if it is an order that is not there yet."""
        if not message.is_unsigned_order:
            return message
        named = message_id if signed.is_id(message_id) else self._new_id()
        message = replace(message, by=Signature(QUEUE), order_id=message.order_id or named)
        return replace(message, ordered_in=self._orders.give(_order(message)))

    def _write_end(self, message: UpkeepMessage, end: End | None) -> None:
        """Record the end of an order in the log."""
        if message.ordered_in and message.order_id:
            result, detail = end or _DONE
            self._orders.end(_order(message), message.ordered_in, result, detail)

    def _set_aside(self, body: bytes, reason: str) -> None:
        set_aside(self._store, body, reason, now=self._clock(), new_id=self._new_id)

    def _start_sweep(self, *, again: bool) -> End:
        # Before the sweep fills them: count what the previous sweep left over.
        self._count_queues()
        self._fill.revive()
        return End(orders.BEGUN, self._sweep.start(again=again))

    def _do(self, message: UpkeepMessage) -> End | None:
        if message.kind != upkeep_message.UNINSTALL and self._uninstall.is_on():
            return self._skip(message)
        return self._work[message.kind](message)

    def _skip(self, message: UpkeepMessage) -> End:
        """Skip the work: PhotoSync is being uninstalled."""
        log.info("upkeep.halted kind=%s", message.kind)
        # A later sweep or audit, if any, starts from the beginning and does not continue this one.
        if message.sweep_id:
            self._sweep.fail(message.sweep_id, _HALTED)
        if message.audit_id:
            self._audit.fail(message.audit_id, _HALTED)
        if message.kind == upkeep_message.SWEEP:
            self._uninstall.go_on()
        return End(orders.HALTED, _HALTED)

    def _count_queues(self) -> None:
        lengths = sorted(self._lengths().items())
        log.info("queues.counted %s", " ".join(f"{name}={count}" for name, count in lengths))

    def _handle_lifecycle(self, message: UpkeepMessage) -> None:
        """Handle a lifecycle event (graph.md section 2); only REAUTHORIZE is promised for users."""
        if not self._keeper.knows(message.subscription_id):
            log.info("subscription.foreign event=%s", message.event)
            return
        log.info("subscription.lifecycle event=%s", message.event)
        if message.event == upkeep_message.MISSED:
            moment = message.first_queued_at or self._clock()
            self._sweep.make_up_for(moment, again=message.attempt > 1)
            return
        is_removed = message.event == upkeep_message.REMOVED
        try:
            self._keeper.keep(
                reauthorize=not is_removed, removed=message.subscription_id if is_removed else ""
            )
        except ClaimLost as error:
            # This run may have deleted the subscription that the other one recorded, and the id in
            # this message is no longer the recorded one.
            renew = replace(message, kind=upkeep_message.RENEW, event="", subscription_id="")
            self._end(replace(renew, by=Signature(APP)), error)

    def _split_bundle(self, message: UpkeepMessage) -> None:
        """
        Queue one message per user, as if the webhook had queued each.

        A user queued twice, because the run died or storage failed, is checked twice, without harm.
        """
        first = message.first_queued_at or self._clock()
        named = message.correlation_id or self._new_id()
        for start in range(0, len(message.user_ids), _SENT_AT_ONCE):
            left = message.user_ids[start:]
            try:
                self._users.send(
                    SyncMessage(user_id, NOTIFICATION, False, 1, first, _bundled_id(named, user_id))
                    for user_id in left[:_SENT_AT_ONCE]
                )
            except TryLater as error:
                self._end(replace(message, user_ids=left, correlation_id=named), error)
                return
        log.info("bundle.spread users=%d correlation=%s", len(message.user_ids), named)

    def _end(self, message: UpkeepMessage, error: TryLater | GiveUp) -> None:
        now = self._clock()
        end = decide(
            error,
            attempt=message.attempt,
            first_queued_at=message.first_queued_at or now,
            now=now,
            jitter=self._jitter,
        )
        if isinstance(end, Wait):
            self._requeue(message, end, now)
        else:
            self._give_up(message, end)

    def _requeue(self, message: UpkeepMessage, end: Wait, now: datetime) -> None:
        self._queue.send(message.again(now).to_json(), delay_seconds=end.seconds)
        log.info(
            'upkeep.waiting kind=%s retryIn=%.1f service=%s why="%s"',
            message.kind,
            end.seconds,
            end.service,
            loggable(end.sentence),
        )
        metrics.waits.add(1, {"service": end.service})

    def _give_up(self, message: UpkeepMessage, end: Done) -> None:
        if message.sweep_id and message.kind != upkeep_message.FILL:
            self._sweep.fail(message.sweep_id, end.sentence)
        if message.audit_id:
            self._audit.fail(message.audit_id, end.sentence)
        if message.uninstall_id:
            self._uninstall.fail(message.uninstall_id, end.sentence)
        if message.is_unsigned_order or message.kind == upkeep_message.BUNDLE:
            # The log of orders has no entry for it.
            self._set_aside(message.to_json().encode(), end.sentence)
        self._write_end(message, End(orders.FAILED, end.sentence))
        log.error('upkeep.failed kind=%s why="%s"', message.kind, loggable(end.sentence))


def _bundled_id(bundle: str, user_id: str) -> str:
    """A user's correlation id in a bundle: unique to the user, and the same in every repeat."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{bundle}/{user_id}"))


def _order(message: UpkeepMessage) -> Order:
    """The order in *message*; kinds of messages and of orders have the same names."""
    return Order(message.kind, message.by or Signature(QUEUE), message.order_id)
