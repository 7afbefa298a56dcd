"""Microsoft's limits for one app in the largest tenants, as documented; windows slide."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from shared.sweeping.pace import PROFILE_CALLS_A_COPY, UPLOADS_A_COPY

# sharepoint.md section 5, the last class.
PROFILE_CALLS, PROFILE_WINDOW = 15_000, 300.0
UNITS, UNITS_WINDOW = 6_250, 60.0
UNITS_A_DAY, DAY = 6_000_000, 86_400.0
# Inferred: only Graph's calls have a documented price, of 1 or 2.
UNITS_A_CALL = 2


class Window:
    """At most *limit* requests in any *seconds*."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self.largest = 0
        self._lately: deque[tuple[float, int]] = deque()
        self._sum = 0

    def taken(self, now: float) -> int:
        """The number taken in the window that ends now."""
        while self._lately and self._lately[0][0] <= now - self.seconds:
            self._sum -= self._lately.popleft()[1]
        return self._sum

    def take(self, now: float, many: int) -> None:
        """Count *many* requests, whether answered or refused."""
        self._lately.append((now, many))
        self._sum += many
        self.largest = max(self.largest, self._sum)

    def seconds_until(self, now: float, many: int) -> float:
        """Seconds until *many* more are within the limit, at least 1.0; 0.0 if they are now."""
        over = self.taken(now) + many - self.limit
        if over <= 0:
            return 0.0
        for begun, count in self._lately:
            over -= count
            if over <= 0:
                return max(1.0, begun + self.seconds - now)
        return self.seconds


@dataclass(frozen=True)
class Cost:
    """The calls to SharePoint of one run for a user."""

    profile_calls: int
    uploads: int

    def units(self, a_call: int = UNITS_A_CALL) -> int:
        """Its resource units, if each call to SharePoint costs *a_call*."""
        return (self.profile_calls + self.uploads) * a_call

    @property
    def steps(self) -> list[tuple[int, int]]:
        """Profile calls and uploads that are made together, in order: the timestamp comes last."""
        first, later = min(1, self.profile_calls), max(0, self.profile_calls - 1)
        steps = [(first, 0), (0, self.uploads), *[(1, 0)] * later]
        return [step for step in steps if any(step)]


# As counted by `make bench ONLY=calls`.
FIRST_COPY = Cost(profile_calls=PROFILE_CALLS_A_COPY, uploads=UPLOADS_A_COPY)
CHANGED_COPY = Cost(profile_calls=2, uploads=3)
LOOK = Cost(profile_calls=0, uploads=0)


class TenantLimits:
    """
    SharePoint's limits together; refused calls count too (sharepoint.md section 5, documented).

    Graph's are left out, because nothing comes near them: 130,000 requests in 10 s (graph.md
    section 4).
    """

    def __init__(self, units_a_call: int = UNITS_A_CALL) -> None:
        self._units_a_call = units_a_call
        self.profiles = Window(PROFILE_CALLS, PROFILE_WINDOW)
        self.units = Window(UNITS, UNITS_WINDOW)
        self.day = Window(UNITS_A_DAY, DAY)
        self.refused = 0

    def ask(self, now: float, *, profile_calls: int, uploads: int) -> float:
        """Make calls to SharePoint: 0.0 if they are answered, else Retry-After."""
        calls = profile_calls + uploads
        units = calls * self._units_a_call
        wants = [(self.units, units), (self.day, units)]
        if profile_calls:
            wants.append((self.profiles, profile_calls))
        wait = max(window.seconds_until(now, many) for window, many in wants)
        for window, many in wants:
            window.take(now, many)
        self.refused += calls if wait else 0
        return wait

    def headers(self, now: float) -> dict[str, str]:
        """The headers about remaining units, from 80 % usage on (documented, as above)."""
        left = self.units.limit - self.units.taken(now)
        if left >= 0.2 * self.units.limit:
            return {}
        # It is undocumented whether a minute slides; this assumes it does, the longest wait.
        values = {"Limit": self.units.limit, "Remaining": max(0, left), "Reset": UNITS_WINDOW}
        return {f"RateLimit-{name}": f"{number:.0f}" for name, number in values.items()}


def fewest_seconds(users: int, cost: Cost, units_a_call: int = UNITS_A_CALL) -> dict[str, float]:
    """The seconds that each limit alone needs for *users* runs of one cost."""
    units = users * cost.units(units_a_call)
    return {
        "profile calls": users * cost.profile_calls / PROFILE_CALLS * PROFILE_WINDOW,
        "resource units": units / UNITS * UNITS_WINDOW,
        # A day's units may be used at once, and then the next day's.
        "resource units a day": max(0.0, units / UNITS_A_DAY - 1) * DAY,
    }
