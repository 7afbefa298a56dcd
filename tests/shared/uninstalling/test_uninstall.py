"""PhotoSync is taken back to the end, whatever happens meanwhile, and told of until it is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import AccessDenied, BadRequest, Conflict, EndlessList, ServiceDown
from shared.storage.documents import Document
from shared.storage.user_state import NO_PHOTO, Claim
from shared.subscription import keeper
from shared.uninstalling.uninstall import (
    GRACE,
    LONGEST_ROUND,
    MOST_PAGES,
    MOST_PROBLEMS,
    MOST_ROUNDS,
    PAUSE,
    RESTS,
)
from shared.uninstalling.uninstall_log import CANCELLED, DONE, FAILED, NAME, RUNNING
from tests.shared.uninstalling.town import Town, user

MINUTE = timedelta(minutes=1)


@pytest.fixture
def village() -> Town:
    return Town()


# To the end


def test_pictures_stay(village: Town):
    """By default the subscription and all states go, and nobody's picture is touched."""
    village.order()
    end = village.run()

    assert (end.status, end.left, end.subscription) == (DONE, 0, "")
    assert village.is_clean
    assert len(village.pictures) == 5
    assert keeper.NAME not in village.documents.blobs


def test_pictures_are_taken_back(village: Town):
    """If that was ordered, the worker is sent to everybody whose picture is ours."""
    village.add(7, picture_url="", status=NO_PHOTO)
    asked: list[str] = []

    def serve(user_id: str) -> None:
        asked.append(user_id)
        village.take_back(user_id)

    village.order(remove=True)
    end = village.run(serve)

    assert (end.status, end.left) == (DONE, 0)
    assert asked == [user(number) for number in range(5)]
    assert village.pictures == {user(7)}
    assert village.is_clean


def test_messages_name_their_order(village: Town):
    """The worker takes a picture back for the order that runs and for no other."""
    begun = village.order(remove=True)
    village.step()
    village.step()

    told = [(each["userId"], each["reason"], each["uninstallId"]) for each in village.users.waiting]
    assert told == [(user(number), "uninstall", begun.id) for number in range(2)]


def test_messages_before_the_order_go_first(village: Town):
    """What was queued before is not waited for, however long it would have been hidden."""
    village.users.send(json.dumps({"userId": user(1), "reason": "sweep"}), delay_seconds=20_000)
    village.order()
    village.step()

    assert village.users.waiting == []


def test_empty_town():
    """Where nobody has a state it ends, too."""
    village = Town(users=0)
    village.order()

    assert village.run().status == DONE
    assert village.is_clean


# Whoever is at work


def test_copy_under_way(village: Town):
    """A user whom a run has to itself is left to it, and served in a later round."""
    id_ = village.add(2, claim=Claim("a-run", 300.0))
    village.order(remove=True)
    village.run(until=lambda: village.log.round == 2)
    kept = set(village.states.blobs)
    end = village.run()

    assert (kept, end.status, end.left) == ({id_}, DONE, 0)
    assert village.is_clean


def test_state_that_moves_on(village: Town):
    """What another run has written meanwhile is not deleted with what we read."""

    def write() -> None:
        village.states.before_delete.clear()
        village.states.put(replace(village.states[user(1)], detail="Newer."))

    village.states.before_delete[user(1)] = write
    village.order()
    village.run(until=lambda: village.log.round == 2)
    kept = village.states[user(1)].detail
    village.run()

    assert kept == "Newer."
    assert village.is_clean


def test_run_that_began_before_the_order(village: Town):
    """Who has not heard of it yet, and writes a new state within the grace, is found."""
    village.order(remove=True)
    village.run(until=lambda: village.log.round == 2)
    village.run(until=lambda: village.log.rests == RESTS - 1)
    village.add(9)
    end = village.run()

    assert (end.status, end.left) == (DONE, 0)
    assert village.pictures == set()
    assert village.is_clean


