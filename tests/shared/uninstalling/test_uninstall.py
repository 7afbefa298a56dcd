"""PhotoSync is taken back to the end, whatever happens meanwhile, and told of until it is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import AccessDenied, BadRequest, Conflict, ServiceDown
from shared.storage.documents import Document
from shared.storage.user_state import NO_PHOTO, Claim
from shared.subscription import keeper
from shared.uninstalling.uninstall import (
    GRACE,
    LONGEST_ROUND,
    MOST_PROBLEMS,
    MOST_ROUNDS,
    PAUSE,
    RESTS,
)
from shared.uninstalling.uninstall_log import CANCELLED, DONE, FAILED, NAME, RUNNING
from tests.shared.uninstalling.town import Town, user

MINUTE = timedelta(minutes=1)


@pytest.fixture
def town() -> Town:
    return Town()


# To the end


def test_pictures_stay(town: Town):
    """By default the subscription and all states go, and nobody's picture is touched."""
    town.order()
    end = town.run()

    assert (end.status, end.left, end.subscription) == (DONE, 0, "")
    assert town.is_clean
    assert len(town.pictures) == 5
    assert keeper.NAME not in town.documents.blobs


def test_pictures_are_taken_back(town: Town):
    """If that was ordered, the worker is sent to everybody whose picture is ours."""
    town.add(7, picture_url="", status=NO_PHOTO)
    asked: list[str] = []

    def serve(user_id: str) -> None:
        asked.append(user_id)
        town.take_back(user_id)

    town.order(remove=True)
    end = town.run(serve)

    assert (end.status, end.left) == (DONE, 0)
    assert asked == [user(number) for number in range(5)]
    assert town.pictures == {user(7)}
    assert town.is_clean


def test_messages_name_their_order(town: Town):
    """The worker takes a picture back for the order that runs and for no other."""
    begun = town.order(remove=True)
    town.step()
    town.step()

    told = [(each["userId"], each["reason"], each["uninstallId"]) for each in town.users.waiting]
    assert told == [(user(number), "uninstall", begun.id) for number in range(2)]


def test_messages_before_the_order_go_first(town: Town):
    """What was queued before is not waited for, however long it would have been hidden."""
    town.users.send(json.dumps({"userId": user(1), "reason": "sweep"}), delay_seconds=20_000)
    town.order()
    town.step()

    assert town.users.waiting == []


def test_empty_town():
    """Where nobody has a state it ends, too."""
    town = Town(users=0)
    town.order()

    assert town.run().status == DONE
    assert town.is_clean


# Whoever is at work


def test_copy_under_way(town: Town):
    """A user whom a run has to itself is left to it, and served in a later round."""
    id_ = town.add(2, claim=Claim("a-run", 300.0))
    town.order(remove=True)
    town.run(until=lambda: town.log.round == 2)
    kept = set(town.states.blobs)
    end = town.run()

    assert (kept, end.status, end.left) == ({id_}, DONE, 0)
    assert town.is_clean


def test_state_that_moves_on(town: Town):
    """What another run has written meanwhile is not deleted with what we read."""

    def write() -> None:
        town.states.before_delete.clear()
        town.states.put(replace(town.states[user(1)], detail="Newer."))

    town.states.before_delete[user(1)] = write
    town.order()
    town.run(until=lambda: town.log.round == 2)
    kept = town.states[user(1)].detail
    town.run()

    assert kept == "Newer."
    assert town.is_clean


def test_run_that_began_before_the_order(town: Town):
    """Who has not heard of it yet, and writes a new state within the grace, is found."""
    town.order(remove=True)
    town.run(until=lambda: town.log.round == 2)
    town.run(until=lambda: town.log.rests == RESTS - 1)
    town.add(9)
    end = town.run()

    assert (end.status, end.left) == (DONE, 0)
    assert town.pictures == set()
    assert town.is_clean


def test_subscription_made_by_a_run_that_began_before(town: Town):
    """One that is made after ours was deleted is deleted at the end."""
    town.order()
    town.step()
    assert not town.here.graph.live
    town.here.keep()
    town.run()

    assert town.is_clean
    assert keeper.NAME not in town.documents.blobs


def test_no_round_begins_before_grace_is_over(town: Town):
    """The second round begins after GRACE by our clock, and after so many pauses of storage."""
    began = town.clock.now
    town.order()
    town.run()

    assert town.clock.now - began >= GRACE


@pytest.mark.parametrize("skew", [timedelta(hours=1), -timedelta(hours=1)], ids=str)
def test_clock_that_is_wrong(town: Town, skew: timedelta):
    """A machine whose clock is an hour off does not cut the grace short."""
    town.order()
    town.run(until=lambda: town.log.round == 2)
    town.clock.advance(skew)
    pauses = 0
    while town.log.rests < RESTS:
        town.step()
        pauses += 1

    assert pauses * PAUSE >= GRACE.total_seconds() - PAUSE
    assert town.run().status == DONE


