"""What operations.md says a month costs."""

from __future__ import annotations

import pytest

from local.bench.sweep.sweep import fewest_graph_calls
from local.host.settings import load_host_options
from tests import REPO
from tools import cost

_PAGE = (REPO / "docs/operations.md").read_text(encoding="utf-8")


def test_table_is_the_command_s():
    """The page shows what the command prints."""
    begin, end = "<!-- cost: begin -->\n\n", "\n\n<!-- cost: end -->"

    assert _PAGE[_PAGE.index(begin) + len(begin) : _PAGE.index(end)] == cost.table()


def test_polling_costs_what_the_page_says():
    """The pause is host.json's, and the page names what no instance can exceed."""
    pause = load_host_options(REPO).queues.max_polling_interval

    assert pause.total_seconds() == cost.SECONDS_BETWEEN_POLLS
    assert f"at most ${cost.polling():.0f} a month" in " ".join(_PAGE.split())


@pytest.mark.parametrize("users", cost.TENANTS)
def test_sweeps_cost_what_the_bench_counts(users):
    """A month's sweeps are so many times what one is measured to cost."""
    calls = cost.month(users).graph - cost.month(users, sweeps=0).graph

    # The model rounds over all pages, Graph is asked page by page: at most one call a page.
    measured = fewest_graph_calls(users) * cost.SWEEPS
    assert measured * 0.98 <= calls <= measured