def test_subscription_made_by_a_run_that_began_before(village: Town):
    """One that is made after ours was deleted is deleted at the end."""
    village.order()
    village.step()
    assert not village.here.graph.live
    village.here.keep()
    village.run()

    assert village.is_clean
    assert keeper.NAME not in village.documents.blobs


def test_no_round_begins_before_grace_is_over(village: Town):
    """The second round begins after GRACE by our clock, and after so many pauses of storage."""
    began = village.clock.now
    village.order()
    village.run()

    assert village.clock.now - began >= GRACE


@pytest.mark.parametrize("skew", [timedelta(hours=1), -timedelta(hours=1)], ids=str)
def test_clock_that_is_wrong(village: Town, skew: timedelta):
    """A machine whose clock is an hour off does not cut the grace short."""
    village.order()
    village.run(until=lambda: village.log.round == 2)
    village.clock.advance(skew)
    pauses = 0
    while village.log.rests < RESTS:
        village.step()
        pauses += 1

    assert pauses * PAUSE >= GRACE.total_seconds() - PAUSE
    assert village.run().status == DONE


def test_impatience(village: Town):
    """However often the command is repeated, each time without a pause, the grace is kept."""
    begun = village.order()
    village.run(until=lambda: village.log.round == 2)
    for _ in range(2 * RESTS):
        village.uninstall.work_off(begun.id, village.log.page)

    assert (village.log.round, village.log.listed, village.log.status) == (2, 0, RUNNING)


def test_list_that_goes_on_and_on(village: Town):
    """A listing that never ends is given up, and the next order begins anew."""
    begun = village.order()
    fields = {**village.documents.blobs[NAME].fields, "page": MOST_PAGES, "next": "t"}
    village.documents.put(NAME, fields)

    with pytest.raises(EndlessList):
        village.uninstall.work_off(begun.id, MOST_PAGES)


def test_queue_that_is_long(village: Town):
    """No round begins while messages of the one before wait; the progress says how many."""
    village.order(remove=True)
    while village.log.round == 1:
        village.step()
    for _ in range(RESTS + 5):
        village.step()

    assert (village.log.round, village.log.listed, village.log.left) == (2, 0, 5)
    assert village.run().status == DONE


def test_queue_that_is_never_empty(village: Town):
    """A count that stays too high does not keep it waiting for ever."""
    village.order()
    while village.log.round == 1:
        village.step()
    village.users.send("{}", delay_seconds=0)
    village.clock.advance(LONGEST_ROUND)
    while village.log.status == RUNNING:
        village.step()

    assert village.log.status == DONE


# Whoever cannot be served


def test_who_and_why(village: Town):
    """Who could not be served is named with the reason, and everybody else is."""
    village.order(remove=True)
    end = village.run(lambda id_: village.refuse(id_) if id_ == user(3) else village.take_back(id_))

    assert (end.status, end.left, end.troubled) == (DONE, 1, 1)
    assert end.problems == [
        {"userId": user(3), "userPrincipalName": "anne@contoso.com", "detail": "No right."}
    ]
    assert village.states.blobs.keys() == {user(3)}


def test_many_are_counted_and_some_named():
    """The list is short whatever happens; the number is right."""
    village = Town(users=MOST_PROBLEMS + 5)
    village.order(remove=True)
    end = village.run(village.refuse)

    assert (end.troubled, len(end.problems)) == (MOST_PROBLEMS + 5, MOST_PROBLEMS)


def test_repeat_tries_again(village: Town):
    """Another order tries those again who were left, and then nothing is."""
    village.order(remove=True)
    village.run(village.refuse)
    again = village.order(remove=True)
    end = village.run()

    assert (again.status, end.status, end.left) == (RUNNING, DONE, 0)
    assert village.is_clean


