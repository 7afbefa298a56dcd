"""A burst of notifications, played small: nothing is lost, and each message costs its calls."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from local.bench.burst.burst import played
from local.bench.burst.burst_plan import QUARTER, WHOLE, Scale, posts
from local.bench.burst.burst_result import Storm, result_rows
from local.bench.burst.instance import WITHOUT_COPYING
from local.bench.measuring.conditions import SETTINGS
from local.bench.measuring.ledger import BLOB, GRAPH, HOST, PROFILES, UPLOADS
from local.bench.measuring.settled_tenant import Resident, SettledTenant
from local.cloud.occupancy import MARK
from local.cloud.stack import Stack
from local.soak.pictures import pictures

# In bundles, and in a message each.
MEANWHILE = Scale(users=20, seconds=1, items_a_post=12)
AFTERWARDS = replace(MEANWHILE, items_a_post=4, worked_off_meanwhile=False)
PEOPLE = [Resident(f"id{n}", f"user{n}@contoso.com", 0) for n in range(40)]


@dataclass(frozen=True)
class Played:
    """A burst, and what was said while it was played."""

    storm: Storm
    said: list[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a burst that was played here before."""
    folder = tmp_path_factory.mktemp("burst")
    (folder / MARK).touch()
    (folder / "azurite").mkdir()
    (folder / "azurite" / "left over").touch()
    return folder


@pytest.fixture(scope="module", params=[MEANWHILE, AFTERWARDS], ids=["meanwhile", "afterwards"])
def burst(folder: Path, request: pytest.FixtureRequest) -> Iterator[Played]:
    settings = {**SETTINGS, **WITHOUT_COPYING}
    with Stack(folder, settings=settings, log_storage=True, storage_on_disk=True) as stack:
        tenant = SettledTenant(stack, pictures(4))
        tenant.move_in(request.param.users)
        said: list[str] = []
        yield Played(played(tenant, request.param, said.append), said)


def test_nothing_is_lost(burst: Played):
    """Every POST is accepted, and every picture is right once the queue is empty."""
    accepted = [answer for answer in burst.storm.answers if answer.accepted]

    assert len(accepted) == math.ceil(20 * 10 / burst.storm.scale.items_a_post)
    assert (burst.storm.unaccepted, burst.storm.unseen) == (0, 0)
    assert burst.storm.wrong == 0


def test_calls_of_a_burst(burst: Played):
    """A message costs a call and a read; only photos that changed are copied, each once."""
    storm, changed = burst.storm, MEANWHILE.changed

    assert storm.calls[UPLOADS] == 3 * changed
    assert storm.calls[PROFILES] == 2 * changed
    assert storm.calls[GRAPH] >= storm.messages
    assert storm.calls[BLOB] >= storm.messages
    assert storm.messages - storm.put_off == storm.entries > MEANWHILE.users


def test_whatever_nobody_looked_at_is_counted(burst: Played):
    """Had two messages been left, or the log not been understood, the table would say so."""
    storm = burst.storm

    fewer = replace(storm, calls=storm.calls - Counter({HOST: 4}))

    assert [fewer.unseen, replace(storm, calls=Counter()).unseen] == [2, storm.entries]


def test_goals_come_from_the_plan(burst: Played):
    """Whoever stores each message twice misses the goals: they do not grow with the messages."""
    storm = burst.storm
    twice = replace(storm, calls=storm.calls + storm.calls)
    goals = {row.what: row.met for row in result_rows("burst", storm) if row.goal is not None}

    assert all(goals.values())
    assert not any(row.met for row in result_rows("burst", twice) if row.what.endswith(" calls"))


def test_floor_is_the_work_of_storage(burst: Played):
    """Storage was at work for a part of the time, and the table compares the two."""
    storm = burst.storm
    (row,) = [each for each in result_rows("burst", storm) if each.what == "queue empty after"]

    assert 0 < storm.storage < storm.drained
    assert (row.figure, row.floor) == (storm.drained, storm.storage)


def test_copying_begins_when_the_scale_says(burst: Played):
    """Afterwards means that whatever was posted still waits when the last POST is accepted."""
    storm = burst.storm
    if not storm.scale.worked_off_meanwhile:
        assert burst.said == [f"the last POST is accepted, {storm.entries:,} messages wait"]


@pytest.mark.usefixtures("burst")
def test_storage_begins_empty(folder: Path):
    """What an earlier run left on the disk is not met again."""
    kept = {each.name for each in (folder / "azurite").iterdir()}

    assert "left over" not in kept
    assert "__azurite_db_queue__.json" in kept


def test_plan_tells_of_each_change():
    """Whoever's photo changes is told of at least once afterwards, in the same POST or later."""
    scale = Scale(users=40, seconds=1, items_a_post=10)
    plan = posts(PEOPLE, scale)
    changed = [(number, user) for number, post in enumerate(plan) for user in post.changed]

    assert len(changed) == len({user.id for _, user in changed}) == scale.changed
    for number, user in changed:
        assert any(user in post.about for post in plan[number:])


def test_plan_has_every_notification():
    """Each user is told of as often as the scale says; POSTs are full."""
    plan = posts(PEOPLE, Scale(users=40, seconds=1, items_a_post=10))

    assert {len(post.about) for post in plan} == {10}
    assert set(Counter(user.id for post in plan for user in post.about).values()) == {10}


def test_plan_strews_the_notifications_of_a_user():
    """Those of one user do not come together, and the same seed strews them the same way."""
    scale = Scale(users=40, seconds=1, items_a_post=10)
    about = [{user.id for user in post.about} for post in posts(PEOPLE, scale)]

    assert all(sum(user.id in each for each in about) > 5 for user in PEOPLE)
    assert about[:4] != about[4:8]
    assert posts(PEOPLE, scale) == posts(PEOPLE, scale)


def test_quarter_has_the_pace_of_the_whole():
    """As many notifications a second, as many POSTs a second for its size, as mixed a POST."""
    assert WHOLE.users / WHOLE.seconds == QUARTER.users / QUARTER.seconds
    assert WHOLE.users / WHOLE.items_a_post == QUARTER.users / QUARTER.items_a_post
    assert WHOLE.users * WHOLE.notifications_a_user == 20_000
