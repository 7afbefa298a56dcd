"""A POST about many users: answered after one write, and everybody it tells of is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.bench.answers.slow_storage import SlowStorage
from local.cloud.stack import Stack
from tests.e2e.cloud import LiveCloud, picture

MANY = 20


@pytest.fixture
def fragile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveCloud]:
    """A cloud of its own, whose host hides a message for seconds instead of ten minutes."""
    monkeypatch.setenv("LOCAL_HOST_LOCK_SECONDS", "4")
    with Stack(tmp_path) as stack:
        yield LiveCloud(stack)


class Full:
    """Storage that takes so many messages about users, and then nothing at all."""

    def __init__(self, account: str, most: int) -> None:
        self._most = most
        self.storage = SlowStorage(account, 0, sleep=self._wait)

    async def _wait(self, seconds: float) -> None:
        while self.reached:
            await asyncio.sleep(0.01)

    @property
    def reached(self) -> bool:
        return self.storage.messages["photo-sync"] >= self._most


def people(cloud: LiveCloud, count: int) -> list[str]:
    return [cloud.add()[0] for _ in range(count)]


def looked_at(cloud: LiveCloud) -> set[str]:
    return {run["user"] for run in cloud.watcher.outcomes()}


def test_everybody_of_a_large_post_is_looked_at(cloud: LiveCloud):
    """Twenty users in one POST: one bundle, and a changed photo among them is shown."""
    ids = people(cloud, MANY - 1)
    user_id, upn = cloud.add()
    cloud.seed_photo(user_id, picture(4))
    before = cloud.logged(f"notifications.accepted users={MANY}")
    answer = cloud.notify([cloud.item(each) for each in [*ids, user_id, *ids]])
    cloud.watcher.until(lambda: sorted({*ids, user_id} - looked_at(cloud)))

    assert answer.status_code == 202
    assert cloud.logged(f"notifications.accepted users={MANY}") == before + 1
    assert cloud.logged(f"bundle.spread users={MANY}")
    cloud.wait_for(lambda: cloud.shows(upn, picture(4)))


def test_forged_post_about_a_thousand(cloud: LiveCloud):
    """It is answered like any other, and nothing is stored."""
    cloud.watcher.until(list)
    spread = cloud.logged("bundle.spread")
    forged = cloud.item("6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0", clientState="guess")

    assert cloud.notify([forged] * 1000).status_code == 202
    assert cloud.watcher.messages_left() == 0
    assert cloud.logged("bundle.spread") == spread


@pytest.mark.local_host("the lock of a message is shortened")
def test_death_in_the_middle_of_a_bundle(fragile: LiveCloud):
    """Where all dies while a bundle is spread, it comes back, and nobody is left out."""
    ids, full = people(fragile, MANY), Full(fragile.at.storage, most=5)
    with full.storage:
        fragile.stack.kill_host()
        start(fragile, full.storage.connection)
        fragile.notify([fragile.item(each) for each in ids])
        fragile.wait_for(lambda: full.reached)
        fragile.stack.kill_worker()
        fragile.stack.kill_host()
    assert fragile.logged("bundle.spread") == 0
    start(fragile, fragile.at.storage)
    fragile.watcher.until(lambda: sorted(set(ids) - looked_at(fragile)))

    assert fragile.logged(f"bundle.spread users={MANY}") == 1


def start(cloud: LiveCloud, storage: str) -> None:
    """Start the host with this way to its storage."""
    cloud.stack.change_settings({"AzureWebJobsStorage": storage})
    cloud.stack.start_host()
