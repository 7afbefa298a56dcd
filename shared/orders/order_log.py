"""
The log of orders: who ordered what, when, for whom, and how it ended. It is append-only.

One file a month, `2026-11.jsonl`, and another, `2026-11.2.jsonl`, when that is full. An order is
logged before it is carried out, so that none is carried out unsigned. If the log cannot be written,
the order is refused and the person tries again; the queue in the same account would hardly work
either. The end goes into the file of its order, so that one file holds all about an order. If the
end cannot be written, the order was carried out nevertheless, and the app's log says so.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Protocol

from shared.errors import Full, PhotoSyncError, ServiceDown
from shared.messages.signed import ORDER_FILE
from shared.orders import order as orders
from shared.orders.order import Order, Read
from shared.telemetry.log_text import loggable

log = logging.getLogger("photosync")

# Lines per file before the next begins; each order is followed by its end. A blob takes 50,000.
MOST_LINES = 5_000
# Bytes read from a file, at most: several times what it holds.
MOST_BYTES = 32 * 1024 * 1024
# More full files in a row than this were put there by somebody else.
_TRIES = 5
_SUFFIX = ".jsonl"


class Lines(Protocol):
    """See AppendBlobs."""

    def append(self, name: str, line: bytes, *, make: bool = True) -> int: ...
    def read(self, name: str, most: int) -> bytes: ...
    def names(self) -> list[str]: ...


class File(NamedTuple):
    """A month such as 2026-11, and the number of its file, from 1. They sort by time."""

    month: str
    part: int

    def __str__(self) -> str:
        return self.month if self.part == 1 else f"{self.month}.{self.part}"


def file_of(name: str) -> File | None:
    """The file with this name, given without its extension; None for any other name."""
    found = ORDER_FILE.fullmatch(name)
    return File(found[1], int(found[2] or 1)) if found else None


class OrderLog:
    """One per process; threads share it."""

    def __init__(
        self, lines: Lines, *, clock: Callable[[], datetime], most_lines: int = MOST_LINES
    ) -> None:
        self._lines = lines
        self._clock = clock
        self._most_lines = most_lines
        self._lock = threading.Lock()
        self._current: File | None = None

    def give(self, order: Order) -> str:
        """
        Log *order* before it is carried out, and return the file that it is in.

        Raises ServiceDown, AccessDenied: then it must not be carried out.
        """
        file = self._add(orders.given(order, self._clock()))
        _log_given(order)
        return str(file)

    def refuse(self, order: Order, why: PhotoSyncError) -> None:
        """Record that *order* was refused, if the log can be written."""
        line = orders.given(order, self._clock(), result=orders.REFUSED, detail=str(why))
        _log_given(order)
        try:
            self._add(line)
        except PhotoSyncError as error:
            _log_unwritten(order, error)
        _log_ended(order, orders.REFUSED, str(why))

    def end(self, order: Order, file: str, result: str, detail: str = "") -> None:
        """Record how *order*, which is in *file*, ended, if the log can be written."""
        line = orders.ended(order, self._clock(), result=result, detail=detail)
        try:
            self._add_to(file, line)
        except PhotoSyncError as error:
            _log_unwritten(order, error)
        _log_ended(order, result, detail)

    def files(self) -> list[File]:
        """All files, the newest first. Raises ServiceDown, AccessDenied."""
        names = (each.removesuffix(_SUFFIX) for each in self._lines.names())
        return sorted((file for name in names if (file := file_of(name))), reverse=True)

    def read(self, file: File) -> Read:
        """All orders of a file. Raises ServiceDown, AccessDenied."""
        found = orders.read(self._lines.read(f"{file}{_SUFFIX}", MOST_BYTES))
        if found.damaged:
            log.warning("orders.damaged file=%s lines=%d", file, found.damaged)
        return found

    def _add_to(self, file: str, line: bytes) -> None:
        try:
            # A forged message may name any file: create none for it.
            self._lines.append(f"{file}{_SUFFIX}", line, make=False)
        except Full:
            self._add(line)

    def _add(self, line: bytes) -> File:
        """Add *line* to the newest file of this month."""
        file = self._newest()
        for _ in range(_TRIES):
            try:
                count = self._lines.append(f"{file}{_SUFFIX}", line)
            except Full:
                file = self._after(file)
                continue
            if count >= self._most_lines:
                self._after(file)
            return file
        raise ServiceDown("The log of orders is full for this month.", service="storage")

    def _newest(self) -> File:
        month = f"{self._clock():%Y-%m}"
        with self._lock:
            if self._current and self._current.month == month:
                return self._current
        # Not under the lock: other threads would wait for our storage call.
        newest = max((file for file in self.files() if file.month == month), default=None)
        return self._is_at_least(newest or File(month, 1))

    def _after(self, file: File) -> File:
        """The file after *file*, or a later one that another thread already uses."""
        return self._is_at_least(file._replace(part=file.part + 1))

    def _is_at_least(self, file: File) -> File:
        with self._lock:
            self._current = max(self._current or file, file)
            return self._current


def _log_given(order: Order) -> None:
    # By id and not by name: an address does not go into the log.
    log.info(
        "order.given order=%s via=%s by=%s user=%s correlation=%s",
        order.kind,
        order.by.via,
        order.by.id or "-",
        order.user_id or "-",
        order.id,
    )


def _log_ended(order: Order, result: str, detail: str) -> None:
    log.info(
        'order.ended order=%s via=%s by=%s user=%s correlation=%s result=%s why="%s"',
        order.kind,
        order.by.via,
        order.by.id or "-",
        order.user_id or "-",
        order.id,
        result,
        loggable(detail),
    )


def _log_unwritten(order: Order, error: PhotoSyncError) -> None:
    log.error(
        'order.unwritten order=%s correlation=%s why="%s"',
        order.kind,
        order.id,
        loggable(str(error)),
    )
