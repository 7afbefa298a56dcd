"""Microsoft's limits for one app in the largest tenants, as documented; windows slide."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

# sharepoint.md section 5, the last class; graph.md section 4.
PROFILE_CALLS, PROFILE_WINDOW = 15_000, 300.0
UNITS, UNITS_WINDOW = 6_250, 60.0
UNITS_A_DAY, DAY = 6_000_000, 86_400.0
GRAPH_REQUESTS, GRAPH_WINDOW = 130_000, 10.0
# Inferred: only Graph's calls have a documented price, of 1 or 2.
UNITS_A_CALL = 2
_PIECES = 300


class Window:
    """At most *limit* in any *seconds*, counted in steps of a three-hundredth: slightly strict."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self.largest = 0
        self._piece = seconds / _PIECES
        self._pieces: deque[tuple[int, int]] = deque()
        self._sum = 0

    def taken(self, now: float) -> int:
        """The number taken in the window that ends now."""
        oldest = int(now / self._piece) - _PIECES
        while self._pieces and self._pieces[0][0] < oldest:
            self._sum -= self._pieces.popleft()[1]
        return self._sum

    def take(self, now: float, many: int) -> None:
        """Count *many* requests, whether answered or refused."""
        piece = int(now / self._piece)
        if self._pieces and self._pieces[-1][0] == piece:
            many_before = self._pieces.pop()[1]
            self._pieces.append((piece, many_before + many))
        else:
            self._pieces.append((piece, many))
        self._sum += many
        self.largest = max(self.largest, self._sum)

    def seconds_until(self, now: float, many: int) -> float:
        """Seconds until *many* more are within the limit; 0.0 if they are now."""
        over = self.taken(now) + many - self.limit
        if over <= 0:
            return 0.0
        for piece, count in self._pieces:
            over -= count
            if over <= 0:
                return max(1.0, (piece + _PIECES + 1) * self._piece - now)
        return self.seconds


@dataclass(frozen=True)
class Cost:
    """The calls of one run for a user."""

    graph: int
    profile_calls: int
    uploads: int

    def units(self, a_call: int = UNITS_A_CALL) -> int:
        """Its resource units, if each call to SharePoint costs *a_call*."""
        return (self.profile_calls + self.uploads) * a_call


class TenantLimits:
    """All limits together. Refused calls count too (sharepoint.md section 5, documented)."""

    def __init__(self, units_a_call: int = UNITS_A_CALL) -> None:
        self._units_a_call = units_a_call
        self.profiles = Window(PROFILE_CALLS, PROFILE_WINDOW)
        self.units = Window(UNITS, UNITS_WINDOW)
        self.day = Window(UNITS_A_DAY, DAY)
        self.graph = Window(GRAPH_REQUESTS, GRAPH_WINDOW)
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
        told = {"Limit": self.units.limit, "Remaining": max(0, left), "Reset": UNITS_WINDOW}
        return {f"RateLimit-{name}": f"{number:.0f}" for name, number in told.items()}

    def ask_graph(self, now: float, requests: int) -> None:
        """
        Requests of a batch count one by one. This limit is only watched: nothing comes near it.
        """
        self.graph.taken(now)
        self.graph.take(now, requests)


def fewest_seconds(users: int, cost: Cost, units_a_call: int = UNITS_A_CALL) -> dict[str, float]:
    """The seconds that each limit alone needs for *users* runs of one cost."""
    units = users * cost.units(units_a_call)
    return {
        "profile calls": users * cost.profile_calls / PROFILE_CALLS * PROFILE_WINDOW,
        "resource units": units / UNITS * UNITS_WINDOW,
        # A day's units may be used at once, and then the next day's.
        "resource units a day": max(0.0, units / UNITS_A_DAY - 1) * DAY,
        "Graph's requests": users * cost.graph / GRAPH_REQUESTS * GRAPH_WINDOW,
    }
