"""How a change's way into SharePoint is read off the journal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.bench.concurrency import AT_ONCE
from local.bench.conditions import SETTINGS
from local.bench.instance import WITHOUT_COPYING, instance
from local.bench.settled_tenant import SettledTenant
from local.bench.visible import Scene
from local.bench.visible_steps import STEPS, Change, changes, most_at_once
from local.soak.pictures import pictures
from local.stack import Stack

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
USER, APP = "u1", "app"
# Service, path, start and milliseconds.
WAY = (
    ("delivery", "/api/notifications", 0, 10),
    ("graph", "/v1.0/users/u1/photo", 500, 120),
    ("graph", "/v1.0/$batch", 640, 480),
    ("sharepoint", "/_api/…/GetPropertiesFor(accountName=@v)", 1130, 200),
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
        }


def test_steps_add_up():
    """Each step begins where the one before ends; together they are the whole way."""
    (change,) = changes(journal(), APP).values()

    assert [round(step * 1000) for step in change.steps] == [500, 120, 20, 480, 210, 20, 210, 210]
    assert len(change.steps) == len(STEPS)
    assert change.seconds == pytest.approx(sum(change.steps)) == pytest.approx(1.77)
    assert change.run_seconds == pytest.approx(1.27)


@pytest.mark.parametrize("until", range(len(WAY)))
def test_unfinished_change_is_none(until: int):
    """As long as anything is missing, nothing is visible yet."""
    assert changes(journal(until=until), APP) == {}


def test_others_calls_are_not_ours():
    """What another client asks about the user is no step."""
    assert changes(journal(), "another") == {}


@pytest.mark.parametrize(("starts", "most"), [((0, 2, 4), 1), ((0, 1, 2), 2), ((0, 0, 0), 3)])
def test_most_at_once(starts: tuple[int, ...], most: int):
    """Runs of two seconds that begin when another ends are not counted together."""
    found = [
        Change(NOON, NOON, (NOON + timedelta(seconds=start), NOON + timedelta(seconds=start + 2)))
        for start in starts
    ]

    assert most_at_once(found) == most


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
    # Each reads one profile and writes one property: no limit is near.
    assert (burst.throttled, burst.profile_calls) == (0, 2 * 2 * AT_ONCE)
    assert 1 < most_at_once(burst.changes) <= AT_ONCE
