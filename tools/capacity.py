"""
`python -m tools.capacity`: what tenants of four sizes need, and which limit binds.

Every figure follows from what the product does, by its own constants, from Microsoft's documented
limits, and from the assumptions named here. `--write` updates docs/capacity.md and the cost tables
in docs/operations.md.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from local.bench.measuring.conditions import LATENCY
from local.bench.sweep.sweep import fewest_graph_calls
from shared.budget.tenant_limit import calls_of_class
from shared.graph.batch import LIMIT
from shared.graph.client import BATCHES_AT_ONCE
from shared.graph.user_listing import PAGE
from shared.sweeping.pace import (
    PROFILE_CALLS_A_COPY,
    UNITS_A_CALL,
    UNITS_A_DAY,
    UNITS_A_MINUTE,
    UPLOADS_A_COPY,
    Pace,
)
from tools import cost, tables
from tools.cost import RUNS_AT_ONCE, TENANTS

# As deployed by infra/.
MOST_INSTANCES = 40
# Seconds of a batch: its requests run concurrently, after the batch itself.
BATCH_LATENCY = 2 * LATENCY["graph"] / 1000
# Seconds of a run that copies, and of one that only checks, with services 120 and 200 ms away.
SECONDS_TO_COPY, SECONDS_TO_LOOK = 1.5, 0.3
# For a changed photo of a known user, and for an audit's check, as `make bench ONLY=calls` counts.
CHANGED_PROFILE_CALLS, CHANGED_UPLOADS = 2, 3
AUDIT_PROFILE_CALLS, AUDIT_FILE_CALLS, AUDIT_DAYS, AUDIT_SHARE = 1, 3, 7, 0.2
# On a Monday morning: the shares of users edited within an hour, and of users with a new photo.
EDITED, NEW_PHOTO = 0.2, 0.01
PAGE_OF = tables.REPO / "docs/capacity.md"
OPERATIONS = tables.REPO / "docs/operations.md"


@dataclass(frozen=True)
class Tenant:
    """The limits of a tenant of this size; the app's units grow with the profile calls."""

    users: int

    @property
    def profile_calls(self) -> int:
        """Per five minutes, with one licence per user."""
        return calls_of_class(self.users)

    @property
    def units(self) -> int:
        """Per minute."""
        return round(self.profile_calls * UNITS_A_MINUTE)

    @property
    def units_a_day(self) -> int:
        return self.profile_calls * UNITS_A_DAY


_COPY_UNITS = (PROFILE_CALLS_A_COPY + UPLOADS_A_COPY) * UNITS_A_CALL
_CHANGE_UNITS = (CHANGED_PROFILE_CALLS + CHANGED_UPLOADS) * UNITS_A_CALL
_AUDIT_UNITS = (AUDIT_PROFILE_CALLS + AUDIT_FILE_CALLS) * UNITS_A_CALL


def hours_of_fill(users: int, a_minute: float, a_day: float) -> float:
    """Hours for *users*, limited to *a_minute* per minute and *a_day* per day."""
    days, rest = divmod(users, a_day)
    if days and not rest:
        days, rest = days - 1, a_day
    return days * 24 + rest / a_minute / 60


def fewest_hours(tenant: Tenant) -> float:
    """The shortest first fill that Microsoft's limits allow."""
    by_profiles = tenant.profile_calls / 5 / PROFILE_CALLS_A_COPY
    a_minute = min(by_profiles, tenant.units / _COPY_UNITS)
    return hours_of_fill(tenant.users, a_minute, tenant.units_a_day / _COPY_UNITS)


def hours_at_our_pace(users: int, pace: Pace) -> float:
    """A first fill at our pace: a sweep asks Graph about all users, then they are copied."""
    return sweep_minutes(users) / 60 + hours_of_fill(users, pace.a_minute, pace.a_day)


def binding(tenant: Tenant) -> str:
    """The limit that determines a first fill."""
    if tenant.users * _COPY_UNITS > tenant.units_a_day:
        return "units a day"
    by_profiles = tenant.profile_calls / 5 / PROFILE_CALLS_A_COPY
    return "profile calls" if by_profiles < tenant.units / _COPY_UNITS else "units a minute"


def first_fill(users: int) -> Sequence[str]:
    """All users get their first picture."""
    tenant, pace = Tenant(users), Pace(Tenant(users).profile_calls)
    at_once = pace.a_minute / 60 * SECONDS_TO_COPY
    seconds = users * max(SECONDS_TO_COPY, cost.SHORTEST_PAID)
    return [
        f"{users:,}",
        f"{users * PROFILE_CALLS_A_COPY:,}",
        f"{users * _COPY_UNITS:,}",
        binding(tenant),
        f"{fewest_hours(tenant):.1f} h",
        f"{hours_at_our_pace(users, pace):.1f} h",
        f"{at_once:.1f}",
        f"{math.ceil(at_once / RUNS_AT_ONCE)}",
        f"{min(MOST_INSTANCES, math.ceil(min(users, pace.a_minute) / RUNS_AT_ONCE))}",
        f"${seconds * cost.INSTANCE_GB * cost.PER_GB_SECOND:,.2f}",
    ]


