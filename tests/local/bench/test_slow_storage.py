"""The bench's slow storage: it delays writes and counts messages."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.storage.queue import QueueClient

from local.bench.answers.slow_storage import SlowStorage
from local.cloud.azurite import Azurite, Storage

AT_ONCE = 8


class Pauses:
    """Replaces sleep: a pause is over once so many have begun."""

    def __init__(self, together: int) -> None:
        self.seconds: list[float] = []
        self._together = together

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        while len(self.seconds) < self._together:
            await asyncio.sleep(0)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    azurite = Azurite(tmp_path_factory.mktemp("azurite") / "azurite.log")
    try:
        yield azurite.wait_until_ready()
    finally:
        azurite.stop()


@pytest.fixture
def name(account: Storage) -> str:
    """Of a queue that is there."""
    name = f"q{uuid.uuid4()}"
    with QueueClient.from_connection_string(account.connection_string, name) as queue:
        queue.create_queue()
    return name


def test_writes_wait_and_are_counted(account: Storage, name: str):
    """A message arrives unchanged after its pause; reads are not delayed."""
    pauses = Pauses(1)
    with SlowStorage(account.connection_string, 7, sleep=pauses) as storage:
        with QueueClient.from_connection_string(storage.connection, name) as queue:
            queue.send_message("x" * 60_000)
            found = [each.content for each in queue.peek_messages()]
            queue.clear_messages()

        assert (found, storage.messages) == (["x" * 60_000], {name: 1})
        # Blobs are reached as before.
        assert account.blob in storage.connection
        assert account.queue not in storage.connection
    assert pauses.seconds == [7, 7]


def test_writes_of_several_connections_wait_together(account: Storage, name: str):
    """The first is forwarded only after the last has arrived, and none is lost."""
    with SlowStorage(account.connection_string, 7, sleep=Pauses(AT_ONCE)) as storage:
        with (
            QueueClient.from_connection_string(storage.connection, name) as queue,
            ThreadPoolExecutor(AT_ONCE) as pool,
        ):
            list(pool.map(queue.send_message, map(str, range(AT_ONCE))))
            found = {each.content for each in queue.peek_messages(32)}

    assert found == set(map(str, range(AT_ONCE)))
