"""How the bench finds in the journal when a change is visible, and what it makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.bench.burst.instance import WITHOUT_COPYING, instance
from local.bench.measuring.conditions import AT_ONCE, LONGEST_POLL, SETTINGS
from local.bench.measuring.memory import Spent
from local.bench.measuring.settled_tenant import SettledTenant
from local.bench.visible.visible import (
    Change,
    Scene,
    Seen,
    alone_rows,
    changes,
    instance_rows,
    together_rows,
)
from local.cloud.stack import Stack
from local.soak.pictures import pictures

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
USER, APP = "u1", "app"
# Service, path, start and milliseconds.
WAY = (
    ("delivery", "/api/notifications", 0, 10),
    ("graph", "/v1.0/users/u1/photo", 500, 120),
    ("sharepoint", "/_api/…/AddUsingPath(decodedurl='u1_SThumb.jpg')", 1350, 200),
    ("sharepoint", "/_api/…/SetSingleValueProfileProperty", 1570, 200),
)


def journal(**last: Any) -> Iterator[dict[str, Any]]:
    for number, (service, path, start, ms) in enumerate(WAY):
        yield {
            "at": (NOON + timedelta(milliseconds=start)).isoformat(),
            "service": service,
            "path": path,
            "ms": ms,
            "userId": USER,
            "clientId": APP,
            "batch": False,
            "status": 200,
            **(last if number == len(WAY) - 1 else {}),
        }


@pytest.mark.parametrize(
    "last",
    [{"status": 429}, {"status": 500}, {"clientId": "another"}, {"path": "/"}, {"userId": ""}],
    ids=["throttled", "failed", "another client", "another call", "no user"],
)
def test_unfinished_change_is_none(last: dict[str, Any]):
    """
    Without a successful profile write of ours nothing is visible; a later one counts. A change
    lasts from the notification, its run from the first call, to that write.
    """
    *before, write = journal()
    found = changes([*journal(**last), write], APP)[USER]

    assert changes(journal(**last), APP) == {}
    assert (found.seconds, found.run_seconds) == pytest.approx((1.77, 1.27))


def test_last_write_counts():
    """Browsers load the picture after the last property is written."""
    later = (NOON + timedelta(seconds=2)).isoformat()

    assert changes([*journal(), *journal(at=later)], APP)[USER].seconds == 2.2


def change(seconds: float, *, run: float = 1.0) -> Change:
    end = NOON + timedelta(seconds=seconds)
    return Change(NOON, end - timedelta(seconds=run), end)


def test_rows_of_changes_alone():
    """Their floor is four answers of Graph, two of SharePoint, and a part of a poll's pause."""
    found = [change(2 + number / 100) for number in range(100)] + [change(60)]
    p50, p95, wrong = alone_rows(Seen(found, wrong=3))

    assert (p50.figure, p50.low, p50.high, p50.rounds) == (2.5, 2, 60, 101)
    assert (p50.goal, p95.figure, p95.goal) == (1.1, 2.95, 1.7)
    assert (wrong.figure, wrong.met) == (3, False)
    assert p50.floor == pytest.approx(4 * 0.120 + 2 * 0.200 + LONGEST_POLL / 2)
    assert p95.floor == pytest.approx(4 * 0.120 + 2 * 0.200 + LONGEST_POLL * 0.95)


def test_rows_of_many_at_once():
    """The floor is as many runs at once as host.json allows, each as long as one alone."""
    together = Seen([change(number / 10) for number in range(1, 102)], wrong=1)
    alone = Seen([change(9, run=run) for run in (0.5, 1.0, 9.0)], wrong=0)
    p95, wrong = together_rows(together, 2, alone)

    assert p95.figure == pytest.approx(9.6)
    assert p95.floor == pytest.approx(0.95 * 101 / (2 * AT_ONCE) * 1.0)
    assert (wrong.figure, wrong.met) == (1, False)


def test_rows_of_an_instance():
    """AT_ONCE copies keep as much of a core busy as one copy does in the time that it takes."""
    alone = Seen([change(2, run=0.5)], wrong=0)
    cores, memory = instance_rows(Spent(10, 90), Spent(14, 100), 200, alone)

    assert cores.figure == pytest.approx(AT_ONCE * 0.02 / 0.5)
    assert (cores.goal, memory.figure) == (1, 100)
    assert list(instance_rows(None, None, 200, alone)) == []


@pytest.mark.server
def test_copies_on_another_instance(tmp_path):
    """The webhook's instance copies no photo; another one does, and every picture is right."""
    with Stack(tmp_path, settings={**SETTINGS, **WITHOUT_COPYING}) as stack:
        tenant = SettledTenant(stack, pictures(4))
        tenant.add_users(2 * AT_ONCE)
        tenant.ask("renew")
        scene = Scene(tenant, gather=0.3)
        with instance(stack, "worker", SETTINGS):
            together = scene.at_once(tenant.users)
            alone = scene.one_at_a_time(tenant.users[:1])

        assert "photo." not in stack.host_log.read_text()
    assert (len(together.changes), together.wrong) == (2 * AT_ONCE, 0)
    assert (len(alone.changes), alone.wrong) == (1, 0)
