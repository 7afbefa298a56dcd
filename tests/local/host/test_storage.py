"""Storage that is gone: the host says so in time."""

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import RequestsTransport

from local.host.storage import Queue


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between tries, which take no time."""
    waited: list[float] = []
    monkeypatch.setattr(RequestsTransport, "sleep", lambda _self, wait: waited.append(wait))
    return waited


@pytest.fixture
def port() -> Iterator[int]:
    """A port where connections are accepted and nothing is ever answered."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield silent.getsockname()[1]


def account(port: int) -> str:
    endpoint = f"http://127.0.0.1:{port}/photosync"
    return f"AccountName=photosync;AccountKey=a2V5;QueueEndpoint={endpoint}"


def send(port: int, *, within: float) -> None:
    executor = ThreadPoolExecutor(1)
    queue = Queue(account(port), "jobs", executor, send_within=within)
    try:
        asyncio.run(queue.send("anne@contoso.com"))
    finally:
        executor.shutdown(wait=False)


def test_dead_storage_is_tried_as_often_as_the_real_host_does(waits):
    """Three tries more, after 0.8, 1.6 and 3.2 seconds; then the output has failed."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(AzureError):
        send(port, within=60)

    assert waits == [0.8, 1.6, 3.2]


def test_silent_storage_is_waited_for_so_long_only(port, waits):
    """Storage that accepts and never answers fails the output when the time is over."""
    with pytest.raises(AzureError, match="No answer within"):
        send(port, within=0.05)
