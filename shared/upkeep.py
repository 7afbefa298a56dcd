"""Works off one message of queue `photo-upkeep`: the subscription and the sweeps."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from shared import metrics, upkeep_messages
from shared.errors import BadMessage, GiveUp, TryLater
from shared.fates import GIVE_UP_AFTER
from shared.outcome import loggable, place
from shared.patience import backoff
from shared.state import Store
from shared.subscription_keeper import SubscriptionKeeper
from shared.sweep import Sweep
from shared.upkeep_messages import UpkeepMessage
from shared.worker import DelayedQueue

log = logging.getLogger("photosync")

_STOPPED = (
    "The app stopped every time it worked on this message. Look for upkeep.crashed in the log; "
    "the next sweep or renewal is a message of its own."
)


class Upkeep:
    """One per process; threads share it."""

    def __init__(
        self,
        keeper: SubscriptionKeeper,
        sweep: Sweep,
        store: Store,
        queue: DelayedQueue,
        *,
        lengths: Callable[[], dict[str, int]],
        clock: Callable[[], datetime],
        jitter: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        """*lengths* counts the messages of each queue."""
        self._keeper = keeper
        self._sweep = sweep
        self._store = store
        self._queue = queue
        self._lengths = lengths
        self._clock = clock
        self._jitter = jitter
        self._new_id = new_id

    def work_off(self, body: bytes) -> None:
        """
        Do what *body* asks for, and log one event about it.

        What can succeed later becomes a new message with a delay; what cannot is recorded where
        the console looks and ends the message. Raises only what nobody foresaw.
        """
        try:
            message = upkeep_messages.parse(body)
        except BadMessage as error:
            self._keep(body, str(error))
            log.warning('upkeep.unreadable why="%s"', error)
            return
        try:
            self._do(message)
        except TryLater as error:
            self._again(message, error)
        except GiveUp as error:
            self._give_up(message, error)
        except Exception as error:
            log.error(
                "upkeep.crashed kind=%s error=%s at=%s",
                message.kind,
                type(error).__name__,
                place(error),
            )
            raise

    def park(self, body: bytes) -> None:
        """
        Keep what the host gave up on where the console lists it, and log one event about it.

        Raises ServiceDown; the host tries again.
        """
        self._keep(body, _STOPPED)
        log.error('upkeep.parked why="%s"', _STOPPED)

    def _keep(self, body: bytes, reason: str) -> None:
        name = f"{self._clock():%Y-%m-%dT%H-%M-%S}-{self._new_id()}"
        self._store.keep_unreadable(name, body, reason)

    def _do(self, message: UpkeepMessage) -> None:
        match message.kind:
            case upkeep_messages.RENEW:
                self._keeper.keep()
            case upkeep_messages.LIFECYCLE:
                self._heed(message)
            case upkeep_messages.SWEEP:
                # Before it fills them: what is left over from the sweep before.
                self._count_queues()
                self._sweep.start()
            case upkeep_messages.SWEEP_PAGE:
                self._sweep.work_off(message.sweep_id, message.page)
            case _:  # removals: `parse` lets no other kind through
                self._sweep.queue_removals(message.sweep_id)

    def _count_queues(self) -> None:
        lengths = sorted(self._lengths().items())
        log.info("queues.counted %s", " ".join(f"{name}={count}" for name, count in lengths))

    def _heed(self, message: UpkeepMessage) -> None:
        """Lifecycle events (graph.md section 2): only reauthorization is promised for users."""
        log.info("subscription.lifecycle event=%s", message.event)
        match message.event:
            case "reauthorizationRequired":
                self._keeper.keep(reauthorize=True)
            case "subscriptionRemoved":
                self._keeper.keep(removed=message.subscription_id)
            case _:  # missed
                self._sweep.start()

    def _again(self, message: UpkeepMessage, error: TryLater) -> None:
        now = self._clock()
        if now - (message.first_queued_at or now) >= GIVE_UP_AFTER:
            self._give_up(message, GiveUp(f"Gave up after a day of waiting. {error}"))
            return
        seconds = backoff(message.attempt, asked=error.retry_after, jitter=self._jitter)
        self._queue.send(message.again(now).to_json(), delay_seconds=seconds)
        log.info(
            'upkeep.waiting kind=%s retryIn=%.1f service=%s why="%s"',
            message.kind,
            seconds,
            error.service,
            loggable(str(error)),
        )
        metrics.waits.add(1, {"service": error.service})

    def _give_up(self, message: UpkeepMessage, error: GiveUp) -> None:
        if message.sweep_id:
            self._sweep.fail(message.sweep_id, error)
        log.error('upkeep.failed kind=%s why="%s"', message.kind, loggable(str(error)))
