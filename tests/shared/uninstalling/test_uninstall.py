"""Uninstalls: they end, whatever happens meanwhile, and say what is left."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

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
def town() -> Town:
    return Town()


# To the end


@pytest.mark.parametrize("users", [5, 0])
def test_pictures_stay(users: int):
    """By default the subscription and all states are deleted, and all pictures stay."""
    town = Town(users)
    town.order()
    end = town.run()

    assert (end.status, end.left, end.subscription) == (DONE, 0, "")
    assert town.is_clean
    assert len(town.pictures) == users
    assert keeper.NAME not in town.documents.blobs


def test_pictures_are_removed(town: Town):
    """If ordered, the worker is asked for each user whose picture is ours, in the order's name."""
    town.add(7, picture_url="", status=NO_PHOTO)
    asked: list[str] = []

    def serve(user_id: str) -> None:
        asked.append(user_id)
        town.remove(user_id)

    begun = town.order(remove=True)
    town.step()
    town.step()
    messages = [
        (each["userId"], each["reason"], each["uninstallId"]) for each, _ in town.users.messages
    ]
    assert messages == [(user(number), "uninstall", begun.id) for number in range(2)]
    end = town.run(serve)

    assert (end.status, end.left) == (DONE, 0)
    assert asked == [user(number) for number in range(5)]
    assert town.pictures == {user(7)}
    assert town.is_clean


def test_messages_from_before_the_order_are_deleted(town: Town):
    """They are not waited for, however long they would be hidden."""
    town.users.send(json.dumps({"userId": user(1), "reason": "sweep"}), delay_seconds=20_000)
    town.order()
    town.step()

    assert town.users.messages == []


# Runs that are working


def test_runs_in_progress(town: Town):
    """A user whom a run has claimed, or written meanwhile, is handled in a later round."""
    claimed, changed = town.add(2, claim=Claim("a-run", 300.0)), user(1)

    def write() -> None:
        town.states.before_delete.clear()
        town.states.put(replace(town.states[changed], detail="Newer."))

    town.states.before_delete[changed] = write
    town.order()
    town.run(until=lambda: town.log.round == 2)
    kept = set(town.states.blobs)
    end = town.run()

    assert (kept, end.status, end.left) == ({claimed, changed}, DONE, 0)
    assert town.is_clean


def test_run_that_began_before_the_order(town: Town):
    """A state or a subscription that such a run writes within GRACE is found."""
    town.order(remove=True)
    town.step()
    assert not town.here.graph.live
    town.here.keep()
    town.run(until=lambda: town.log.round == 2)
    town.run(until=lambda: town.log.rests == RESTS - 1)
    town.add(9)
    end = town.run()

    assert (end.status, end.left) == (DONE, 0)
    assert town.pictures == set()
    assert town.is_clean
    assert keeper.NAME not in town.documents.blobs


@pytest.mark.parametrize("hours", [0, 1, -1])
def test_grace(town: Town, hours: int):
    """The second round begins after GRACE, even if the clock is wrong by an hour."""
    began, skew, pauses = town.clock.now, timedelta(hours=hours), 0
    town.order()
    town.run(until=lambda: town.log.round == 2)
    town.clock.advance(skew)
    while town.log.rests < RESTS:
        town.step()
        pauses += 1

    assert pauses * PAUSE >= GRACE.total_seconds() - PAUSE
    assert town.run().status == DONE
    assert town.clock.now - began - skew >= GRACE


def test_repeated_command(town: Town):
    """However often the command is repeated without a pause, GRACE is kept."""
    begun = town.order()
    town.run(until=lambda: town.log.round == 2)
    for _ in range(2 * RESTS):
        town.uninstall.process(begun.id, town.log.page)

    assert (town.log.round, town.log.listed, town.log.status) == (2, 0, RUNNING)


