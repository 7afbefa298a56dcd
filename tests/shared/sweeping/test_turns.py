"""Who of a sweep's page goes to the worker at once, and who waits for a turn."""

from __future__ import annotations

import pytest

from shared.errors import ServiceDown
from shared.sweeping import fill_log, turns
from shared.sweeping.pace import Pace
from shared.sweeping.state_page import JUDGED_AT_ONCE
from tests.shared.sweeping.sweeping_alone import FEW, MINUTE, Sweeping, result, with_room

SLOW = with_room(3)


def people(many: int, why: str = "new", first: int = 0) -> list[tuple[str, str]]:
    return [(f"user-{number:04}", why) for number in range(first, first + many)]


def swept(*pages: list[tuple[str, str]], pace: Pace = SLOW) -> Sweeping:
    sweeping = Sweeping(*(result(users=len(page), queue=page) for page in pages))
    sweeping.pace = pace
    sweeping.run()
    return sweeping


def test_few_never_wait():
    """A page that finds as few as an hour's changes queues all of them at once."""
    sweeping = swept(people(FEW))

    assert len(sweeping.queued()) == FEW
    assert sweeping.fills.latest() == (None, None)


def test_an_hours_changes_are_few():
    """One in a hundred of the largest page that is judged at once never waits."""
    sweeping = Sweeping(result(queue=people(JUDGED_AT_ONCE // 100, "changed")), few=turns.FEW)
    sweeping.pace = SLOW
    sweeping.run()

    assert len(sweeping.queued()) == JUDGED_AT_ONCE // 100


def test_many_wait():
    """Of many who are new a minute's go at once, and the others are written down."""
    sweeping = swept(people(100))

    assert len(sweeping.queued()) == SLOW.a_minute
    assert sweeping.log.turns == 97
    assert len(sweeping.fills.kept(sweeping.log.id, 1)) == 97


def test_a_minute_is_the_sweeps():
    """What earlier pages have sent leaves no room on later ones."""
    sweeping = swept(people(100), people(100, first=100))

    assert len(sweeping.queued()) == SLOW.a_minute
    assert sweeping.log.turns == 197


def test_changed_before_new():
    """Those whose picture is an older one go before those who have none, a few of each page."""
    sweeping = swept(people(100), people(100, first=100) + people(5, "changed", first=900))

    queued = [user_id for user_id, _ in sweeping.queued()]
    assert queued[-5:] == [user_id for user_id, _ in people(5, first=900)]
    assert len(queued) == SLOW.a_minute + 5


@pytest.mark.parametrize("why", ["changed", "dry-run"])
def test_everybody_again(why):
    """Where a setting has all copied again, or for the first time, nobody goes before the turn."""
    sweeping = swept(people(100, why), people(100, why, first=100))

    assert len(sweeping.queued()) == SLOW.a_minute


def test_a_tenant_with_room_has_no_fill():
    """Where the first minute has room for all of a sweep nobody waits."""
    sweeping = swept(people(100), pace=Pace(15_000))

    assert len(sweeping.queued()) == 100
    assert sweeping.fills.latest() == (None, None)


def test_nobody_stands_in_two_lists():
    """While an earlier sweep's fill is at work, a later sweep leaves to it whoever would wait."""
    sweeping = swept(people(100))
    first = sweeping.log.id
    sweeping.users.messages.clear()
    sweeping.results = [result(queue=people(100) + people(2, "changed", first=900))]
    sweeping.now += 60 * MINUTE
    sweeping.run()

    assert sweeping.queued() == [("user-0900", "sweep"), ("user-0901", "sweep")]
    assert sweeping.log.turns == 0
    assert sweeping.fill.sweep_id == first


def test_page_done_again():
    """A page that comes twice writes the same list, and no second fill begins."""
    sweeping = Sweeping(result(queue=people(100)))
    sweeping.pace = SLOW
    sweeping.sweep.start()
    sweeping.upkeep.messages.clear()
    log, read = sweeping.logs.latest()[0], sweeping.logs.read(sweeping.log.id)
    assert log
    assert read
    sweeping.sweep.work_off(log.id, 1)
    # As if the run had died before it wrote the sweep down.
    sweeping.logs.write(log, after=sweeping.logs.read(log.id)[1])  # type: ignore[index]
    sweeping.sweep.work_off(log.id, 1)

    assert [kind for kind, _ in sweeping.orders()].count("fill") == 1
    assert sweeping.log.turns == 97
    assert sweeping.fill.status == fill_log.RUNNING


def test_fill_whose_message_was_not_taken():
    """Where storage fails over the first message, the page that is done again sends it."""
    sweeping = Sweeping(result(queue=people(100)))
    sweeping.pace = SLOW
    sweeping.sweep.start()
    sweeping.upkeep.messages.clear()
    sound = sweeping.upkeep.send

    def fails(text: str, *, delay_seconds: float) -> None:
        raise ServiceDown("Storage is away.")

    sweeping.upkeep.send = fails  # type: ignore[method-assign]
    with pytest.raises(ServiceDown):
        sweeping.sweep.work_off(sweeping.log.id, 1)
    sweeping.upkeep.send = sound  # type: ignore[method-assign]
    sweeping.sweep.work_off(sweeping.log.id, 1)

    assert [kind for kind, _ in sweeping.orders()].count("fill") == 1
