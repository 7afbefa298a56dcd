"""A small burst of notifications: nothing is lost, and each message costs its calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from local.bench.burst.burst import BurstResult, Scale, played, posts, rows_of
from local.bench.burst.instance import WITHOUT_COPYING
from local.bench.measuring.conditions import SETTINGS
from local.bench.measuring.ledger import BLOB, GRAPH, PROCESSED, PROFILES, UPLOADS
from local.bench.measuring.settled_tenant import SettledTenant, SettledUser
from local.cloud.occupancy import MARK
from local.cloud.stack import Stack
from local.soak.pictures import pictures

# In bundles, and in a message each.
BUNDLES = Scale(users=20, seconds=1, items_a_post=12)
SINGLE = replace(BUNDLES, items_a_post=4)
PLAN = Scale(users=40, seconds=1, items_a_post=10)
PEOPLE = [SettledUser(f"id{n}", f"user{n}@contoso.com", 0) for n in range(40)]


@pytest.fixture(scope="module", params=[BUNDLES, SINGLE], ids=["bundles", "single"])
def burst(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[BurstResult]:
    folder = tmp_path_factory.mktemp("burst")
    # What an earlier run left on the disk must not be met again.
    (folder / MARK).touch()
    (folder / "azurite").mkdir()
    (folder / "azurite" / "left over").touch()
    settings = {**SETTINGS, **WITHOUT_COPYING}
    with Stack(folder, settings=settings, log_storage=True, storage_on_disk=True) as stack:
        tenant = SettledTenant(stack, pictures(4))
        tenant.add_users(request.param.users)
        assert not (folder / "azurite" / "left over").exists()
        # On a slow machine more than four runs of one user overlap. Graph then refuses a run before
        # it reads the state, which changes the counts.
        tenant.admin.control("POST", "/switches", {"photoRequestsAtOnce": 0})
        yield played(tenant, request.param)


def test_nothing_is_lost(burst: BurstResult):
    """Every POST is accepted, and every picture is right once the queue is empty."""
    assert all(answer.accepted for answer in burst.answers)
    assert len(burst.answers) == -(-20 * 10 // burst.scale.items_a_post)
    assert (burst.unseen, burst.wrong) == (0, 0)


def test_calls_of_a_burst(burst: BurstResult):
    """A message costs a call and a read; only photos that changed are copied, each once."""
    changed = burst.scale.changed

    assert burst.calls[UPLOADS] == 3 * changed
    assert burst.calls[PROFILES] == 2 * changed
    assert min(burst.calls[GRAPH], burst.calls[BLOB]) >= burst.calls[PROCESSED] >= burst.entries


def test_goals_come_from_the_plan(burst: BurstResult):
    """If two messages are lost, or each is stored twice, a goal is missed; not otherwise."""
    lost = replace(burst, calls=burst.calls - Counter({PROCESSED: 2}))
    twice = replace(burst, calls=burst.calls + burst.calls)

    assert all(row.met for row in rows_of(burst) if row.goal is not None)
    assert lost.unseen == 2
    assert not any(row.met for row in rows_of(twice) if row.what.endswith(" calls"))


def test_floor_is_the_work_of_storage(burst: BurstResult):
    """Storage was busy for a part of the time, and the table compares the two."""
    (row,) = [each for each in rows_of(burst) if each.what == "queue empty after"]

    assert 0 < burst.storage < burst.drained
    assert (row.figure, row.floor) == (burst.drained, burst.storage)


def test_plan_spreads_the_notifications_of_a_user():
    """POSTs are full, each user is in them equally often and not together; a seed repeats them."""
    plan = posts(PEOPLE, PLAN)
    about = [{user.id for user in post.about} for post in plan]

    assert {len(post.about) for post in plan} == {10}
    assert set(Counter(user.id for post in plan for user in post.about).values()) == {10}
    assert all(sum(user.id in each for each in about) > 5 for user in PEOPLE)
    assert about[:4] != about[4:8]
    assert posts(PEOPLE, PLAN) == plan
