"""What host.json tells the host about queues, where one number only makes sense beside another."""

from __future__ import annotations

from local.host.settings import load_host_options
from tests import REPO

QUEUES = load_host_options(REPO).queues


def test_next_messages_come_before_the_last_are_done():
    """
    A batch is fetched while two more are worked off: the runs do not march in step.

    With 8 and 4, two hundred changes at once took half as long again as with 4 and 8.
    """
    assert QUEUES.new_batch_threshold >= 2 * QUEUES.batch_size
