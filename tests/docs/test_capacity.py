"""The tables of capacity.md, and the basis of its formulas."""

from __future__ import annotations

import re

import pytest

from local.bench.first_fill.first_fill_play import FIRST_COPY
from local.bench.first_fill.tenant_limits import fewest_seconds
from local.bench.measuring.conditions import LATENCY
from local.bench.sweep.graph_time import BATCH_LATENCY, GraphTime
from shared.budget.tenant_limit import CLASSES, LARGEST_CLASS
from shared.graph.batch import LIMIT
from shared.graph.client import BATCHES_AT_ONCE
from shared.graph.user_listing import PAGE
from shared.sweeping.pace import DAY, MINUTE, Pace
from tests import REPO
from tools import capacity, cost, tables
from tools.capacity import Tenant


@pytest.mark.parametrize("name", ["first-fill", "sweep", "audit", "monday", "dollars"])
def test_tables_are_the_command_s(name):
    """The page shows what `python -m tools.capacity --write` writes."""
    assert tables.shown(capacity.PAGE_OF, name) == capacity.table(name)


def test_classes_are_microsoft_s():
    """Each class of tenant has the limits that sharepoint.md cites."""
    facts = (REPO / "docs/facts/sharepoint.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [\w ,]+ \| ([\d,]+) \| ([\d,]+) \| ([\d.]+) M \|$", facts, re.MULTILINE)
    cited = [(_number(a), _number(b), round(float(c) * 1e6)) for a, b, c in rows]
    tenants = [Tenant(most) for most, _ in CLASSES] + [Tenant(1_000_000)]

    assert [(each.profile_calls, each.units, each.units_a_day) for each in tenants] == cited
    assert tenants[-1].profile_calls == LARGEST_CLASS


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def test_floor_is_that_of_the_bench():
    """Page and bench have the same lower bound for 100,000 users, calculated independently."""
    hours = max(fewest_seconds(100_000, FIRST_COPY).values()) / 3600

    assert capacity.fewest_hours(Tenant(100_000)) == pytest.approx(hours)


@pytest.mark.parametrize("users", [1_000, 100_000, 1_000_000])
def test_hours_are_those_of_the_steps(users):
    """The formula gives the hours that a fill takes if played step by step."""
    pace, sent, minute = Pace(Tenant(users).profile_calls), 0, 0
    while sent < users:
        minute += 1
        age = minute * MINUTE
        sent += pace.room(sent=sent, age=age, since=MINUTE, percent=100)
    hours = capacity.hours_of_fill(users, pace.a_minute, pace.a_day)

    assert minute * MINUTE / (DAY / 24) == pytest.approx(hours, abs=0.05)


@pytest.mark.parametrize("users", [1_000, 100_000])
def test_a_sweep_takes_what_graph_takes(users):
    """The formula's minutes are those of Graph's clock in the bench."""
    clock = GraphTime(BATCHES_AT_ONCE, BATCH_LATENCY)
    for start in range(0, users, PAGE):
        clock.page()
        clock.photos(-(-min(PAGE, users - start) // LIMIT))

    assert capacity.sweep_minutes(users) == pytest.approx(clock.seconds / 60)
    assert LATENCY["graph"] / 1000 * 2 == BATCH_LATENCY


def test_a_page_is_paid_for_longer_than_graph_takes():
    """The assumed cost of a page of a sweep covers the seconds of Graph's answers."""
    assert capacity.sweep_minutes(PAGE) * 60 < cost.SECONDS_A_PAGE


def test_our_pace_is_near_the_limit():
    """100,000 users take at most 1.25 times as long as the binding limit requires."""
    ours = capacity.hours_at_our_pace(100_000, Pace(LARGEST_CLASS))

    assert ours <= 1.25 * capacity.fewest_hours(Tenant(100_000))
