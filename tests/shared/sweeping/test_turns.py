"""Which users of a sweep's page go to the worker at once, and which wait for a fill."""

from __future__ import annotations

import pytest

from shared.errors import ServiceDown
from shared.sweeping import fill_log, turns
from shared.sweeping.pace import Pace
from shared.sweeping.state_page import JUDGED_AT_ONCE
from tests.doubles.office import failing
from tests.shared.sweeping.sweeping_alone import FEW, MINUTE, Sweeping, result, with_room

SLOW = with_room(3)


def people(many: int, why: str = "new", first: int = 0) -> list[tuple[str, str]]:
    return [(f"user-{number:04}", why) for number in range(first, first + many)]


def swept(*pages: list[tuple[str, str]], pace: Pace = SLOW) -> Sweeping:
    sweeping = Sweeping(*(result(users=len(page), queue=page) for page in pages))
    sweeping.pace = pace
    sweeping.run()
    return sweeping


@pytest.mark.parametrize(("many", "pace"), [(FEW, SLOW), (100, Pace(15_000))])
def test_no_user_waits(many: int, pace: Pace):
    """All users of a page are queued at once if they are few, or the first minute has room."""
    sweeping = swept(people(many), pace=pace)

    assert len(sweeping.queued()) == many
    assert sweeping.fills.latest() == (None, None)


def test_an_hours_changes_are_few():
    """One in a hundred of the largest page compared at once never waits."""
    sweeping = Sweeping(result(queue=people(JUDGED_AT_ONCE // 100, "changed")), few=turns.FEW)
    sweeping.pace = SLOW
    sweeping.run()

    assert len(sweeping.queued()) == JUDGED_AT_ONCE // 100


@pytest.mark.parametrize("pages", [1, 2])
def test_many_new_users_wait(pages: int):
    """A sweep queues the users of one minute at once; all others are put on the list."""
    sweeping = swept(*(people(100, first=100 * page) for page in range(pages)))

    assert len(sweeping.queued()) == SLOW.a_minute
    assert sweeping.log.turns == 100 * pages - SLOW.a_minute
    assert len(sweeping.fills.kept(sweeping.log.id, 1)) == 97


def test_changed_before_new():
    """Users with an outdated picture go before users without one, a few of each page."""
    sweeping = swept(people(100), people(100, first=100) + people(5, "changed", first=900))

    queued = [user_id for user_id, _ in sweeping.queued()]
    assert queued[-5:] == [user_id for user_id, _ in people(5, first=900)]
    assert len(queued) == SLOW.a_minute + 5


@pytest.mark.parametrize("why", ["changed", "dry-run"])
def test_everyone_is_copied_again(why):
    """If a changed setting has everyone copied, changed users wait like new ones."""
    sweeping = swept(people(100, why), people(100, why, first=100))

    assert len(sweeping.queued()) == SLOW.a_minute


def test_no_user_is_on_two_lists():
    """While an earlier fill is running, a later sweep leaves to it the users who would wait."""
    sweeping = swept(people(100))
    first = sweeping.log.id
    sweeping.users.messages.clear()
    sweeping.results = [result(queue=people(100) + people(2, "changed", first=900))]
    sweeping.now += 60 * MINUTE
    sweeping.run()

    assert sweeping.queued() == [("user-0900", "sweep"), ("user-0901", "sweep")]
    assert sweeping.log.turns == 0
    assert sweeping.fill.sweep_id == first


def test_repeated_page():
    """A repeated page writes the same list, and no second fill begins."""
    sweeping = Sweeping(result(queue=people(100)))
    sweeping.pace = SLOW
    sweeping.start()
    before = sweeping.log
    sweeping.process(1)
    # As if the run had died before it wrote the log.
    sweeping.edit(**vars(before))
    sweeping.process(1)

    assert [kind for kind, _ in sweeping.orders()].count("fill") == 1
    assert sweeping.log.turns == 97
    assert sweeping.fill.status == fill_log.RUNNING


def test_fill_whose_first_message_failed():
    """If storage refuses the first message of a fill, the repeated page sends it."""
    sweeping = Sweeping(result(queue=people(100)))
    sweeping.pace = SLOW
    sweeping.start()
    sound = sweeping.upkeep.send
    away = failing(ServiceDown("Storage is away."))
    sweeping.upkeep.send = lambda text, *, delay_seconds: away()  # type: ignore[method-assign]
    with pytest.raises(ServiceDown):
        sweeping.process(1)
    sweeping.upkeep.send = sound  # type: ignore[method-assign]
    sweeping.process(1)

    assert [kind for kind, _ in sweeping.orders()].count("fill") == 1
