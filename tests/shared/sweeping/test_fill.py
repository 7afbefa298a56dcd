"""A fill: the users on a sweep's waiting lists are queued at the tenant's pace."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared import moments
from shared.errors import Conflict
from shared.sweeping import fill, fill_log
from tests.shared.sweeping.sweeping_alone import MINUTE, NOON, Sweeping, with_room
from tests.shared.sweeping.test_turns import people, swept

PACE = with_room(30)


def begun(many: int = 500) -> Sweeping:
    """A sweep that has found so many users, after all its messages were processed."""
    sweeping = swept(people(many), pace=PACE)
    sweeping.users.messages.clear()
    sweeping.upkeep.messages.clear()
    return sweeping


def step(sweeping: Sweeping, after: timedelta = MINUTE) -> list[str]:
    """Do the next step and return the users it queued; the worker is done with them then."""
    sweeping.now += after
    sweeping.filling.process(sweeping.fill.sweep_id, sweeping.fill.step)
    sent = [json.loads(each.body)["userId"] for each in sweeping.users.messages]
    sweeping.users.messages.clear()
    return sent


def test_everyone_is_queued_once():
    """A fill queues each user once, in as many minutes as the pace requires, and ends."""
    sweeping = swept(people(60), people(3, first=100), people(60, first=200), pace=PACE)
    sent = [user_id for user_id, _ in sweeping.queued()]
    minutes = 0
    sweeping.users.messages.clear()
    while sweeping.fill.status == fill_log.RUNNING:
        sent += step(sweeping)
        minutes += 1

    assert sorted(sent) == sorted(user for user, _ in people(60) + people(3, first=100)) + [
        user for user, _ in people(60, first=200)
    ]
    assert minutes == 3
    assert sweeping.fill.sent == sweeping.fill.found == 90


def test_step():
    """The users of a step become visible evenly over a minute, and then the next step."""
    sweeping = begun()
    sweeping.now += MINUTE
    sweeping.filling.process(sweeping.fill.sweep_id, 1)
    seconds = sorted(
        (each.visible_at - sweeping.now).total_seconds() for each in sweeping.users.messages
    )
    [message] = sweeping.upkeep.messages

    assert len(seconds) == PACE.a_minute
    assert max(b - a for a, b in zip(seconds, seconds[1:], strict=False)) < 2.1
    assert seconds[0] == 0
    assert seconds[-1] < 60
    assert (json.loads(message.body)["page"], message.visible_at - sweeping.now) == (2, MINUTE)


@pytest.mark.parametrize(("steps", "slower"), [(1, True), (0, False)])
def test_backlog(steps: int, slower: bool):
    """While messages pile up a step queues fewer users; a backlog from before has no effect."""
    sweeping = begun()
    for _ in range(steps):
        step(sweeping)
    before = sweeping.fill.sent
    for number in range(1_000):
        sweeping.users.send(f"waits-{number}", delay_seconds=0)
    sweeping.now += MINUTE
    sweeping.filling.process(sweeping.fill.sweep_id, steps + 1)

    sent = sweeping.fill.sent - before
    assert 0 < sent < PACE.a_minute if slower else sent == PACE.a_minute


def test_messages_that_are_not_the_next_step():
    """A step that was just done waits; once its run is surely dead, it queues the next step."""
    sweeping = begun()
    step(sweeping)
    sweeping.upkeep.messages.clear()
    with pytest.raises(Conflict):
        sweeping.filling.process(sweeping.fill.sweep_id, 1)
    sweeping.filling.process("20260101T000000-00000000", 2)
    sweeping.filling.process(sweeping.fill.sweep_id, 7)
    assert sweeping.orders() == []

    sweeping.now += 3 * MINUTE
    sweeping.filling.process(sweeping.fill.sweep_id, 1)
    assert sweeping.orders() == [("fill", 2)]
    assert sweeping.fill.sent == PACE.a_minute
    assert sweeping.users.messages == []


def test_lost_message():
    """A fill that lost its message continues when the next sweep begins, and only then."""
    sweeping = begun()
    step(sweeping)
    sweeping.upkeep.messages.clear()
    sweeping.filling.revive()
    assert sweeping.orders() == []
    sweeping.now += fill.QUIET + MINUTE
    sweeping.filling.revive()

    assert sweeping.orders() == [("fill", 2)]


def test_sweep_that_is_still_listing():
    """A fill that has caught up with its sweep waits for it, and ends after it."""
    sweeping = swept(people(40), pace=PACE)
    sweeping.users.messages.clear()
    ended = sweeping.log
    sweeping.edit(status="running", page=2)
    first = step(sweeping)
    assert (len(first), sweeping.fill.status, sweeping.fill.eta()) == (10, fill_log.RUNNING, "")
    sweeping.edit(status=ended.status, page=ended.page)

    assert step(sweeping) == []
    assert sweeping.fill.status == fill_log.FINISHED


@pytest.mark.parametrize("deleted", [True, False])
def test_sweep_that_never_ends(deleted: bool):
    """A fill ends without a sweep that was deleted, or abandoned since nothing points to it."""
    sweeping = swept(people(40), pace=PACE)
    sweeping.users.messages.clear()
    found = sweeping.logs.read(sweeping.log.id)
    assert found
    if deleted:
        sweeping.documents.delete(f"sweeps/{found[0].id}.json", after=found[1])
    else:
        sweeping.edit(status="running", page=2)
    sent = step(sweeping, timedelta(days=3))

    assert len(sent) == (0 if deleted else 10)
    assert sweeping.fill.status == fill_log.FINISHED


def test_eta():
    """The end is estimated from the pace so far; before the first step it is unknown."""
    sweeping = begun(330)
    assert sweeping.fill.eta() == ""
    for _ in range(4):
        step(sweeping)

    assert sweeping.fill.found == 300
    assert moments.read(sweeping.fill.eta()) == NOON + 11 * MINUTE


def test_two_runs_of_one_step():
    """Of two runs over one step, only the first to write queues the next."""
    sweeping = begun()
    sweeping.now += MINUTE
    fill, read = sweeping.fills.latest()
    assert fill
    sweeping.meanwhile_filling = lambda: sweeping.fills.write(replace(fill, step=2), after=read)
    sweeping.filling.process(fill.sweep_id, 1)

    assert sweeping.orders() == []


def test_damaged_document():
    """A fill damaged by hand counts as missing, and the next one replaces it."""
    sweeping = begun()
    _, read = sweeping.fills.latest()
    sweeping.documents.write("sweeps/fill.json", {"sweepId": 7}, after=read)
    found, document = sweeping.fills.latest()

    assert found is None
    assert document
