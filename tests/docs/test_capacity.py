"""The tables of capacity.md, and the basis of its formulas."""

from __future__ import annotations

import re

import pytest

from local.bench.first_fill.tenant_limits import FIRST_COPY, fewest_seconds
from shared.budget.tenant_limit import CLASSES, LARGEST_CLASS
from shared.graph.user_listing import PAGE
from shared.sweeping.pace import DAY, MINUTE, Pace
from tests import REPO
from tools import capacity, cost, tables
from tools.capacity import Tenant


@pytest.mark.parametrize("name", ["first-fill", "sweep", "audit", "monday", "dollars"])
def test_tables(name):
    """The page shows what the command prints; `python -m tools.capacity --write` updates it."""
    assert tables.shown(capacity.PAGE_OF, name) == capacity.table(name)


def test_tenant_classes():
    """Each class of tenant has the limits cited in sharepoint.md."""
    facts = (REPO / "docs/facts/sharepoint.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [\w ,]+ \| ([\d,]+) \| ([\d,]+) \| ([\d.]+) M \|$", facts, re.MULTILINE)
    cited = [(_number(a), _number(b), round(float(c) * 1e6)) for a, b, c in rows]
    tenants = [Tenant(most) for most, _ in CLASSES] + [Tenant(1_000_000)]

    assert [(each.profile_calls, each.units, each.units_a_day) for each in tenants] == cited
    assert tenants[-1].profile_calls == LARGEST_CLASS


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def test_same_minimum_as_the_bench():
    """The page and the bench independently calculate the same minimum for 100,000 users."""
    hours = max(fewest_seconds(100_000, FIRST_COPY).values()) / 3600

    assert capacity.fewest_hours(Tenant(100_000)) == pytest.approx(hours)


@pytest.mark.parametrize("users", [1_000, 100_000, 1_000_000])
def test_hours_of_a_fill(users):
    """The formula agrees with a fill that is simulated step by step by the product's rule."""
    pace, sent, minute = Pace(Tenant(users).profile_calls), 0, 0
    while sent < users:
        minute += 1
        age = minute * MINUTE
        sent += pace.room(sent=sent, age=age, since=MINUTE, percent=100)
    hours = capacity.hours_of_fill(users, pace.a_minute, pace.a_day)

    assert minute * MINUTE / (DAY / 24) == pytest.approx(hours, abs=0.05)


def test_a_sweep_takes_what_graph_takes():
    """A page of 999 takes 0.12 s and its fifty batches of 0.24 s thirteen rounds of four."""
    full, last = 0.12 + 13 * 0.24, 0.12 + 2 * 0.24

    assert capacity.sweep_minutes(100_000) == pytest.approx((100 * full + last) / 60)


def test_paid_time_covers_a_page():
    """The assumed cost of a sweep's page covers the time of Graph's answers."""
    assert capacity.sweep_minutes(PAGE) * 60 < cost.SECONDS_A_PAGE


def test_our_pace_is_near_the_limit():
    """100,000 users take at most 1.25 times as long as the binding limit requires."""
    ours = capacity.hours_at_our_pace(100_000, Pace(LARGEST_CLASS))

    assert ours <= 1.25 * capacity.fewest_hours(Tenant(100_000))
