"""Parses timestamps: ISO 8601, in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime


def read(text: str) -> datetime:
    """
    Parse *text* as a time in UTC; a time without a zone counts as UTC.

    Raises ValueError, TypeError and OverflowError for anything else.
    """
    # Graph writes seven fractional digits of a second, one more than Python parses.
    moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