def test_queue_that_is_long(town: Town):
    """No round begins while messages of the one before wait; the progress says how many."""
    town.order(remove=True)
    while town.log.round == 1:
        town.step()
    for _ in range(RESTS + 5):
        town.step()

    assert (town.log.round, town.log.listed, town.log.left) == (2, 0, 5)
    assert town.run().status == DONE


def test_queue_that_is_never_empty(town: Town):
    """A count that stays too high does not keep it waiting for ever."""
    town.order()
    while town.log.round == 1:
        town.step()
    town.users.send("{}", delay_seconds=0)
    town.clock.advance(LONGEST_ROUND)
    while town.log.status == RUNNING:
        town.step()

    assert town.log.status == DONE


# Whoever cannot be served


def test_who_and_why(town: Town):
    """Who could not be served is named with the reason, and everybody else is."""
    town.order(remove=True)
    end = town.run(lambda id_: town.refuse(id_) if id_ == user(3) else town.take_back(id_))

    assert (end.status, end.left, end.troubled) == (DONE, 1, 1)
    assert end.problems == [
        {"userId": user(3), "userPrincipalName": "anne@contoso.com", "detail": "No right."}
    ]
    assert town.states.blobs.keys() == {user(3)}


def test_many_are_counted_and_some_named():
    """The list is short whatever happens; the number is right."""
    town = Town(users=MOST_PROBLEMS + 5)
    town.order(remove=True)
    end = town.run(town.refuse)

    assert (end.troubled, len(end.problems)) == (MOST_PROBLEMS + 5, MOST_PROBLEMS)


def test_repeat_tries_again(town: Town):
    """Another order tries those again who were left, and then nothing is."""
    town.order(remove=True)
    town.run(town.refuse)
    again = town.order(remove=True)
    end = town.run()

    assert (again.status, end.status, end.left) == (RUNNING, DONE, 0)
    assert town.is_clean


def test_repeat_may_leave_them(town: Town):
    """Or forgets them, pictures and all, if that is what a person wants."""
    town.order(remove=True)
    town.run(town.refuse)
    town.order()

    assert town.run().left == 0
    assert town.is_clean
    assert len(town.pictures) == 5


def test_user_who_is_always_at_work(town: Town):
    """After so many rounds it ends, and says that somebody is left."""
    town.states.before_delete[user(2)] = lambda: town.states.put(town.states[user(2)])
    town.order()
    end = town.run()

    assert (end.status, end.round, end.left) == (DONE, MOST_ROUNDS, 1)
    assert "at work" in end.detail


def test_subscription_that_cannot_be_deleted(town: Town):
    """It is told, and everything else goes on: it ends by itself within a month."""
    town.here.graph.error = AccessDenied("No right.")
    town.order()
    end = town.run()

    assert (end.status, end.left, end.subscription) == (DONE, 0, "No right.")
    assert town.states.blobs == {}


def test_graph_is_waited_for(town: Town):
    """While Graph is down the page is tried again, and nothing is skipped."""
    town.here.graph.error = ServiceDown("Down.", service="graph")
    town.order()
    with pytest.raises(ServiceDown):
        town.step()

    assert (town.log.page, town.log.status) == (1, RUNNING)


# Deaths and duplicates


def test_death_at_any_write(town: Town):
    """A page whose run dies before it is written is done again, by the same message."""

    class Dying:
        def __init__(self) -> None:
            self.write, self.dies = town.documents.write, True

        def __call__(self, name: str, fields: object, *, after: Document | None) -> Document:
            if name == NAME and self.dies:
                self.dies = False
                raise KeyboardInterrupt
            self.dies = name == NAME
            return self.write(name, fields, after=after)  # type: ignore[arg-type]

    town.order(remove=True)
    town.documents.write = Dying()  # type: ignore[method-assign]
    deaths = 0
    while town.log.status == RUNNING:
        town.work()
        message = town.upkeep.waiting[0]
        try:
            town.step()
        except KeyboardInterrupt:
            deaths += 1
            town.upkeep.waiting.insert(0, (message[0], 60.0))

    assert deaths > 5
    assert (town.log.status, town.log.left) == (DONE, 0)
    assert town.pictures == set()
    assert town.is_clean


def test_death_before_the_next_page_is_queued(town: Town):
    """The page that comes back queues the next, once whoever did it is surely not doing so."""
    begun = town.order()
    town.step()
    town.upkeep.waiting.clear()
    with pytest.raises(Conflict, match="may be queueing"):
        town.uninstall.work_off(begun.id, 1)
    town.clock.advance(3 * MINUTE)
    town.uninstall.work_off(begun.id, 1)

    assert [fields["page"] for fields, _ in town.upkeep.waiting] == [2]
    town.run()
    assert town.is_clean


