"""How moments are written and read: ISO 8601, in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime


def read(text: str) -> datetime:
    """
    The moment that *text* says, in UTC; without a zone it is taken as UTC.

    Raises ValueError, TypeError and OverflowError for anything else.
    """
    # Graph writes seven digits of a second, one more than Python reads.
    moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