def test_repeat_may_leave_them(village: Town):
    """Or forgets them, pictures and all, if that is what a person wants."""
    village.order(remove=True)
    village.run(village.refuse)
    village.order()

    assert village.run().left == 0
    assert village.is_clean
    assert len(village.pictures) == 5


def test_user_who_is_always_at_work(village: Town):
    """After so many rounds it ends, and says that somebody is left."""
    village.states.before_delete[user(2)] = lambda: village.states.put(village.states[user(2)])
    village.order()
    end = village.run()

    assert (end.status, end.round, end.left) == (DONE, MOST_ROUNDS, 1)
    assert end.detail == "Whenever PhotoSync checked, 1 users were being copied."


def test_subscription_that_cannot_be_deleted(village: Town):
    """It is told, and everything else goes on: it ends by itself within a month."""
    village.here.graph.error = AccessDenied("No right.")
    village.order()
    end = village.run()

    assert (end.status, end.left, end.subscription) == (DONE, 0, "No right.")
    assert village.states.blobs == {}


def test_graph_is_waited_for(village: Town):
    """While Graph is down the page is tried again, and nothing is skipped."""
    village.here.graph.error = ServiceDown("Down.", service="graph")
    village.order()
    with pytest.raises(ServiceDown):
        village.step()

    assert (village.log.page, village.log.status) == (1, RUNNING)


# Deaths and duplicates


def test_death_at_any_write(village: Town):
    """A page whose run dies before it is written is done again, by the same message."""

    class Dying:
        def __init__(self) -> None:
            self.write, self.dies = village.documents.write, True

        def __call__(self, name: str, fields: object, *, after: Document | None) -> Document:
            if name == NAME and self.dies:
                self.dies = False
                raise KeyboardInterrupt
            self.dies = name == NAME
            return self.write(name, fields, after=after)  # type: ignore[arg-type]

    village.order(remove=True)
    village.documents.write = Dying()  # type: ignore[method-assign]
    deaths = 0
    while village.log.status == RUNNING:
        village.work()
        message = village.upkeep.waiting[0]
        try:
            village.step()
        except KeyboardInterrupt:
            deaths += 1
            village.upkeep.waiting.insert(0, (message[0], 60.0))

    assert deaths > 5
    assert (village.log.status, village.log.left) == (DONE, 0)
    assert village.pictures == set()
    assert village.is_clean


def test_death_before_the_next_page_is_queued(village: Town):
    """The page that comes back queues the next, once whoever did it is surely not doing so."""
    begun = village.order()
    village.step()
    village.upkeep.waiting.clear()
    with pytest.raises(Conflict, match="may still be queueing the next"):
        village.uninstall.work_off(begun.id, 1)
    village.clock.advance(3 * MINUTE)
    village.uninstall.work_off(begun.id, 1)

    assert [fields["page"] for fields, _ in village.upkeep.waiting] == [2]
    village.run()
    assert village.is_clean


@pytest.mark.parametrize("order", [("", 0), ("u-1", 1), ("../x", 7)])
def test_strays(village: Town, order: tuple[str, int]):
    """A message of no order, or of another one, changes nothing."""
    village.uninstall.work_off(*order)
    village.order()
    before = village.documents.blobs[NAME]
    village.uninstall.work_off(*order)

    assert village.documents.blobs[NAME] == before
    assert len(village.states.blobs) == 5


def test_page_delivered_twice(village: Town):
    """Of two runs over one page one queues the next."""
    begun = village.order()
    village.step()
    message = village.upkeep.waiting.pop()

    def other() -> None:
        village.documents.after_read = lambda: None
        village.uninstall.work_off(begun.id, message[0]["page"])

    village.documents.after_read = other
    village.uninstall.work_off(begun.id, message[0]["page"])

    assert [fields["page"] for fields, _ in village.upkeep.waiting] == [3]
    assert village.log.page == 3


def test_lost_message(village: Town):
    """A chain whose message is lost is found by whoever asks for it to go on."""
    village.order()
    village.step()
    village.upkeep.waiting.clear()
    village.uninstall.go_on()
    village.run()

    assert village.is_clean


