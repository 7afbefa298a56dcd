"""
How many users sweeps may send to the worker: what Microsoft allows, less a share for others.

Pure. Two limits are the tenant's class's (sharepoint.md section 5): profile calls in five minutes,
and the app's resource units in a minute and in a day. Both grow alike from class to class, so the
first number tells the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

# A first copy: the profile is read, and all its properties are written by one call.
PROFILE_CALLS_A_COPY, UPLOADS_A_COPY = 2, 3
# Without writing, the profile is read all the same.
PROFILE_CALLS_A_LOOK = 1
# Inferred: only Graph's calls have a documented price, of 1 or 2.
UNITS_A_CALL = 2
# For each profile call in five minutes, in every class of tenant alike (documented).
UNITS_A_MINUTE, UNITS_A_DAY = 5 / 12, 400
# More than this no tenant is allowed: what "no limit" means here.
LARGEST = 15_000
# The rest is for changes, whom nobody asks to wait, and for audits.
SHARE = 0.84
# Where more messages than this part of a minute's came to wait since the last step, somebody is
# throttled, or many people change something. Then a fill slows down, step by step, but never to
# nothing; and comes back slowly. Messages that have waited before, for mailboxes in trouble, say,
# slow nothing down.
_MORE, _SLOWER, _FASTER_PERCENT, _LEAST_PERCENT = 0.1, 0.5, 1, 10
# A step that comes late makes up for no more than this.
_LONGEST_STEP = timedelta(minutes=2)

# Of a small tenant some are at work at any moment.
_FEW = 20

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@dataclass(frozen=True)
class Pace:
    """
    The pace of a tenant that may make so many profile calls in five minutes; 0: the largest.

    Who is sent is copied for the first time, or with *dry_run* only looked at.
    """

    profile_calls: int
    dry_run: bool = False

    @property
    def a_minute(self) -> int:
        """How many users in a minute, one at least."""
        by_profiles = self._allowed / 5 / self._profile_calls_a_user
        by_units = self._allowed * UNITS_A_MINUTE / self._units_a_user
        return max(1, int(min(by_profiles, by_units) * SHARE))

    @property
    def a_day(self) -> int:
        """How many users in any day, one at least."""
        return max(1, int(self._allowed * UNITS_A_DAY / self._units_a_user * SHARE))

    def room(self, *, sent: int, age: timedelta, since: timedelta, percent: int) -> int:
        """
        How many more users may be sent now by who has sent so many since *age* ago.

        *since* is how long ago the last ones were sent, *percent* how much of the pace is taken.
        Sent at one pace from its beginning, a day's sum stays a day's in any 24 hours.
        """
        minutes = min(max(since, timedelta()), _LONGEST_STEP) / MINUTE
        by_time = max(1, self.a_minute * percent / 100) * minutes
        by_day = self.a_day * (1 + max(age, timedelta()) // DAY) - sent
        return max(0, int(min(by_time, by_day)))

    def next_percent(self, percent: int, *, waiting: int, before: int) -> int:
        """
        How much of the pace to take after *percent* of it.

        So many messages are *waiting* now, and so many were *before* the last ones were sent.
        """
        many = self.a_minute * _MORE + _FEW
        if waiting - before > many:
            return max(_LEAST_PERCENT, int(percent * _SLOWER))
        if many < waiting < before:
            return percent
        return min(100, percent + _FASTER_PERCENT)

    @property
    def _allowed(self) -> int:
        return self.profile_calls or LARGEST

    @property
    def _profile_calls_a_user(self) -> int:
        return PROFILE_CALLS_A_LOOK if self.dry_run else PROFILE_CALLS_A_COPY

    @property
    def _units_a_user(self) -> int:
        uploads = 0 if self.dry_run else UPLOADS_A_COPY
        return (self._profile_calls_a_user + uploads) * UNITS_A_CALL