@pytest.mark.parametrize("order", [("", 0), ("u-1", 1), ("../x", 7)])
def test_strays(town: Town, order: tuple[str, int]):
    """A message of no order, or of another one, changes nothing."""
    town.uninstall.work_off(*order)
    town.order()
    before = town.documents.blobs[NAME]
    town.uninstall.work_off(*order)

    assert town.documents.blobs[NAME] == before
    assert len(town.states.blobs) == 5


def test_page_delivered_twice(town: Town):
    """Of two runs over one page one queues the next."""
    begun = town.order()
    town.step()
    message = town.upkeep.waiting.pop()

    def other() -> None:
        town.documents.after_read = lambda: None
        town.uninstall.work_off(begun.id, message[0]["page"])

    town.documents.after_read = other
    town.uninstall.work_off(begun.id, message[0]["page"])

    assert [fields["page"] for fields, _ in town.upkeep.waiting] == [3]
    assert town.log.page == 3


def test_lost_message(town: Town):
    """A chain whose message is lost is found by whoever asks for it to go on."""
    town.order()
    town.step()
    town.upkeep.waiting.clear()
    town.uninstall.go_on()
    town.run()

    assert town.is_clean


def test_nothing_goes_on_without_an_order(town: Town):
    """Without one that runs, nothing is queued."""
    town.uninstall.go_on()
    town.order()
    town.run()
    town.upkeep.waiting.clear()
    town.uninstall.go_on()

    assert town.upkeep.waiting == []


def test_it_cannot_go_on(town: Town):
    """Why is kept, PhotoSync still stands still, and another order begins anew."""
    begun = town.order()
    town.uninstall.fail(begun.id, "Gave up.")
    failed, halted = town.log, town.new_halt().is_on()
    town.upkeep.waiting.clear()
    town.order()
    town.run()

    assert (failed.status, failed.detail, halted) == (FAILED, "Gave up.", True)
    assert town.is_clean


# Orders


def test_order_is_heeded_at_once_and_everywhere(town: Town):
    """In its own process at once, in others by a fresh look."""
    assert not town.halt.is_on()
    town.order()

    assert town.halt.is_on()
    assert town.new_halt().is_on()
    with pytest.raises(BadRequest, match="--cancel"):
        town.uninstall.must_be_off()


def test_same_order_twice_is_one(town: Town):
    """A second call goes on where the first stands; the message too many ends by itself."""
    first = town.order()
    town.step()
    town.step()
    second = town.order()
    end = town.run()

    assert (second.id, second.page) == (first.id, 3)
    assert (end.id, end.status) == (first.id, DONE)
    assert town.is_clean


def test_contrary_orders(town: Town):
    """Pictures that were left cannot be taken back by a second order while the first runs."""
    town.order()
    with pytest.raises(BadRequest, match="leaves the pictures"):
        town.order(remove=True)


def test_dry_run_takes_nothing_back():
    """With DRY_RUN pictures cannot be taken back, and nobody is told that they will be."""
    town = Town(dry_run=True)
    with pytest.raises(BadRequest, match="DRY_RUN"):
        town.order(remove=True)
    assert not town.halt.is_on()
    town.order()

    assert town.run().status == DONE


def test_cancel(town: Town):
    """The order is taken back at once, and a subscription and a sweep are asked for."""
    town.order(remove=True)
    town.step()
    town.upkeep.waiting.clear()

    assert town.uninstall.cancel()
    assert not town.halt.is_on()
    assert town.log.status == CANCELLED
    assert [fields["kind"] for fields, _ in town.upkeep.waiting] == ["renew", "sweep"]


@pytest.mark.parametrize("ordered", [False, True])
def test_nothing_to_cancel(town: Town, ordered: bool):
    """Without an order, or after it was cancelled, nothing is asked for."""
    if ordered:
        town.order()
        town.uninstall.cancel()
    town.upkeep.waiting.clear()

    assert not town.uninstall.cancel()
    assert town.upkeep.waiting == []


def test_cancelled_under_a_pages_hands(town: Town):
    """What a page deletes while the order is taken back is asked for once more."""
    begun = town.order()
    town.upkeep.waiting.clear()

    def cancel() -> None:
        town.documents.after_read = lambda: None
        town.uninstall.cancel()

    town.documents.after_read = cancel
    town.uninstall.work_off(begun.id, 1)

    assert not town.here.graph.live
    assert [fields["kind"] for fields, _ in town.upkeep.waiting] == ["renew", "sweep"] * 2


def test_order_after_a_cancelled_one(town: Town):
    """It is a new one, and messages of the old one are strays."""
    first = town.order()
    town.uninstall.cancel()
    second = town.order()
    town.uninstall.work_off(first.id, 1)
    town.upkeep.waiting = [each for each in town.upkeep.waiting if each[0]["kind"] == "uninstall"]
    end = town.run()

    assert (first.id == second.id, end.id) == (False, second.id)
    assert town.is_clean
