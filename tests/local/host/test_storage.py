"""Storage that is gone, and texts that it cannot hold: the host says so in time."""

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import RequestsTransport

from local.host.storage import SEND_WITHIN, Queue, encode


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
    """Five tries more, the last after some 25 seconds; then the output has failed."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(AzureError):
        send(port, within=60)

    assert waits == [0.8, 1.6, 3.2, 6.4, 12.8]
    assert sum(waits) < SEND_WITHIN


def test_silent_storage_is_waited_for_so_long_only(port, waits):
    """Storage that accepts and never answers fails the output when the time is over."""
    with pytest.raises(AzureError, match="No answer within"):
        send(port, within=0.05)


@pytest.mark.parametrize(
    ("text", "stored"), [("a\ud800b", "a\ufffdb"), ("\U0001f600\n", "\U0001f600\n")]
)
def test_half_a_surrogate_is_stored_as_a_mark(text, stored):
    """U+FFFD stands for what is no character; whole ones stay as they are."""
    assert encode(text, as_base64=False) == stored


@pytest.mark.parametrize("text", ["\x00", "a\x1fb", "\uffff", b"\xff"])
def test_text_that_no_message_can_hold(text):
    """A message is XML: what that cannot hold fails the output, unless it goes as base64."""
    with pytest.raises(ValueError, match="character|codec"):
        encode(text, as_base64=False)
    assert encode(text, as_base64=True)
