"""Pages of states in a sweep: users who moved, and the rotation over all stored users."""

from __future__ import annotations

import logging

import pytest

from shared.errors import EndlessList
from shared.sweeping.sweep_log import FEWEST_ASKED
from tests.shared.sweeping.sweeping_alone import MINUTE, Sweeping, result, states


def test_users_who_moved_go_to_the_worker():
    """Users who left, are back or out of scope are queued; those out of scope as a replay."""
    office = Sweeping(result(queue=[("a", "new")]))
    moved = [("b", "left"), ("c", "out-of-scope"), ("d", "back")]
    office.state_pages.results = [states(moved=moved)]
    office.run()

    assert office.queued() == [("a", "sweep"), ("b", "sweep"), ("c", "replay"), ("d", "sweep")]
    assert office.log.changed == {"back": 1, "left": 1, "new": 1, "out-of-scope": 1}


def test_rotation_over_pages_and_sweeps():
    """A sweep asks about some users, the next about those after them, and then from the start."""
    office = Sweeping(result(users=100), pages_a_run=2)
    office.state_pages.results = [
        states(asked=60, asked_to="f", next="1"),
        states(asked=40, asked_to="k", next="2"),
        states(asked_to="k"),
    ]
    office.run()
    assert office.state_pages.asked == [("", "", 100), ("1", "f", 40), ("2", "k", 0)]
    assert (office.log.asked_to, office.log.page) == ("k", 4), "two pages of states a run"

    office.state_pages.asked.clear()
    office.state_pages.results = [states(asked=9, asked_to="z")]
    office.now += 60 * MINUTE
    office.run()
    assert office.state_pages.asked == [("", "k", 100)]
    assert office.log.asked_to == ""


def test_rotation_survives_a_failed_sweep():
    """The sweep after a failed one does not ask again about users who were asked about."""
    office = Sweeping(result(users=100))
    office.state_pages.results = [states(asked=100, asked_to="k")]
    office.run()
    assert office.log.expected_users == 0, "unknown before the first sweep"
    office.now += 60 * MINUTE
    office.sweep.fail(office.start(), "No role.")
    office.now += 60 * MINUTE
    office.run()

    assert office.state_pages.asked[-1] == ("", "k", FEWEST_ASKED)
    assert office.log.expected_users == 100, "the failed one counted nobody"


def test_large_tenant_asks_about_more():
    """A sweep asks about one stored user in a hundred, so that a rotation takes equally long."""
    office = Sweeping(*[result(users=999)] * 21)
    office.run()

    assert office.state_pages.asked == [("", "", 209)]


def test_circular_listing_of_states_ends_the_sweep(caplog: pytest.LogCaptureFixture):
    """A listing that returns to an earlier page fails the sweep, which then forgets no user."""
    office = Sweeping(result())
    office.state_pages.results = [states(due=["a"], next="0")] * 2
    office.start(pages=2)
    with (
        caplog.at_level(logging.ERROR, "photosync"),
        pytest.raises(EndlessList, match="never end"),
    ):
        office.process(3)

    assert office.log.forgetting == "none"


def test_page_that_links_back_is_compared_to_its_end():
    """Users left on the page that returns to an earlier one are queued before the sweep fails."""
    office = Sweeping(result())
    office.state_pages.results = [states(next="1"), states(next="1", more=True)]
    office.start(pages=3)
    assert office.log.links == 2, "the page counts once"
    office.state_pages.results[1] = states(next="1")
    with pytest.raises(EndlessList):
        office.process(4)
