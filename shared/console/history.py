"""What was ordered, newest first, page by page: for everyone, or for one user."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from shared import counts
from shared.errors import BadRequest
from shared.messages import signed
from shared.orders.order import Entry
from shared.orders.order_log import File, OrderLog, file_of

# An answer must come within seconds: a longer search continues with its token.
FILES_A_PAGE = 4
SIZE = 100
_NO_TOKEN = "This token is not from this list. Start again without a token."


class HistoryPage(NamedTuple):
    """Orders that match, the token for older ones, and how many lines of the log were damaged."""

    entries: list[Entry]
    token: str
    damaged: int


class History:
    """Reads the log of orders. Errors: ServiceDown, AccessDenied."""

    def __init__(self, log: OrderLog) -> None:
        self._log = log

    def page(
        self,
        matches: Callable[[Entry], bool],
        *,
        since: datetime | None = None,
        token: str = "",
        size: int = SIZE,
    ) -> HistoryPage:
        """
        Up to *size* orders that satisfy *matches*, none from before *since*, from up to
        FILES_A_PAGE files.

        A page may be short, or even empty, and still have a token. Raises BadRequest for a token
        that is not ours.
        """
        newest, below = _read(token)
        found: list[Entry] = []
        damaged = looked = 0
        for file in self._log.files():
            if (newest and file > newest) or (since and file.month < since.isoformat()[:7]):
                continue
            if looked == FILES_A_PAGE:
                return HistoryPage(found, _dump(file, counts.MOST), damaged)
            looked += 1
            read = self._log.read(file)
            damaged += read.damaged
            # A position counted from the beginning of the file: later additions do not move it.
            places = range(min(len(read.entries), below if file == newest else counts.MOST))
            for place in reversed(places):
                entry = read.entries[place]
                if (since and entry.at < since) or not matches(entry):
                    continue
                if len(found) == size:
                    return HistoryPage(found, _dump(file, place + 1), damaged)
                found.append(entry)
        return HistoryPage(found, "", damaged)


def shown(entry: Entry) -> dict[str, Any]:
    """An order as the console returns it."""
    order = entry.order
    return {
        "at": entry.at.isoformat(timespec="seconds"),
        "order": order.kind,
        "by": signed.by_fields(order.by),
        "userId": order.user_id,
        "userPrincipalName": order.user_principal_name,
        "options": order.options,
        "result": entry.result,
        "detail": entry.detail,
        "endedAt": entry.ended_at.isoformat(timespec="seconds") if entry.ended_at else "",
        "correlationId": order.id,
    }


def _dump(file: File, below: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([str(file), below]).encode()).decode()


def _read(token: str) -> tuple[File | None, int]:
    if not token:
        return None, 0
    try:
        name, below = json.loads(base64.urlsafe_b64decode(token.encode()))
        file = file_of(name)
        counts.read(below)
    except (ValueError, TypeError, RecursionError) as error:
        raise BadRequest(_NO_TOKEN) from error
    if file is None:
        raise BadRequest(_NO_TOKEN)
    return file, below
