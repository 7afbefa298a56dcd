"""Processes one message of queue `photo-sync`, whatever it contains and however it ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from shared.budget.work import Kind, doing
from shared.copying.outcome import Outcome, log_crash, log_outcome, log_parked
from shared.copying.run import Run
from shared.copying.successors import Successors
from shared.copying.sync import Sync
from shared.errors import BadMessage, PhotoSyncError, TryLater
from shared.messages import signed, sync_message
from shared.messages.disposition import Done, Wait, decide, wait
from shared.messages.sync_message import SyncMessage
from shared.orders.order import REPLAY, Order
from shared.orders.order_log import OrderLog
from shared.signature import APP, QUEUE, Signature
from shared.storage.delayed_queue import DelayedQueue
from shared.storage.unreadable import set_aside
from shared.storage.user_state import FAILED, NOT_TAKEN_BACK, Store
from shared.telemetry import calls
from shared.user import Directory, is_object_id

_STOPPED = (
    "The app stopped every time it worked on this message. "
    "Look for the exception in the log, then replay the user."
)

_QUEUED_TWICE = "The queue holds this message twice: the other one runs later."
_HALTED = (
    "PhotoSync is being uninstalled, so nothing is copied. "
    "Run manage.py uninstall --cancel to resume."
)


class Halt(Protocol):
    """Whether PhotoSync is being uninstalled; see `uninstalling`. Errors: ServiceDown."""

    def is_on(self) -> bool: ...
    def orders(self, uninstall_id: str) -> bool: ...


class Worker:
    """One per process; threads share it."""

    def __init__(
        self,
        sync: Sync,
        directory: Directory,
        store: Store,
        queue: DelayedQueue,
        halt: Halt,
        orders: OrderLog,
        *,
        clock: Callable[[], datetime],
        ticks: Callable[[], float],
        jitter: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._halt = halt
        self._orders = orders
        self._sync = sync
        self._directory = directory
        self._store = store
        self._queue = queue
        self._clock = clock
        self._ticks = ticks
        self._jitter = jitter
        self._new_id = new_id
        self._successors = Successors(ticks)

    def process(self, body: bytes, *, redelivered: bool = False, message_id: str = "") -> Outcome:
        """
        Bring the user that *body* names up to date, and log one event about it.

        A *redelivered* message belongs to a run that died, perhaps between two files. The queue's
        *message_id* identifies a typed message on redelivery.

        Raises unexpected exceptions, SettingsError, and ServiceDown if the message can neither be
        queued again nor set aside. The host then retries; in the end it goes to the poison queue.
        """
        began = self._ticks()
        with calls.noted() as made:
            outcome = self._end_of(body, redelivered, message_id)
        log_outcome(outcome, made, (self._ticks() - began) * 1000)
        return outcome

    def park(self, body: bytes) -> Outcome:
        """
        Record a message that the host gave up on: the user is `failed` and can be replayed.

        The poison queue keeps only the *body* of the message (functions.md, documented).
        Raises Conflict, ServiceDown, AccessDenied.
        """
        outcome = replace(self._park(body), event="parked")
        log_parked(outcome)
        return outcome

    def _park(self, body: bytes) -> Outcome:
        try:
            message = self._parse(body)
        except BadMessage as error:
            return self._set_aside(body, self._new_id(), str(error))
        if not is_object_id(message.user_id):
            return self._set_aside(body, message.correlation_id, _STOPPED)
        run = _run(message, message.user_id)
        end = _as_ordered(Done(FAILED, "poisoned", _STOPPED), message)
        self._sync.record(run, end, attempt=message.attempt)
        outcome = Outcome("parked", message.user_id, message.correlation_id, _STOPPED)
        self._write_end(message, outcome)
        return outcome

    def _end_of(self, body: bytes, redelivered: bool, message_id: str) -> Outcome:
        try:
            message = self._parse(body, message_id)
        except BadMessage as error:
            return self._set_aside(body, self._new_id(), str(error))
        if redelivered:
            # The state records that files were touched, unless it was deleted in the meantime and
            # another run has written a new one.
            message = replace(message, force=True)
        try:
            outcome = self._end_of_message(message, body)
        except Exception as error:
            log_crash(message, error)
            raise
        age = (self._clock() - message.first_queued_at).total_seconds()
        return replace(outcome, reason=message.reason, seconds=max(0.0, age))

    def _end_of_message(self, message: SyncMessage, body: bytes) -> Outcome:
        if seconds := self._successors.seconds_until(message):
            user = message.user_id if is_object_id(message.user_id) else "-"
            return Outcome("waiting", user, message.correlation_id, _QUEUED_TWICE, seconds)
        try:
            message = self._signed(message)
        except PhotoSyncError as error:
            return self._without_user(error, message, body)
        try:
            with doing(_kind(message)):
                outcome = self._carry_out(message, body)
        except Exception as error:
            # The message may be redelivered and end differently. But a typed one returns as it was
            # typed: once the host gives it up, nothing links it to this order.
            why = f"PhotoSync stopped: {type(error).__name__}."
            self._write_end(message, Outcome(FAILED, message.user_id, message.correlation_id, why))
            raise
        self._write_end(message, outcome)
        return outcome

    def _signed(self, message: SyncMessage) -> SyncMessage:
        """Add the message to the log of orders, if it is an order that is not in it yet."""
        if not message.is_unsigned_order:
            return message
        # Ignore what it says about its origin: the console writes to the log before it queues.
        message = replace(message, by=Signature(QUEUE))
        return replace(message, ordered_in=self._orders.give(_order(message, message.user_id)))

    def _write_end(self, message: SyncMessage, outcome: Outcome) -> None:
        """Write the end of an order to the log; an order that waits has not ended."""
        if message.ordered_in and outcome.event != "waiting":
            order = _order(message, outcome.user)
            self._orders.end(order, message.ordered_in, outcome.event, outcome.detail)

    def _carry_out(self, message: SyncMessage, body: bytes) -> Outcome:
        try:
            if self._is_halted(message):
                named = message.user_id if is_object_id(message.user_id) else "-"
                return Outcome("halted", named, message.correlation_id, _HALTED)
            user_id = self._object_id(message)
        except PhotoSyncError as error:
            return self._without_user(error, message, body)
        run = _run(message, user_id)
        try:
            work = self._sync.withdraw if message.uninstall_id else self._sync.bring_up_to_date
            event = work(run)
        except PhotoSyncError as error:
            return self._end(message, run, error)
        except Exception as error:
            # The host retries: the retry must not find the claim of this finished run.
            crashed = Done(FAILED, "crashed", f"PhotoSync stopped: {type(error).__name__}.")
            crashed = _as_ordered(crashed, message)
            with contextlib.suppress(PhotoSyncError):
                self._sync.record(run, crashed, attempt=message.attempt)
            raise
        return Outcome(event, run.user_id, message.correlation_id)

    def _without_user(self, error: PhotoSyncError, message: SyncMessage, body: bytes) -> Outcome:
        """End a message whose user is still unknown, so that no state can record the error."""
        end = self._disposition(error, message)
        if isinstance(end, Wait):
            return self._again(message, None, end)
        return self._set_aside(body, message.correlation_id, end.sentence)

    def _parse(self, body: bytes, message_id: str = "") -> SyncMessage:
        named = message_id if signed.is_id(message_id) else self._new_id()
        return sync_message.parse(body, now=self._clock(), correlation_id=named)

    def _is_halted(self, message: SyncMessage) -> bool:
        if message.uninstall_id:
            # The uninstall may have been cancelled since.
            return not self._halt.orders(message.uninstall_id)
        return self._halt.is_on()

    def _object_id(self, message: SyncMessage) -> str:
        if is_object_id(message.user_id):
            return message.user_id
        return self._directory.user(message.user_id).id

    def _disposition(self, error: PhotoSyncError, message: SyncMessage) -> Wait | Done:
        return decide(
            error,
            attempt=message.attempt,
            first_queued_at=message.first_queued_at,
            now=self._clock(),
            jitter=self._jitter,
        )

    def _end(self, message: SyncMessage, run: Run, error: PhotoSyncError) -> Outcome:
        end = self._disposition(error, message)
        if isinstance(end, Wait):
            return self._again(message, run, end)
        end = _as_ordered(end, message)
        try:
            self._sync.record(run, end, attempt=message.attempt)
        except TryLater as unrecorded:
            # The state has changed since it was read, so this run's findings may be out of date.
            end = wait(unrecorded, attempt=message.attempt, jitter=self._jitter)
            return self._again(message, run, end)
        return Outcome(end.status, run.user_id, message.correlation_id, end.sentence)

    def _again(self, message: SyncMessage, run: Run | None, end: Wait) -> Outcome:
        # First the new message, then the state: a crash in between costs a call, not a photo. If
        # another run has since written the state, or it was deleted, only this message records
        # that files were touched. So the message forces another copy, whatever the state says.
        again = message.again(force=run is not None and run.files_touched)
        began = self._ticks()
        self._queue.send(again.to_json(), delay_seconds=end.seconds)
        self._successors.add(again, sent_at=began, delay=end.seconds)
        if run:
            # Another run may have written the state; otherwise our claim expires by itself.
            with contextlib.suppress(TryLater):
                self._sync.record(run, end, attempt=message.attempt)
        # Never log a UPN; the correlation id identifies the message.
        user = run.user_id if run else "-"
        return Outcome(
            "waiting", user, message.correlation_id, end.sentence, end.seconds, end.service
        )

    def _set_aside(self, body: bytes, correlation_id: str, reason: str) -> Outcome:
        set_aside(self._store, body, reason, now=self._clock(), new_id=self._new_id)
        return Outcome("unreadable", "-", correlation_id, reason)


def _order(message: SyncMessage, user: str) -> Order:
    """The order in *message*, for *user*: an object id, a UPN, or a placeholder if unknown."""
    words = {"force": message.force, "replace": message.replace_chosen}
    return Order(
        REPLAY,
        message.by or Signature(QUEUE),
        message.correlation_id,
        user_id=user if is_object_id(user) else "",
        user_principal_name="" if is_object_id(message.user_id) else message.user_id,
        options=", ".join(word for word, is_set in words.items() if is_set),
    )


def _kind(message: SyncMessage) -> Kind:
    """What its profile calls are for: changes, and people who wait, take precedence."""
    # A sweep queues replays of all users who were out of scope, and nobody waits for these.
    is_sweeps = message.reason == REPLAY and message.by == Signature(APP)
    if message.uninstall_id or message.sweep_id or is_sweeps:
        return Kind.SWEEP
    return {"sweep": Kind.SWEEP, "audit": Kind.AUDIT}.get(message.reason, Kind.CHANGE)


def _run(message: SyncMessage, user_id: str) -> Run:
    """The run that *message* orders for the user with this object id."""
    asked = message.reason in sync_message.THOROUGH or message.replace_chosen
    return Run(
        user_id,
        message.force,
        by=message.correlation_id,
        removal=message.reason == "removal",
        thorough=asked,
        asked=asked,
        replace_chosen=message.replace_chosen,
        # A sweep may queue every user, though few have changed, and profile calls are scarce
        # (sharepoint.md section 5).
        reads_ahead=message.reason == "notification",
    )


def _as_ordered(end: Done, message: SyncMessage) -> Done:
    """Mark *end* of an uninstall's message so that the uninstall finds it and stops retrying."""
    return replace(end, status=FAILED, code=NOT_TAKEN_BACK) if message.uninstall_id else end