def sweep_minutes(users: int) -> float:
    """Minutes of Graph's answers, with four concurrent batches of twenty, page by page."""
    pages, rest = divmod(users, PAGE)
    sizes = [PAGE] * pages + [rest] * bool(rest)
    return sum(_page_seconds(each) for each in sizes) / 60


def _page_seconds(users: int) -> float:
    rounds = math.ceil(math.ceil(users / LIMIT) / BATCHES_AT_ONCE)
    return LATENCY["graph"] / 1000 + rounds * BATCH_LATENCY


def sweep(users: int) -> Sequence[str]:
    """A sweep that finds nothing new, every hour."""
    minutes = sweep_minutes(users)
    reads = cost.month(users).blob_reads - cost.month(users, sweeps=0).blob_reads
    return [
        f"{users:,}",
        f"{fewest_graph_calls(users):,}",
        f"{LIMIT * BATCHES_AT_ONCE / BATCH_LATENCY * 10:,.0f}",
        f"{reads // cost.SWEEPS:,}",
        f"{minutes:.1f} min",
        f"{minutes / 60:.0%}",
        "1",
    ]


def audit(users: int) -> Sequence[str]:
    """An audit of all users, once a week."""
    tenant, looks = Tenant(users), users / AUDIT_DAYS
    in_five = looks / (24 * 12)
    return [
        f"{users:,}",
        f"{looks / 24:,.0f}",
        f"{looks / 24 * (AUDIT_PROFILE_CALLS + AUDIT_FILE_CALLS):,.0f}",
        f"{in_five * AUDIT_PROFILE_CALLS / tenant.profile_calls:.1%}",
        f"{AUDIT_SHARE:.0%}",
        f"{looks * _AUDIT_UNITS / tenant.units_a_day:.1%}",
    ]


def monday(users: int) -> Sequence[str]:
    """Within an hour, one user in five is edited and one in a hundred has a new photo."""
    tenant = Tenant(users)
    looks, copies = users * EDITED / 3600, users * NEW_PHOTO / 3600
    at_once = looks * SECONDS_TO_LOOK + copies * SECONDS_TO_COPY
    return [
        f"{users:,}",
        f"{looks:.1f}",
        f"{copies:.2f}",
        f"{looks + 2 * copies:.1f}",
        f"{copies * 300 * CHANGED_PROFILE_CALLS / tenant.profile_calls:.1%}",
        f"{copies * 60 * _CHANGE_UNITS / tenant.units:.1%}",
        f"{at_once:.1f}",
        f"{math.ceil(at_once / RUNS_AT_ONCE)}",
    ]


def dollars(users: int) -> Sequence[str]:
    """A month's cost by purpose."""
    parts = cost.dollars_by_part(users)
    return [f"{users:,}", *(f"${each:,.2f}" for each in (*parts.values(), sum(parts.values())))]


_TABLES: dict[str, tuple[Callable[[int], Sequence[str]], str]] = {
    "first-fill": (
        first_fill,
        "Users | profile calls | resource units | binding limit | shortest time | time at our pace "
        "| concurrent runs | instances needed | instances started | highest cost",
    ),
    "sweep": (
        sweep,
        "Users | Graph calls | requests in 10 s | storage reads | duration | share of an hour "
        "| instances",
    ),
    "audit": (
        audit,
        "Users | checks an hour | SharePoint calls an hour | share of the profile calls "
        "| allowed share | share of a day's units",
    ),
    "monday": (
        monday,
        "Users | notifications a second | new photos a second | Graph calls a second "
        "| share of the profile calls | share of a minute's units | concurrent runs "
        "| instances needed",
    ),
    "dollars": (
        dollars,
        " | ".join(["Users", *cost.dollars_by_part(TENANTS[0]), "total"]),
    ),
}


def table(name: str) -> str:
    """A Markdown table with a row per size."""
    row, heads = _TABLES[name]
    lines = [f"| {heads} |", "|" + "---:|" * (heads.count("|") + 1)]
    lines += [f"| {' | '.join(row(users))} |" for users in TENANTS]
    return "\n".join(lines)


def main() -> None:
    command = argparse.ArgumentParser(
        prog="python -m tools.capacity", description=__doc__.split("\n\n")[0]
    )
    command.add_argument("--write", action="store_true", help="update the pages")
    write = command.parse_args().write
    for name in _TABLES:
        print(f"{name}\n\n{table(name)}\n")
        if write:
            tables.write(PAGE_OF, name, table(name))
    if write:
        tables.write(OPERATIONS, "cost", cost.table())
        tables.write(OPERATIONS, "choices", cost.table_of_choices())


if __name__ == "__main__":
    main()
