"""
The fleet's account of one limit, as stored in a document: what was spent, and who holds what.

    {"spent": {"1760000005": {"CHANGE": 12, "SWEEP": 80}, …}, "held": {"<instance>": {…}}}

Times are storage's own, so that clocks of two machines are never compared. `spent` counts calls in
slots of some seconds. `held` is what an instance has drawn and may spend until a given time.

Why no five minutes exceed the limit: each draw counts all calls spent in the last five minutes and
all calls held, whether they will be spent or not. So spent + held <= limit after each draw, and
what is spent later was held then. What an instance still held when it died counts as spent at the
end of its hold.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from shared import counts
from shared.budget.work import Kind

# In seconds. PeopleManager's limits are per five minutes (sharepoint.md section 5, documented).
WINDOW, SLOT = 300.0, 5.0
# Storage's times are whole seconds, and a call arrives a little later than it was taken.
MARGIN = 5.0
# In seconds: other instances may give back the missing calls at any time, so check again.
ASK_AGAIN = 10.0
# Shares of the limit that lower kinds leave free: for work that has begun, for changes (as much
# again as they have spent recently, within these bounds), and for audits.
FOR_BEGUN, FOR_AUDITS = 0.03, 0.05
_FOR_CHANGES_LEAST, _FOR_CHANGES_MOST = 0.04, 0.30
# The share of their part of the limit that first copies may spend per so many seconds. The minimum
# lets a small tenant copy its few users without a pause.
_PACE, _PACE_LEAST, _PACE_WINDOW = 0.14, 1_000, 20.0


class _Bound(NamedTuple):
    """At most `most` calls in `seconds`, of one kind or of all kinds."""

    most: int
    seconds: float
    kind: Kind | None = None

    def counts(self, calls: Counter[Kind]) -> int:
        return calls.total() if self.kind is None else calls[self.kind]


@dataclass
class FleetLedger:
    """
    The ledger of one limited host. `share` is the largest share of the limit for audits. `found_at`
    is when the limit was determined, 0 if a person has set it.
    """

    limit: int
    share: float
    found_at: float = 0.0
    now: float = 0.0
    spent: dict[int, Counter[Kind]] = field(default_factory=dict)
    held: dict[str, tuple[Counter[Kind], float]] = field(default_factory=dict)

    def read(self, fields: Mapping[str, Any]) -> None:
        """Load the fields of a document; ignore a document of another form."""
        try:
            spent = {int(slot): _kinds(calls) for slot, calls in fields.get("spent", {}).items()}
            held = {
                name: (_kinds(entry["calls"]), float(entry["until"]))
                for name, entry in fields.get("held", {}).items()
            }
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
            return
        self.spent, self.held = spent, held

    def to_fields(self) -> dict[str, Any]:
        """The fields of a document; readable, because admins read it too."""
        held = {
            name: {"calls": _named(calls), "until": until}
            for name, (calls, until) in self.held.items()
        }
        return {
            "limit": self.limit,
            "limitFoundAt": self.found_at,
            "spent": {str(slot): _named(calls) for slot, calls in sorted(self.spent.items())},
            "held": held,
        }

    def age(self, now: float) -> None:
        """Drop entries older than the window; *now* must not be later than storage's time."""
        self.now = now
        for name, (calls, until) in list(self.held.items()):
            if until < now:
                del self.held[name]
                self.spend(calls, until)
        # An entry far in the future was typed by a person, and would count forever.
        ahead = now + WINDOW
        self.held = {name: each for name, each in self.held.items() if each[1] <= ahead}
        self.spent = {
            slot: calls
            for slot, calls in self.spent.items()
            if now - _end(0, WINDOW) <= slot <= ahead
        }

    def spend(self, calls: Mapping[Kind, int], at: float) -> None:
        """Count *calls* as made *at* a time, or a little earlier."""
        slot = int(at // SLOT * SLOT)
        self.spent[slot] = self.spent.get(slot, Counter()) + Counter(calls)

    def hold(self, instance: str, calls: Counter[Kind], until: float) -> None:
        """Let *instance* spend these *calls* until a given time; replaces what it held."""
        self.held.pop(instance, None)
        if calls.total():
            self.held[instance] = calls, until

    def fitting(self, kind: Kind, calls: int) -> int:
        """*calls*, or fewer if this *kind* can never have as many at once."""
        return min(calls, *(bound.most for bound in self._bounds(kind)))

    def room(self, kind: Kind) -> int:
        """How many calls of this *kind* may be drawn."""
        return min(bound.most - self._used(bound) for bound in self._bounds(kind))

    def wait(self, kind: Kind, calls: int) -> float:
        """Seconds until there is room for so many *calls*, or until the next check."""
        return max(self._wait(bound, calls) for bound in self._bounds(kind))

    def _bounds(self, kind: Kind) -> Iterator[_Bound]:
        """What a draw of this *kind* must stay within."""
        for_changes = self._used(_Bound(0, WINDOW, Kind.CHANGE)) / self.limit
        for_changes = min(max(for_changes, _FOR_CHANGES_LEAST), _FOR_CHANGES_MOST)
        left_over = {
            Kind.BEGUN: 0.0,
            Kind.CHANGE: FOR_BEGUN,
            Kind.AUDIT: FOR_BEGUN + for_changes,
            Kind.SWEEP: FOR_BEGUN + for_changes + FOR_AUDITS,
        }
        most = max(1, int(self.limit * (1 - left_over[kind])))
        yield _Bound(most, WINDOW)
        if kind is Kind.AUDIT:
            yield _Bound(max(1, int(self.limit * self.share)), WINDOW, kind)
        if kind is Kind.SWEEP:
            # Calls spent all at once also leave the window all at once, and changes wait for that.
            yield _Bound(max(_PACE_LEAST, int(most * _PACE)), _PACE_WINDOW, kind)

    def _used(self, bound: _Bound) -> int:
        """The calls spent within the bound's window, plus those held."""
        spent = (
            bound.counts(calls)
            for slot, calls in self.spent.items()
            if _end(slot, bound.seconds) >= self.now
        )
        return sum(spent) + sum(bound.counts(calls) for calls, _ in self.held.values())

    def _wait(self, bound: _Bound, calls: int) -> float:
        missing = self._used(bound) + calls - bound.most
        if missing <= 0:
            return 0.0
        may_come_back = sum(bound.counts(calls) for calls, _ in self.held.values())
        longest = ASK_AGAIN if may_come_back >= missing else math.inf
        for slot, spent in sorted(self.spent.items()):
            ends = _end(slot, bound.seconds)
            missing -= bound.counts(spent) if ends >= self.now else 0
            if missing <= 0:
                # One second more, since storage's times are whole seconds.
                return min(ends - self.now + 1, longest)
        return ASK_AGAIN


def _end(slot: int, seconds: float) -> float:
    """The time until which a slot counts in a window of so many *seconds*."""
    return slot + SLOT + seconds + MARGIN


def _kinds(calls: Mapping[str, Any]) -> Counter[Kind]:
    return Counter({Kind[name]: counts.read(number) for name, number in calls.items()})


def _named(calls: Mapping[Kind, int]) -> dict[str, int]:
    return {kind.name: number for kind, number in sorted(calls.items()) if number}
