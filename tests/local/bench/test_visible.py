"""How a change's way into SharePoint is read off the journal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.bench.burst.instance import WITHOUT_COPYING, instance
from local.bench.measuring.concurrency import AT_ONCE, LONGEST_POLL
from local.bench.measuring.conditions import GRAPH_WAITS, SETTINGS
from local.bench.measuring.settled_tenant import SettledTenant
from local.bench.measuring.spent import Spent
from local.bench.visible.visible import Scene
from local.bench.visible.visible_result import (
    Alone,
    Burst,
    alone_rows,
    instance_rows,
    together_rows,
)
from local.bench.visible.visible_steps import STEPS, Change, changes, most_at_once
from local.cloud.stack import Stack
from local.soak.pictures import pictures

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
USER, APP = "u1", "app"
# Service, path, start and milliseconds.
WAY = (
    ("delivery", "/api/notifications", 0, 10),
    ("graph", "/v1.0/users/u1/photo", 500, 120),
    ("graph", "/v1.0/$batch", 640, 480),
    ("sharepoint", "/_api/…/GetPropertiesFor(accountName=@v)", 645, 200),
    ("sharepoint", "/_api/…/AddUsingPath(decodedurl='u1_SThumb.jpg')", 1350, 200),
    ("sharepoint", "/_api/…/AddUsingPath(decodedurl='u1_LThumb.jpg')", 1352, 208),
    ("sharepoint", "/_api/…/AddUsingPath(decodedurl='u1_MThumb.jpg')", 1351, 200),
    ("sharepoint", "/_api/…/SetSingleValueProfileProperty", 1570, 200),
)


def journal(user: str = USER, *, until: int = len(WAY)) -> Iterator[dict[str, Any]]:
    for service, path, start, ms in WAY[:until]:
        yield {
            "at": (NOON + timedelta(milliseconds=start)).isoformat(),
            "service": service,
            "path": path,
            "ms": ms,
            "userId": user,
            "clientId": APP,
            "batch": False,
            "status": 200,
        }


def test_steps_add_up():
    """Each step begins where the one before ends; together they are the whole way."""
    (change,) = changes(journal(), APP).values()

    assert [round(step * 1000) for step in change.steps] == [500, 120, 20, 480, 230, 210, 210]
    assert len(change.steps) == len(STEPS)
    assert change.seconds == pytest.approx(sum(change.steps)) == pytest.approx(1.77)
    assert change.run_seconds == pytest.approx(1.27)


def test_what_is_read_beside_the_photo_may_take_longer():
    """A step of two calls at once ends with the later one."""
    slow = [
        {**entry, "ms": 600} if "GetPropertiesFor" in entry["path"] else entry
        for entry in journal()
    ]
    (change,) = changes(slow, APP).values()

    assert [round(step * 1000) for step in change.steps] == [500, 120, 20, 605, 105, 210, 210]


@pytest.mark.parametrize("until", range(len(WAY)))
def test_unfinished_change_is_none(until: int):
    """As long as anything is missing, nothing is visible yet."""
    assert changes(journal(until=until), APP) == {}


@pytest.mark.parametrize("refused", range(1, len(WAY)))
@pytest.mark.parametrize("status", [429, 500])
def test_refused_call_shows_nothing(refused: int, status: int):
    """A call that was answered with an error is a step only when it is made again."""
    entries = list(journal())
    failed = [*entries[:refused], {**entries[refused], "status": status}, *entries[refused + 1 :]]

    assert changes(failed, APP) == {}
    assert changes([*failed, entries[refused]], APP)[USER].seconds >= 1.77


def test_last_write_counts():
    """Whichever property comes last is the one from which on browsers load the picture."""
    last = list(journal())[-1]
    later = {**last, "at": (NOON + timedelta(seconds=2)).isoformat()}

    assert changes([*journal(), later], APP)[USER].seconds == 2.2


def test_others_calls_are_not_ours():
    """What another client asks about the user is no step."""
    assert changes(journal(), "another") == {}


def change(seconds: float, *, run: float = 1.0) -> Change:
    """Answered after half of the time; all steps but two take none."""
    end = NOON + timedelta(seconds=seconds)
    return Change(
        NOON, NOON + timedelta(seconds=seconds / 2), (*[end - timedelta(seconds=run)] * 6, end)
    )


def test_rows_of_changes_alone():
    """Median, 95th of a hundred with its goal, and the mean of each step."""
    # One that took very long moves the mean, and neither median nor p95.
    found = [change(2 + number / 100) for number in range(100)] + [change(60)]
    p50, p95, wrong, *steps = alone_rows(Alone(found, wrong=3))

    assert (p50.figure, p50.low, p50.high, p50.rounds) == (2.5, 2, 60, 101)
    assert (p50.goal, p95.figure, p95.goal, p95.met) == (1.1, 2.95, 1.7, False)
    assert (wrong.figure, wrong.goal, wrong.met) == (3, 0, False)
    assert len(steps) == len(STEPS)
    whole = sum(each.seconds for each in found) / len(found)
    assert sum(step.figure for step in steps) == pytest.approx(whole * 1000)
    assert (steps[-1].figure, steps[-1].low, steps[-1].high) == (1000, 1000, 1000)


def test_floor_of_a_change():
    """Seven answers that wait for each other, and the queue's pause, as host.json has it."""
    p50, p95, *_ = alone_rows(Alone([change(2), change(2)], wrong=0))

    assert p50.floor == pytest.approx(5 * 0.120 + 2 * 0.200 + LONGEST_POLL / 2)
    assert p95.floor == pytest.approx(5 * 0.120 + 2 * 0.200 + LONGEST_POLL * 0.95)


