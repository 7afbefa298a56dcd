"""
How many profile calls a tenant may make in five minutes: as set, or by the tenant's size class.

The class depends on the number of licences that the organization has bought (sharepoint.md section
5, documented). If Graph does not say, the number of users in the last sweep counts instead, and
without a sweep the smallest class.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

from shared.errors import PhotoSyncError
from shared.telemetry.log_text import loggable

log = logging.getLogger("photosync")

# Pairs: the most licences of a class, and the calls to PeopleManager per tenant in five minutes.
CLASSES = ((1_000, 3_000), (5_000, 6_000), (15_000, 9_000), (50_000, 12_000))
LARGEST_CLASS = 15_000
SMALLEST_CLASS = CLASSES[0][1]
# In seconds: after this time the first instance to need the limit determines it again, because a
# first sweep counts more and more users.
_VALID_FOR = 900.0


def calls_of_class(licences: int) -> int:
    """The calls that SharePoint allows a tenant with so many *licences* in five minutes."""
    return next((calls for most, calls in CLASSES if licences <= most), LARGEST_CLASS)


class TenantLimit:
    """*fixed* calls; if 0, determined by *licences*, or by *users* if that returns None."""

    def __init__(
        self, fixed: int, licences: Callable[[], int | None], users: Callable[[], int]
    ) -> None:
        self._fixed = fixed
        self._licences = licences
        self._users = users
        self.last = fixed or SMALLEST_CLASS
        # The limit that we determined ourselves, and when; it may not be in the ledger yet.
        self._own = 0, -math.inf

    def of(self, fields: Mapping[str, Any], now: float) -> tuple[int, float]:
        """The limit, and when it was determined (0: set); *fields* are those of the ledger."""
        if self._fixed:
            return self._fixed, 0.0
        limit, found_at = fields.get("limit"), fields.get("limitFoundAt")
        if type(limit) is int and 0 < limit <= LARGEST_CLASS:
            self.last = limit
            # Compare only, without arithmetic: a typed number may exceed the range of floats.
            if isinstance(found_at, int | float) and now - _VALID_FOR < found_at <= now:
                return limit, found_at
        if not 0 <= now - self._own[1] < _VALID_FOR:
            self._own = self._found(), now
        self.last = self._own[0]
        return self._own

    def _found(self) -> int:
        try:
            licences, by = self._licences(), "licences"
            if licences is None:
                licences, by = self._users(), "users"
        except PhotoSyncError as error:
            # Most likely unchanged; it is determined again soon.
            log.warning('budget.class-unknown why="%s"', loggable(str(error)))
            return self.last
        limit = calls_of_class(licences)
        log.info("budget.class calls=%d by=%s counted=%d", limit, by, licences)
        return limit