def test_nothing_goes_on_without_an_order(village: Town):
    """Without one that runs, nothing is queued."""
    village.uninstall.go_on()
    village.order()
    village.run()
    village.upkeep.waiting.clear()
    village.uninstall.go_on()

    assert village.upkeep.waiting == []


def test_it_cannot_go_on(village: Town):
    """Why is kept, PhotoSync still stands still, and another order begins anew."""
    begun = village.order()
    village.uninstall.fail(begun.id, "Gave up.")
    failed, halted = village.log, village.new_halt().is_on()
    village.upkeep.waiting.clear()
    village.order()
    village.run()

    assert (failed.status, failed.detail, halted) == (FAILED, "Gave up.", True)
    assert village.is_clean


# Orders


def test_order_is_heeded_at_once_and_everywhere(village: Town):
    """In its own process at once, in others by a fresh look."""
    assert not village.halt.is_on()
    village.order()

    assert village.halt.is_on()
    assert village.new_halt().is_on()
    with pytest.raises(BadRequest, match="--cancel"):
        village.uninstall.must_be_off()


def test_same_order_twice_is_one(village: Town):
    """A second call goes on where the first stands; the message too many ends by itself."""
    first = village.order()
    village.step()
    village.step()
    second = village.order()
    end = village.run()

    assert (second.id, second.page) == (first.id, 3)
    assert (end.id, end.status) == (first.id, DONE)
    assert village.is_clean


def test_contrary_orders(village: Town):
    """Pictures that were left cannot be taken back by a second order while the first runs."""
    village.order()
    with pytest.raises(BadRequest, match="keeps the pictures"):
        village.order(remove=True)


def test_dry_run_takes_nothing_back():
    """With DRY_RUN pictures cannot be taken back, and nobody is told that they will be."""
    village = Town(dry_run=True)
    with pytest.raises(BadRequest, match="DRY_RUN"):
        village.order(remove=True)
    assert not village.halt.is_on()
    village.order()

    assert village.run().status == DONE


def test_cancel(village: Town):
    """The order is taken back at once, and a subscription and a sweep are asked for."""
    village.order(remove=True)
    village.step()
    village.upkeep.waiting.clear()

    assert village.uninstall.cancel()
    assert not village.halt.is_on()
    assert village.log.status == CANCELLED
    assert [fields["kind"] for fields, _ in village.upkeep.waiting] == ["renew", "sweep"]


@pytest.mark.parametrize("ordered", [False, True])
def test_nothing_to_cancel(village: Town, ordered: bool):
    """Without an order, or after it was cancelled, nothing is asked for."""
    if ordered:
        village.order()
        village.uninstall.cancel()
    village.upkeep.waiting.clear()

    assert not village.uninstall.cancel()
    assert village.upkeep.waiting == []


def test_cancelled_under_a_pages_hands(village: Town):
    """What a page deletes while the order is taken back is asked for once more."""
    begun = village.order()
    village.upkeep.waiting.clear()

    def cancel() -> None:
        village.documents.after_read = lambda: None
        village.uninstall.cancel()

    village.documents.after_read = cancel
    village.uninstall.work_off(begun.id, 1)

    assert not village.here.graph.live
    assert [fields["kind"] for fields, _ in village.upkeep.waiting] == ["renew", "sweep"] * 2


def test_order_after_a_cancelled_one(village: Town):
    """It is a new one, and messages of the old one are strays."""
    first = village.order()
    village.uninstall.cancel()
    second = village.order()
    village.uninstall.work_off(first.id, 1)
    village.upkeep.waiting = [
        each for each in village.upkeep.waiting if each[0]["kind"] == "uninstall"
    ]
    end = village.run()

    assert (first.id == second.id, end.id) == (False, second.id)
    assert village.is_clean