def test_endless_list(town: Town):
    """A listing that never ends is given up, and the next order begins anew."""
    begun = town.order()
    fields = {**town.documents.blobs[NAME].fields, "page": MOST_PAGES, "next": "t"}
    town.documents.put(NAME, fields)

    with pytest.raises(EndlessList):
        town.uninstall.process(begun.id, MOST_PAGES)


def test_long_queue(town: Town):
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


# Users who cannot be handled


def test_user_who_cannot_be_handled(town: Town):
    """The user is named with the reason, and all others are handled."""
    town.order(remove=True)
    end = town.run(lambda id_: town.refuse(id_) if id_ == user(3) else town.remove(id_))

    assert (end.status, end.left, end.troubled) == (DONE, 1, 1)
    assert end.problems == [
        {"userId": user(3), "userPrincipalName": "anne@contoso.com", "detail": "No right."}
    ]
    assert town.states.blobs.keys() == {user(3)}


def test_many_are_counted_and_some_named():
    """The list has a limit; the number is right."""
    town = Town(users=MOST_PROBLEMS + 5)
    town.order(remove=True)
    end = town.run(town.refuse)

    assert (end.troubled, len(end.problems)) == (MOST_PROBLEMS + 5, MOST_PROBLEMS)


@pytest.mark.parametrize(("remove", "pictures"), [(True, 0), (False, 5)])
def test_second_order_after_problems(town: Town, remove: bool, pictures: int):
    """It tries the remaining users again, or forgets them without removing their pictures."""
    town.order(remove=True)
    town.run(town.refuse)
    again = town.order(remove=remove)
    end = town.run()

    assert (again.status, end.status, end.left) == (RUNNING, DONE, 0)
    assert town.is_clean
    assert len(town.pictures) == pictures


def test_user_who_is_always_claimed(town: Town):
    """After MOST_ROUNDS it ends, and says how many users are left."""
    town.states.before_delete[user(2)] = lambda: town.states.put(town.states[user(2)])
    town.order()
    end = town.run()

    assert (end.status, end.round, end.left) == (DONE, MOST_ROUNDS, 1)
    assert end.detail == "Whenever PhotoSync checked, 1 users were being copied."


def test_subscription_that_cannot_be_deleted(town: Town):
    """The end says why, and all else goes on: the subscription expires within a month."""
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
    """A page whose run dies before the write is repeated by the same message."""
    town.order(remove=True)
    write, dies, deaths = town.documents.write, itertools.cycle([True, False]), 0

    def write_or_die(name: str, fields: Any, *, after: Document | None) -> Document:
        if name == NAME and next(dies):
            raise KeyboardInterrupt
        return write(name, fields, after=after)

    town.documents.write = write_or_die  # type: ignore[method-assign]
    while town.log.status == RUNNING:
        town.work()
        message = town.upkeep.messages[0]
        try:
            town.step()
        except KeyboardInterrupt:
            deaths += 1
            town.upkeep.messages.insert(0, (message[0], 60.0))

    assert deaths > 5
    assert (town.log.status, town.log.left) == (DONE, 0)
    assert town.pictures == set()
    assert town.is_clean


def test_death_before_the_next_page_is_queued(town: Town):
    """The page that comes back queues the next, once the run that did it is surely dead."""
    begun = town.order()
    town.step()
    town.upkeep.messages.clear()
    with pytest.raises(Conflict, match="may still be queueing the next"):
        town.uninstall.process(begun.id, 1)
    town.clock.advance(3 * MINUTE)
    town.uninstall.process(begun.id, 1)

    assert [fields["page"] for fields, _ in town.upkeep.messages] == [2]
    town.run()
    assert town.is_clean


@pytest.mark.parametrize("order", [("", 0), ("u-1", 1), ("../x", 7)])
def test_strays(town: Town, order: tuple[str, int]):
    """A message of no order, or of another, changes nothing."""
    town.uninstall.process(*order)
    town.order()
    before = town.documents.blobs[NAME]
    town.uninstall.process(*order)

    assert town.documents.blobs[NAME] == before
    assert len(town.states.blobs) == 5


