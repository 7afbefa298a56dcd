"""The delay between polls, and the lock of a message."""

import random
from datetime import timedelta

from local.host.queues import Backoff, lock_seconds


def test_backoff_doubles_up_to_the_maximum_and_starts_again():
    """100 ms first, then about doubled each time; a message resets it."""
    backoff = Backoff(timedelta(seconds=1), random.Random(1))
    delays = [backoff.next_delay().total_seconds() for _ in range(8)]

    assert delays[0] == 0.1
    assert delays == sorted(delays)
    assert 0.18 <= delays[1] <= 0.22
    assert delays[-1] == 1.0
    backoff.reset()
    assert backoff.next_delay() == timedelta(milliseconds=100)


def test_lock_is_ten_minutes():
    """Ten minutes as in Azure, unless the variable for crash tests shortens it."""
    assert lock_seconds({}) == 600
    assert lock_seconds({"LOCAL_HOST_LOCK_SECONDS": "2"}) == 2
