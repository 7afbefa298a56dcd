"""Queues of a storage account as the host uses them: off the event loop, encoded here."""

import asyncio
import base64
import binascii
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.storage.queue import LinearRetry, QueueClient, QueueMessage

P = ParamSpec("P")
T = TypeVar("T")

# Another host has the message, or it or its queue is gone: nothing is left to do.
_LOST = {"PopReceiptMismatch", "MessageNotFound", "QueueNotFound", "QueueBeingDeleted"}

# Documented: facts/functions.md, "Storage-queue trigger": the host is a .NET program, and its
# storage client tries five more times, after 0.8 s, 1.6 s, 3.2 s, 6.4 s and 12.8 s.
RETRIES = 5
FIRST_WAIT = 0.8
# A person waits, and storage here is local.
CONNECT_TIMEOUT = 2
# The real client's. After a shorter one, a call that a busy machine has only delayed is repeated:
# the messages that the first call received are locked, and no function gets them for ten minutes.
READ_TIMEOUT = 100
# Measured in the real host: an output fails 23 to 28 s after storage first refused it.
SEND_TIMEOUT = 28.0
# Documented: a message is an element of XML 1.0, and .NET writes no other characters in it.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Undecodable(ValueError):
    """The text of a message is not base64 although host.json says so."""


class Queue:
    """
    One queue; message texts are passed as stored, encoded.

    If the storage account refuses connections, every call raises AzureError after its retries.
    """

    def __init__(
        self,
        connection: str,
        name: str,
        executor: ThreadPoolExecutor,
        *,
        send_timeout: float = SEND_TIMEOUT,
    ) -> None:
        self.name = name
        self._client = client(connection, name)
        self._executor = executor
        self._send_timeout = send_timeout

    async def receive(self, limit: int, lock: int) -> list[QueueMessage] | None:
        """Take up to *limit* messages for *lock* seconds; None if the queue does not exist."""
        try:
            return await self._call(self._receive, limit, lock)
        except ResourceNotFoundError:
            return None

    def _receive(self, limit: int, lock: int) -> list[QueueMessage]:
        pages = self._client.receive_messages(messages_per_page=limit, visibility_timeout=lock)
        # Only the first page: each further page would be another poll.
        return list(next(pages.by_page(), []))

    async def send(self, text: str) -> None:
        """
        Store a message, creating the queue if it does not exist.

        Documented: QueueClientExtensions.AddMessageAndCreateIfNotExistsAsync.
        """
        try:
            async with asyncio.timeout(self._send_timeout):
                await self._send(text)
        except TimeoutError as error:
            raise AzureError(f"No answer within {self._send_timeout:g} s") from error

    async def _send(self, text: str) -> None:
        try:
            await self._call(self._client.send_message, text)
        except ResourceNotFoundError:
            await self._create()
            await self._call(self._client.send_message, text)

    async def _create(self) -> None:
        try:
            await self._call(self._client.create_queue)
        except ResourceExistsError:
            return  # another invocation created it first

    async def hide(self, message: QueueMessage, seconds: float) -> bool:
        """Make *message* reappear after *seconds*; False if it is no longer ours."""
        try:
            receipt = await self._call(
                self._client.update_message,
                message.id,
                pop_receipt=message.pop_receipt,
                visibility_timeout=round(seconds),
            )
        except HttpResponseError as error:
            if getattr(error, "error_code", None) in _LOST:
                return False
            raise
        message.pop_receipt = receipt.pop_receipt
        return True

    async def delete(self, message: QueueMessage) -> bool:
        """Delete *message*; False if it is no longer ours."""
        try:
            await self._call(self._client.delete_message, message.id, message.pop_receipt)
        except HttpResponseError as error:
            if getattr(error, "error_code", None) in _LOST:
                return False
            raise
        return True

    async def _call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: work(*args, **kwargs))


class _Retry(LinearRetry):
    """The delays of the .NET client, without its jitter."""

    def get_backoff_time(self, settings: dict[str, Any]) -> float:
        tried = int(settings["count"])
        return float(FIRST_WAIT * 2 ** (tried - 1))


def client(connection: str, name: str) -> QueueClient:
    """A client with bounded waits; raises ValueError if *connection* is not a connection string."""
    parts = dict(part.partition("=")[::2] for part in connection.split(";"))
    base64.b64decode(parts.get("AccountKey", ""), validate=True)
    return QueueClient.from_connection_string(
        connection,
        name,
        retry_policy=_Retry(
            retry_total=RETRIES, retry_connect=RETRIES, retry_read=RETRIES, retry_status=RETRIES
        ),
        connection_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
    )


def encode(content: str | bytes, *, as_base64: bool) -> str:
    """
    The text to store for *content*, by host.json's messageEncoding.

    Measured in the real host: half a surrogate becomes U+FFFD. Raises ValueError for content that
    no message can hold: bytes that are not UTF-8, and control characters.
    """
    if isinstance(content, str):
        content = content.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if as_base64:
        raw = content.encode() if isinstance(content, str) else content
        return base64.b64encode(raw).decode("ascii")
    text = content if isinstance(content, str) else content.decode()
    if found := _NOT_XML.search(text):
        raise ValueError(f"a message cannot hold the character U+{ord(found[0]):04X}")
    return text


def decode(text: str, *, as_base64: bool) -> str | bytes:
    """The meaning of a stored text: text, or bytes if the base64 content is not UTF-8."""
    if not as_base64:
        return text
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Undecodable("the message is not base64, which host.json requires") from error
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw
