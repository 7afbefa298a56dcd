"""Unreachable storage, and texts that a message cannot hold."""

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import RequestsTransport

from local import loopback
from local.host.storage import SEND_TIMEOUT, Queue, encode


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between retries; they take no time."""
    waited: list[float] = []
    monkeypatch.setattr(RequestsTransport, "sleep", lambda _self, wait: waited.append(wait))
    return waited


@pytest.fixture
def port() -> Iterator[int]:
    """A port that accepts connections but never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield silent.getsockname()[1]


def account(port: int) -> str:
    endpoint = f"http://127.0.0.1:{port}/photosync"
    return f"AccountName=photosync;AccountKey=a2V5;QueueEndpoint={endpoint}"


def send(port: int, *, timeout: float) -> None:
    executor = ThreadPoolExecutor(1)
    queue = Queue(account(port), "jobs", executor, send_timeout=timeout)
    try:
        asyncio.run(queue.send("anne@contoso.com"))
    finally:
        executor.shutdown(wait=False)


def test_refused_connections_are_retried_as_in_the_real_host(waits):
    """Five retries, the last after about 25 seconds; then the output has failed."""
    # Bound and not listening, so that no other program gets the port.
    with loopback.bound(0) as closed, pytest.raises(AzureError):
        send(closed.getsockname()[1], timeout=60)

    assert waits == [0.8, 1.6, 3.2, 6.4, 12.8]
    assert sum(waits) < SEND_TIMEOUT


def test_silent_storage_times_out(port, waits):
    """Storage that accepts connections but never answers fails the output after the timeout."""
    with pytest.raises(AzureError, match="No answer within"):
        send(port, timeout=0.05)


@pytest.mark.parametrize(
    ("text", "stored"), [("a\ud800b", "a\ufffdb"), ("\U0001f600\n", "\U0001f600\n")]
)
def test_half_a_surrogate_becomes_u_fffd(text, stored):
    """Half a surrogate becomes U+FFFD; valid characters stay unchanged."""
    assert encode(text, as_base64=False) == stored


@pytest.mark.parametrize("text", ["\x00", "a\x1fb", "\uffff", b"\xff"])
def test_text_that_no_message_can_hold(text):
    """A message is XML: a character that XML cannot hold fails the output, except in base64."""
    with pytest.raises(ValueError, match="character|codec"):
        encode(text, as_base64=False)
    assert encode(text, as_base64=True)
