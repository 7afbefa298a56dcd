"""The monthly cost in operations.md."""

from __future__ import annotations

import pytest

from local.bench.sweep.sweep import fewest_graph_calls
from tests import REPO
from tests.test_function_app import FUNCTIONS
from tools import cost, parameters, tables


@pytest.mark.parametrize(
    ("name", "table"), [("cost", cost.table), ("choices", cost.table_of_choices)]
)
def test_tables(name, table):
    """The page shows what the command prints."""
    assert tables.shown(REPO / "docs/operations.md", name) == table()


@pytest.mark.parametrize("users", cost.TENANTS)
def test_sweeps_cost_as_counted_by_the_bench(users):
    """A month's sweeps cost the measured calls of one sweep, times their number."""
    calls = cost.month(users).graph - cost.month(users, sweeps=0).graph

    # The model rounds over all pages, but Graph is called page by page: at most one call per page.
    measured = fewest_graph_calls(users) * cost.SWEEPS
    assert measured * 0.98 <= calls <= measured


def test_sharing_an_instance():
    """Overlapping runs are paid once; few runs are paid singly, and many need more instances."""
    hour = 3_600.0

    assert cost.paid_seconds(1, 1, hour) == pytest.approx(1, rel=0.001)
    assert cost.paid_seconds(3_600, 1, hour) == pytest.approx(0.632 * hour, rel=0.001)
    assert cost.paid_seconds(3_600 * 24, 1, hour) == pytest.approx(24 / cost.RUNS_AT_ONCE * hour)


@pytest.mark.parametrize("users", cost.TENANTS)
def test_parts_add_up(users):
    """The parts add up to the month's cost."""
    whole = sum(cost.month(users).dollars())

    assert sum(cost.dollars_by_part(users).values()) == pytest.approx(whole, rel=0.001)


def test_function_groups():
    """HTTP functions scale as one group; each queue and each timer function scales separately."""
    triggers = [found.get_trigger() for found in FUNCTIONS.values()]
    kinds = [trigger.get_binding_name() for trigger in triggers if trigger]

    assert len(kinds) == len(FUNCTIONS)
    assert len([kind for kind in kinds if kind != "httpTrigger"]) + 1 == cost.SCALED_APART


def test_cost_of_choices():
    """For a tenant with one user: the hours of each resource, and only polling as traffic."""
    choices = cost.dollars_of_choices(1)
    polls = cost.POLLS * 2 / 1e6 * 0.01

    assert choices["in your own network"] == pytest.approx(2 * 7.2 + polls, abs=0.01)
    assert choices["new private network"] - choices["in your own network"] == pytest.approx(
        720 * 0.05 + 2 * 0.5, abs=0.01
    )
    # Twelve instances of 2 GB are always ready instead of one.
    assert choices["zone redundancy"] == pytest.approx(11 * 2 * 2_592_000 * 0.000004)


def test_default_retention():
    """The cost assumes the deployment's default retention."""
    default = next(each for each in parameters.parameters() if each.name == "keepDeletedDays")

    assert default.default == str(cost.KEEP_DELETED_DAYS)


def test_half_the_cost_of_0_1():
    """100,000 users with an hourly sweep cost at most half of version 0.1's 245 dollars."""
    assert sum(cost.month(100_000).dollars()) <= 245 / 2
