"""The monthly costs in operations.md."""

from __future__ import annotations

import pytest

from local.bench.sweep.sweep import fewest_graph_calls
from tests import REPO
from tests.test_function_app import FUNCTIONS
from tools import cost, parameters, tables


def test_table_is_the_command_s():
    """The page shows what the command prints."""
    assert tables.shown(REPO / "docs/operations.md", "cost") == cost.table()


@pytest.mark.parametrize("users", cost.TENANTS)
def test_sweeps_cost_what_the_bench_counts(users):
    """A month's sweeps cost the measured cost of one, times their number."""
    calls = cost.month(users).graph - cost.month(users, sweeps=0).graph

    # The model rounds over all pages, Graph is asked page by page: at most one call a page.
    measured = fewest_graph_calls(users) * cost.SWEEPS
    assert measured * 0.98 <= calls <= measured


def test_sharing_an_instance():
    """Runs that overlap are paid once; few are paid one by one, and many need more instances."""
    hour = 3_600.0

    assert cost.paid_seconds(1, 1, hour) == pytest.approx(1, rel=0.001)
    assert cost.paid_seconds(3_600, 1, hour) == pytest.approx(0.632 * hour, rel=0.001)
    assert cost.paid_seconds(3_600 * 24, 1, hour) == pytest.approx(24 / cost.RUNS_AT_ONCE * hour)


def test_nothing_is_dearer_than_unshared():
    """Sharing instances saves money for each size."""
    for users in cost.TENANTS:
        month = cost.month(users)
        assert 0 < month.gb_seconds <= month.gb_seconds_unshared


@pytest.mark.parametrize("users", cost.TENANTS)
def test_parts_are_the_whole(users):
    """The costs by purpose add up to the month's total."""
    whole = sum(cost.month(users).dollars())

    assert sum(cost.dollars_by_part(users).values()) == pytest.approx(whole, rel=0.001)


def test_table_of_choices_is_the_command_s():
    """The page shows what the command prints."""
    assert tables.shown(REPO / "docs/operations.md", "choices") == cost.table_of_choices()


def test_scaled_apart_are_the_functions_that_are():
    """All HTTP functions are one group; each queue and each timer is another."""
    triggers = [found.get_trigger() for found in FUNCTIONS.values()]
    kinds = [trigger.get_binding_name() for trigger in triggers if trigger]

    assert len(kinds) == len(FUNCTIONS)
    assert len([kind for kind in kinds if kind != "httpTrigger"]) + 1 == cost.SCALED_APART


def test_choices_at_the_prices_of_their_parts():
    """For one user: the hours of the resources, and no traffic but polls."""
    choices = cost.dollars_of_choices(1)
    polls = cost.POLLS * 2 / 1e6 * 0.01

    assert choices["in a network of yours"] == pytest.approx(2 * 7.2 + polls, abs=0.01)
    assert choices["private network of ours"] - choices["in a network of yours"] == pytest.approx(
        720 * 0.05 + 2 * 0.5, abs=0.01
    )
    # Twelve instances of 2 GB are ready in place of one.
    assert choices["zone redundancy"] == pytest.approx(11 * 2 * 2_592_000 * 0.000004)


def test_choices_are_infra_s():
    """Retention is that of a default deployment."""
    default = next(each for each in parameters.parameters() if each.name == "keepDeletedDays")

    assert default.default == str(cost.KEEP_DELETED_DAYS)


def test_half_of_what_it_was():
    """100,000 users and a sweep every hour cost at most half of the 245 dollars of version 0.1."""
    assert sum(cost.month(100_000).dollars()) <= 245 / 2
