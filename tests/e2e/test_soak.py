"""A short version of `make soak`, and that its verdict can be bad."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from local.cloud.stack import Stack
from local.soak.command import soak
from local.soak.plan import Scale
from local.soak.verdict import Row, verdict
from local.soak.world import SETTINGS, World, forged_items

pytestmark = pytest.mark.local_host("the lock of a message is shortened")

SHORT = Scale(
    users=20,
    changes=60,
    seconds=12,
    kills=2,
    worker_kills=2,
    sweeps=1,
    pictures=12,
    patience=5,
    damages=12,
)


@pytest.fixture(scope="module")
def soaked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, list[Row]]]:
    with Stack(tmp_path_factory.mktemp("soak"), settings=SETTINGS) as stack:
        yield stack, soak(stack, SHORT, 7, print)


@pytest.fixture
def world(soaked: tuple[Stack, list[Row]]) -> World:
    """The cloud after the soak, with its users."""
    found = World(soaked[0])
    found.recognise()
    return found


def wrong(world: World) -> list[str]:
    rows = verdict(world, world.watcher.journal(), sent=0, forged=0)
    return [row.what for row in rows if not row.right]


def test_all_is_right_after_faults_and_crashes(soaked: tuple[Stack, list[Row]]):
    """After faults, crashes and lost notifications, every picture is right."""
    _, rows = soaked

    assert [row for row in rows if not row.right] == []


def test_verdict_sees_a_wrong_picture(world: World):
    """The verdict compares both sides, and so finds a photo that was not copied."""
    assert wrong(world) == []
    (user_id, _), (other_id, _) = world.users[:2]
    world.admin.control("PATCH", f"/users/{user_id}", {"photo": None})
    world.admin.control("PATCH", f"/users/{other_id}", {"photo": None})

    assert wrong(world) == ["pictures that are right"]


def test_verdict_sees_the_effect_of_a_notification(world: World):
    """A genuine notification has an effect that the verdict sees, so a forged one would, too."""
    genuine = {**forged_items(world)[0], "clientState": world.at.client_state}
    item = json.loads(json.dumps(genuine).replace("{id}", world.bystanders[0]))
    world.post(item, key=world.at.key)
    world.watcher.until(
        lambda: [] if world.bystanders[0] in world.watcher.states() else ["not yet"]
    )

    assert "effects of 0 forged notifications" in wrong(world)