def test_rows_of_a_burst():
    """Its floor is as many runs at once as host.json allows, each as long as one alone."""
    burst = Burst([change(number / 10) for number in range(1, 102)], 0, 7, wrong=1)
    alone = Alone([change(9, run=run) for run in (0.5, 1.0, 9.0)], wrong=0)
    p50, p95, longest, wrong = together_rows(burst, 2, alone)

    assert [p50.figure, p95.figure] == pytest.approx([5.1, 9.6])
    assert p50.note.startswith("the mean of each step: webhook and queue 80 %, Graph: ")
    assert p50.note.endswith("properties 20 %")
    assert p95.floor == pytest.approx(0.95 * 101 / (2 * AT_ONCE) * 1.0)
    assert (longest.figure, longest.goal) == (5.05, GRAPH_WAITS)
    assert (wrong.figure, wrong.goal, wrong.met) == (1, 0, False)


def test_rows_of_an_instance():
    """So many copies at once keep so much of a core busy as one does in the time that it takes."""
    alone = Alone([change(2, run=0.5)], wrong=0)
    cores, memory = instance_rows(Spent(10, 90), Spent(14, 100), 200, alone)

    assert cores.figure == pytest.approx(AT_ONCE * 0.02 / 0.5)
    assert cores.goal == 1
    assert memory.figure == 100
    assert list(instance_rows(None, None, 200, alone)) == []


@pytest.mark.parametrize(("starts", "most"), [((0, 2, 4), 1), ((0, 1, 2), 2), ((0, 0, 0), 3)])
def test_most_at_once(starts: tuple[int, ...], most: int):
    """Runs of two seconds that begin when another ends are not counted together."""
    found = [
        Change(NOON, NOON, (NOON + timedelta(seconds=start), NOON + timedelta(seconds=start + 2)))
        for start in starts
    ]

    assert most_at_once(found) == most


@pytest.mark.server
def test_burst_over_two_instances(tmp_path):
    """The webhook's instance copies nobody: another does, as many at once as host.json allows."""
    with Stack(tmp_path, settings={**SETTINGS, **WITHOUT_COPYING}) as stack:
        tenant = SettledTenant(stack, pictures(4))
        tenant.move_in(2 * AT_ONCE)
        tenant.subscribe()
        scene = Scene(tenant, gather=0.3)
        with instance(stack, "worker", SETTINGS):
            burst = scene.at_once(tenant.users)

        assert "photo." not in stack.host_log.read_text()
    assert len(burst.changes) == 2 * AT_ONCE
    assert burst.wrong == 0
    # Each reads one profile and writes one property: no limit is near.
    assert (burst.throttled, burst.profile_calls) == (0, 2 * 2 * AT_ONCE)
    assert 1 < most_at_once(burst.changes) <= AT_ONCE
