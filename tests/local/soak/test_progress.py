"""A soak's view of the host's log: runs in progress, and whether anything moves."""

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
    """From its beginning to its end, however it ends; a killed host's runs have no end."""
    failed = ended("b-2").replace("Succeeded", "Failed")

    assert under_way(BORN + begun("a-1") + begun("b-2")) == {"a-1", "b-2"}
    assert under_way(BORN + begun("a-1") + begun("b-2") + failed) == {"a-1"}
    assert under_way(BORN + begun("a-1") + BORN + begun("b-2")) == {"b-2"}


def test_each_ended_run_is_progress():
    """As long as runs end, there is no standstill, however long it takes."""
    now, log = 0.0, BORN
    standstill = Standstill(lambda: now)
    for number in range(100):
        now += 100
        log += begun(str(number)) + ended(str(number))
        assert not standstill.reached(log)

    now += 121
    assert standstill.reached(log)


def test_standstill_waits_for_the_longest_wait():
    """A delayed message has time to return."""
    now, log = 0.0, BORN + begun("a") + WAITING + ended("a")
    standstill = Standstill(lambda: now)
    assert not standstill.reached(log)

    now = 320.0
    assert not standstill.reached(log)
    now = 321.0
    assert standstill.reached(log)


def test_repeated_delay_is_a_standstill():
    """Runs that only delay their message again are no progress."""
    now, log = 0.0, BORN
    standstill = Standstill(lambda: now)
    standstill.reached(log)
    for number in range(50):
        now += 3
        log += begun(str(number)) + FIRST_WAITING + ended(str(number))

    assert standstill.reached(log)
