"""What host.json tells the host about queues, where one number only makes sense beside another."""

from __future__ import annotations

from datetime import timedelta

from local.host.settings import load_host_options
from shared.runtime import COPIES_AT_ONCE
from tests import REPO

QUEUES = load_host_options(REPO).queues


def test_next_messages_come_before_the_last_are_done():
    """
    A batch is fetched while two more are worked off: the runs do not march in step.

    With 8 and 4, two hundred changes at once took half as long again as with 4 and 8.
    """
    assert QUEUES.new_batch_threshold >= 2 * QUEUES.batch_size


def test_batches_fill_the_instance():
    """A batch is fetched only while no more than the threshold run: 6 and 14 stop at 18 of 20."""
    assert QUEUES.new_batch_threshold % QUEUES.batch_size == 0


def test_copies_at_once_have_a_thread_each_for_what_they_read_beside():
    """None of the runs that host.json allows waits for another's thread."""
    assert COPIES_AT_ONCE == QUEUES.batch_size + QUEUES.new_batch_threshold


def test_queues_are_polled_without_a_pause_that_anybody_sees():
    """The least that the host takes (functions.md, Storage-queue trigger)."""
    assert QUEUES.max_polling_interval == timedelta(milliseconds=100)
