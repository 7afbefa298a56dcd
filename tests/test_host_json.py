"""The queue settings in host.json, whose numbers depend on each other."""

from __future__ import annotations

from datetime import timedelta

from local.host.settings import load_host_options
from shared.runtime import COPIES_AT_ONCE
from tests import REPO

QUEUES = load_host_options(REPO).queues


def test_next_batch_is_fetched_early():
    """
    A batch is fetched while two more are being processed, so that runs do not move in step.

    With 8 and 4, two hundred simultaneous changes took half as long again as with 4 and 8.
    """
    assert QUEUES.new_batch_threshold >= 2 * QUEUES.batch_size


def test_batches_fill_the_instance():
    """A batch is fetched only while at most the threshold run: 6 and 14 stop at 18 of 20."""
    assert QUEUES.new_batch_threshold % QUEUES.batch_size == 0


def test_enough_threads_for_parallel_reads():
    """Each run that host.json allows has its own thread for parallel reads."""
    assert COPIES_AT_ONCE == QUEUES.batch_size + QUEUES.new_batch_threshold


def test_shortest_polling_interval():
    """The shortest interval that the host accepts (functions.md, Storage-queue trigger)."""
    assert QUEUES.max_polling_interval == timedelta(milliseconds=100)
