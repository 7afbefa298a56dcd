"""How a message about a user ended, and how that is logged and counted."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from shared.messages.sync_message import SyncMessage
from shared.telemetry import metrics
from shared.telemetry.log_text import loggable, place

log = logging.getLogger("photosync")

_LEVELS = {"failed": logging.ERROR, "unreadable": logging.WARNING}


@dataclass(frozen=True)
class Outcome:
    """
    How a message ended: `event` is synced, unchanged, waiting, unreadable, parked or a status.

    `reason` is the message's, `seconds` the time since it was first queued, `service` the one that
    asked us to wait.
    """

    event: str
    user: str
    correlation_id: str
    detail: str = ""
    retry_in_seconds: float = 0.0
    service: str = ""
    reason: str = ""
    seconds: float = 0.0


def log_outcome(outcome: Outcome, calls: Sequence[str], ms: float) -> None:
    """Log one event about a processed message, with its number of calls to each service."""
    by_service = Counter(calls)
    log.log(
        _LEVELS.get(outcome.event, logging.INFO),
        "photo.%s user=%s correlation=%s graph=%d sharepoint=%d blob=%d ms=%d%s",
        outcome.event,
        outcome.user,
        outcome.correlation_id,
        by_service["graph"],
        by_service["sharepoint"],
        by_service["blob"],
        ms,
        _optional_fields(outcome),
    )
    metrics.photos.add(1, {"outcome": outcome.event})
    if outcome.event == "synced":
        metrics.change_duration.record(outcome.seconds, {"reason": outcome.reason})
    if outcome.service:
        metrics.waits.add(1, {"service": outcome.service})


def log_parked(outcome: Outcome) -> None:
    """Log one event about a message that the host gave up on."""
    log.error("photo.parked user=%s correlation=%s", outcome.user, outcome.correlation_id)
    metrics.photos.add(1, {"outcome": "parked"})


def log_crash(message: SyncMessage, error: Exception) -> None:
    """Log one event about an unexpected exception; the host then retries or gives up."""
    # The host's own record of it does not reach Application Insights (functions.md, Telemetry).
    log.error(
        "photo.crashed correlation=%s error=%s at=%s",
        message.correlation_id,
        type(error).__name__,
        place(error),
    )
    metrics.photos.add(1, {"outcome": "crashed"})


def _optional_fields(outcome: Outcome) -> str:
    """The fields that only some outcomes have."""
    fields = [
        f"reason={outcome.reason} seconds={outcome.seconds:.1f}"
        if outcome.event == "synced"
        else "",
        f"retryIn={outcome.retry_in_seconds:.1f}" if outcome.retry_in_seconds else "",
        f"service={outcome.service}" if outcome.service else "",
        f'why="{loggable(outcome.detail)}"' if outcome.detail else "",
    ]
    return "".join(f" {each}" for each in fields if each)
