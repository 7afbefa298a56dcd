"""A POST about many users is answered after one write, and every user is processed."""

from __future__ import annotations

import asyncio

import pytest

from local.bench.answers.slow_storage import SlowStorage
from tests.e2e.cloud import USUAL_LOCK, LiveCloud, picture

MANY = 20


class Full:
    """Storage that accepts *most* messages about users, and then stops answering."""

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


def processed(cloud: LiveCloud) -> set[str]:
    return {run["user"] for run in cloud.watcher.outcomes()}


def test_post_about_many_users(cloud: LiveCloud):
    """Twenty users in one POST, some twice: one bundle, and a changed photo is copied."""
    ids = people(cloud, MANY - 1)
    user_id, upn = cloud.add_unnotified(4)
    before = cloud.logged(f"notifications.accepted users={MANY}")
    answer = cloud.notify([cloud.item(each) for each in [*ids, user_id, *ids]])
    cloud.watcher.until(lambda: sorted({*ids, user_id} - processed(cloud)))

    assert answer.status_code == 202
    assert cloud.logged(f"notifications.accepted users={MANY}") == before + 1
    assert cloud.logged(f"bundle.spread users={MANY}")
    cloud.wait_for(lambda: cloud.shows(upn, picture(4)))


@pytest.mark.local_host("the lock of a message is shortened")
def test_crash_while_a_bundle_is_spread(fragile: LiveCloud):
    """If host and worker die while a bundle is spread, it is redelivered, and no user is lost."""
    ids, full = people(fragile, MANY), Full(fragile.at.storage, most=5)
    with full.storage:
        fragile.stack.kill_host()
        start(fragile, full.storage.connection)
        fragile.notify([fragile.item(each) for each in ids])
        fragile.wait_for(lambda: full.reached)
        fragile.stack.kill_worker()
        fragile.stack.kill_host()
    assert fragile.logged("bundle.spread") == 0
    fragile.stack.change_settings(USUAL_LOCK)
    start(fragile, fragile.at.storage)
    fragile.watcher.until(lambda: sorted(set(ids) - processed(fragile)))

    assert fragile.logged(f"bundle.spread users={MANY}") == 1


def start(cloud: LiveCloud, storage: str) -> None:
    """Start the host with this connection string."""
    cloud.stack.change_settings({"AzureWebJobsStorage": storage})
    cloud.stack.start_host()