def test_page_delivered_twice(town: Town):
    """Of two runs over one page, one queues the next."""
    begun = town.order()
    town.step()
    message = town.upkeep.messages.pop()
    town.documents.at_read.append(lambda: town.uninstall.process(begun.id, message[0]["page"]))

    town.uninstall.process(begun.id, message[0]["page"])

    assert [fields["page"] for fields, _ in town.upkeep.messages] == [3]
    assert town.log.page == 3


def test_lost_message(town: Town):
    """A lost message is queued again by `go_on`, which does nothing without a running order."""
    town.uninstall.go_on()
    assert town.upkeep.messages == []
    town.order()
    town.step()
    town.upkeep.messages.clear()
    town.uninstall.go_on()
    town.run()
    assert town.is_clean

    town.upkeep.messages.clear()
    town.uninstall.go_on()
    assert town.upkeep.messages == []


def test_failed_uninstall(town: Town):
    """The reason is stored, PhotoSync stays halted, and another order begins anew."""
    begun = town.order()
    town.uninstall.fail(begun.id, "Gave up.")
    failed, halted = town.log, town.new_halt().is_on()
    town.upkeep.messages.clear()
    town.order()
    town.run()

    assert (failed.status, failed.detail, halted) == (FAILED, "Gave up.", True)
    assert town.is_clean


# Orders


def test_order_takes_effect_at_once(town: Town):
    """The process that took the order obeys at once, others with their next check."""
    assert not town.halt.is_on()
    town.order()

    assert town.halt.is_on()
    assert town.new_halt().is_on()
    with pytest.raises(BadRequest, match="--cancel"):
        town.uninstall.must_be_off()


@pytest.mark.parametrize(("dry_run", "refusal"), [(False, "keeps the pictures"), (True, "DRY_RUN")])
def test_refused_order(dry_run: bool, refusal: str):
    """
    Pictures cannot be removed with DRY_RUN, or while an order that keeps them is running. An order
    like the running one continues it; the extra message does nothing.
    """
    town = Town(dry_run=dry_run)
    begun = None if dry_run else town.order()
    with pytest.raises(BadRequest, match=refusal):
        town.order(remove=True)
    assert town.halt.is_on() is not dry_run
    again = town.order()

    assert begun in (None, again)
    assert len(town.upkeep.messages) == (1 if dry_run else 2)
    assert (town.run().status, town.log.id) == (DONE, again.id)
    assert town.is_clean


def test_cancel(town: Town):
    """A running order is cancelled at once, and a subscription and a sweep are ordered."""
    assert not town.uninstall.cancel()
    town.order(remove=True)
    town.step()
    town.upkeep.messages.clear()

    assert town.uninstall.cancel()
    assert not town.halt.is_on()
    assert town.log.status == CANCELLED
    assert not town.uninstall.cancel()
    assert [fields["kind"] for fields, _ in town.upkeep.messages] == ["renew", "sweep"]


def test_cancelled_during_a_page(town: Town):
    """What a page deletes while the order is cancelled is ordered once more."""
    begun = town.order()
    town.upkeep.messages.clear()
    town.documents.at_read.append(town.uninstall.cancel)

    town.uninstall.process(begun.id, 1)

    assert not town.here.graph.live
    assert [fields["kind"] for fields, _ in town.upkeep.messages] == ["renew", "sweep"] * 2


def test_order_after_a_cancelled_one(town: Town):
    """It is a new order, and messages of the old one do nothing."""
    first = town.order()
    town.uninstall.cancel()
    second = town.order()
    town.uninstall.process(first.id, 1)
    town.upkeep.messages = [each for each in town.upkeep.messages if each[0]["kind"] == "uninstall"]
    end = town.run()

    assert (first.id == second.id, end.id) == (False, second.id)
    assert town.is_clean
