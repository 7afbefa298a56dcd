"""A fill: whoever a sweep has written down gets a turn."""

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
    """A sweep that has found so many, and none of whose messages is left."""
    sweeping = swept(people(many), pace=PACE)
    sweeping.users.messages.clear()
    sweeping.upkeep.messages.clear()
    return sweeping


def step(sweeping: Sweeping, after: timedelta = MINUTE) -> list[str]:
    """The next step, and who got a turn in it; the worker has done with all of them then."""
    sweeping.now += after
    sweeping.filling.work_off(sweeping.fill.sweep_id, sweeping.fill.step)
    sent = [json.loads(each.body)["userId"] for each in sweeping.users.messages]
    sweeping.users.messages.clear()
    return sent


def test_everybody_has_one_turn():
    """A fill sends everybody once, in as many minutes as the pace asks for, and ends."""
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


def test_turns_of_a_minute_are_spread_over_it():
    """No two seconds of a step are crowded: a change among them waits for nobody."""
    sweeping = begun()
    sweeping.now += MINUTE
    sweeping.filling.work_off(sweeping.fill.sweep_id, 1)
    seconds = sorted(
        (each.visible_at - sweeping.now).total_seconds() for each in sweeping.users.messages
    )

    assert len(seconds) == PACE.a_minute
    assert max(b - a for a, b in zip(seconds, seconds[1:], strict=False)) < 2.1
    assert seconds[0] == 0
    assert seconds[-1] < 60


def test_next_step_comes_after_a_minute():
    """Each step queues the next one, a minute later."""
    sweeping = begun()
    step(sweeping)
    [message] = sweeping.upkeep.messages

    assert json.loads(message.body)["page"] == 2
    assert message.visible_at - sweeping.now == MINUTE


def test_a_step_waits_for_the_queue():
    """Where the worker does not get on less is queued."""
    sweeping = begun()
    step(sweeping)
    for number in range(1_000):
        sweeping.users.send(f"waits-{number}", delay_seconds=0)
    sweeping.now += MINUTE
    sweeping.filling.work_off(sweeping.fill.sweep_id, 2)

    assert PACE.a_minute < sweeping.fill.sent < 2 * PACE.a_minute


def test_what_waited_before_slows_nothing_down():
    """Messages that wait when a fill begins, for mailboxes in trouble, say, are none of its own."""
    sweeping = begun()
    for number in range(1_000):
        sweeping.users.send(f"waits-{number}", delay_seconds=0)
    sweeping.now += MINUTE
    sweeping.filling.work_off(sweeping.fill.sweep_id, 1)

    assert sweeping.fill.sent == PACE.a_minute


def test_step_delivered_twice():
    """A step that somebody has just done is tried later, and queues nobody again."""
    sweeping = begun()
    step(sweeping)
    with pytest.raises(Conflict):
        sweeping.filling.work_off(sweeping.fill.sweep_id, 1)

    assert sweeping.fill.sent == PACE.a_minute
    assert sweeping.users.messages == []


def test_death_between_writing_and_queueing():
    """A step that comes back after its run died queues the next one again."""
    sweeping = begun()
    step(sweeping)
    sweeping.upkeep.messages.clear()
    sweeping.now += 3 * MINUTE
    sweeping.filling.work_off(sweeping.fill.sweep_id, 1)

    assert sweeping.orders() == [("fill", 2)]


def test_lost_message():
    """A fill that lost its message goes on when the next sweep begins; one at work is left."""
    sweeping = begun()
    step(sweeping)
    sweeping.upkeep.messages.clear()
    sweeping.filling.revive()
    assert sweeping.orders() == []
    sweeping.now += fill.QUIET + MINUTE
    sweeping.filling.revive()

    assert sweeping.orders() == [("fill", 2)]


def test_of_another_sweep():
    """A message of a fill that is over, or none of ours, does nothing."""
    sweeping = begun()
    sweeping.filling.work_off("20260101T000000-00000000", 1)
    sweeping.filling.work_off(sweeping.fill.sweep_id, 7)

    assert sweeping.fill.sent == 0


def test_a_sweep_that_is_still_listing():
    """A fill that has caught up with its sweep waits for it, and sends what it finds then."""
    sweeping = swept(people(40), pace=PACE)
    sweeping.users.messages.clear()
    running = sweeping.logs.read(sweeping.log.id)
    assert running
    read = sweeping.logs.write(replace(running[0], status="running", page=2), after=running[1])
    first = step(sweeping)
    assert (len(first), sweeping.fill.status, sweeping.fill.eta()) == (10, fill_log.RUNNING, "")
    sweeping.logs.write(running[0], after=read)

    assert step(sweeping) == []
    assert sweeping.fill.status == fill_log.FINISHED


def test_a_sweep_that_nobody_looks_after():
    """Where a person took `latest.json` away its sweep may never end, and the fill ends for it."""
    sweeping = swept(people(40), pace=PACE)
    running = sweeping.logs.read(sweeping.log.id)
    assert running
    sweeping.logs.write(replace(running[0], status="running", page=2), after=running[1])
    sweeping.now += timedelta(days=3)
    step(sweeping)

    assert sweeping.fill.status == fill_log.FINISHED


def test_when_it_is_done():
    """Told by what has been done since it began; nobody knows before the first turn."""
    sweeping = begun(330)
    assert sweeping.fill.eta() == ""
    for _ in range(4):
        step(sweeping)

    assert sweeping.fill.found == 300
    assert moments.read(sweeping.fill.eta()) == NOON + 11 * MINUTE


def test_two_runs_of_one_step():
    """Of two runs over one step only the first to write it down queues the next."""
    sweeping = begun()
    sweeping.now += MINUTE
    fill, read = sweeping.fills.latest()
    assert fill
    sweeping.meanwhile_filling = lambda: sweeping.fills.write(replace(fill, step=2), after=read)
    sweeping.filling.work_off(fill.sweep_id, 1)

    assert sweeping.orders() == []


def test_sweep_that_a_person_deleted():
    """A fill whose sweep is gone ends: the next sweep finds whoever is left."""
    sweeping = begun()
    found = sweeping.logs.read(sweeping.fill.sweep_id)
    assert found
    sweeping.documents.delete(f"sweeps/{found[0].id}.json", after=found[1])

    assert step(sweeping) == []
    assert sweeping.fill.status == fill_log.FINISHED


def test_damaged_document():
    """A fill that a person wrote into is none; the next one takes its place."""
    sweeping = begun()
    _, read = sweeping.fills.latest()
    sweeping.documents.write("sweeps/fill.json", {"sweepId": 7}, after=read)
    found, document = sweeping.fills.latest()

    assert found is None
    assert document
