"""What a soak reads from the host's log: what is under way, and whether anything moves."""

from __future__ import annotations

from local.soak.progress import Standstill, under_way

BORN = "INFO    host: Host started\n"
WAITING = 'INFO photosync: [0] photo.waiting user=u retryIn=200.5 service=graph why="busy"\n'
FIRST_WAITING = WAITING.replace("200.5", "3.0")


def begun(run: str) -> str:
    reason = "New queue message detected on 'photo-sync'."
    return f"INFO host: Executing 'Functions.sync_photo' (Reason='{reason}', Id={run})\n"


def ended(run: str) -> str:
    return f"INFO host: Executed 'Functions.sync_photo' (Succeeded, Id={run}, Duration=5ms)\n"


def test_run_is_under_way_until_it_ends():
    """A run counts from its beginning to its end, however it ends."""
    failed = ended("b-2").replace("Succeeded", "Failed")

    assert under_way(BORN + begun("a-1") + begun("b-2")) == {"a-1", "b-2"}
    assert under_way(BORN + begun("a-1") + begun("b-2") + failed) == {"a-1"}


def test_run_of_a_killed_host_is_not_under_way():
    """What a killed host ran has no end in the log and runs no more."""
    assert under_way(BORN + begun("a-1") + BORN + begun("b-2")) == {"b-2"}


def test_standstill_begins_anew_with_each_run_that_ends():
    """However long all of it takes: as long as runs end it is no standstill."""
    now, log = 0.0, BORN
    standstill = Standstill(lambda: now)
    for number in range(100):
        now += 100
        log += begun(str(number)) + ended(str(number))
        assert not standstill.reached(log)

    now += 121
    assert standstill.reached(log)


def test_standstill_waits_for_the_longest_wait():
    """A message that was put off has time to come back."""
    now, log = 0.0, BORN + begun("a") + WAITING + ended("a")
    standstill = Standstill(lambda: now)
    assert not standstill.reached(log)

    now = 320.0
    assert not standstill.reached(log)
    now = 321.0
    assert standstill.reached(log)


def test_message_that_is_put_off_over_and_over_is_a_standstill():
    """Runs that end only by putting their message off are no progress."""
    now, log = 0.0, BORN
    standstill = Standstill(lambda: now)
    standstill.reached(log)
    for number in range(50):
        now += 3
        log += begun(str(number)) + FIRST_WAITING + ended(str(number))

    assert standstill.reached(log)
