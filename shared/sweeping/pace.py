"""
How many users sweeps may send to the worker: Microsoft's limits, less a reserve for other calls.

Pure. Two limits depend on the tenant's class (sharepoint.md section 5): profile calls in five
minutes, and the app's resource units in a minute and in a day. Both grow alike from class to class,
so the first number gives the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

# A first copy reads the profile once, and writes all its properties in one call.
PROFILE_CALLS_A_COPY, UPLOADS_A_COPY = 2, 3
# A dry run still reads the profile.
PROFILE_CALLS_A_CHECK = 1
# Inferred: a price is documented only for Graph's calls, 1 or 2 units.
UNITS_A_CALL = 2
# Per profile call allowed in five minutes; the same in every class of tenant (documented).
UNITS_A_MINUTE, UNITS_A_DAY = 5 / 12, 400
# No tenant is allowed more: what "no limit" means here.
LARGEST = 15_000
# The rest is for changes, which never wait, and for audits.
SHARE = 0.84
# If the backlog grew by more than this part of a minute's pace since the last step, calls are being
# throttled or many people are changing photos. Then a fill slows down step by step, but never
# stops, and speeds up again slowly. Messages that waited before, e.g. for failing mailboxes, do not
# slow it down.
_MORE, _SLOWER, _FASTER_PERCENT, _LEAST_PERCENT = 0.1, 0.5, 1, 10
# A late step makes up for no more than this.
_LONGEST_STEP = timedelta(minutes=2)

# Even a small tenant has a few messages in progress at any moment.
_FEW = 20

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@dataclass(frozen=True)
class Pace:
    """
    The pace of a tenant that allows `profile_calls` in five minutes; 0: the largest limit.

    Each user sent is copied for the first time, or, with *dry_run*, only checked.
    """

    profile_calls: int
    dry_run: bool = False

    @property
    def a_minute(self) -> int:
        """Users per minute, at least one."""
        by_profiles = self._allowed / 5 / self._profile_calls_a_user
        by_units = self._allowed * UNITS_A_MINUTE / self._units_a_user
        return max(1, int(min(by_profiles, by_units) * SHARE))

    @property
    def a_day(self) -> int:
        """Users in any 24 hours, at least one."""
        return max(1, int(self._allowed * UNITS_A_DAY / self._units_a_user * SHARE))

    def room(self, *, sent: int, age: timedelta, since: timedelta, percent: int) -> int:
        """
        How many more users a fill that began *age* ago and has sent *sent* may send now.

        *since* is the time since it last sent any, *percent* the part of the pace to use. At a
        constant pace from the beginning, the daily limit holds in any 24 hours.
        """
        minutes = min(max(since, timedelta()), _LONGEST_STEP) / MINUTE
        by_time = max(1, self.a_minute * percent / 100) * minutes
        by_day = self.a_day * (1 + max(age, timedelta()) // DAY) - sent
        return max(0, int(min(by_time, by_day)))

    def next_percent(self, percent: int, *, waiting: int, before: int) -> int:
        """
        The percentage of the pace to use after *percent*.

        *waiting* messages are in the queue now, *before* were there before users were last sent.
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
        return PROFILE_CALLS_A_CHECK if self.dry_run else PROFILE_CALLS_A_COPY

    @property
    def _units_a_user(self) -> int:
        uploads = 0 if self.dry_run else UPLOADS_A_COPY
        return (self._profile_calls_a_user + uploads) * UNITS_A_CALL
