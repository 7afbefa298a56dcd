"""Queues of a storage account, as the host uses them: off the event loop, encoding by hand."""

import asyncio
import base64
import binascii
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

P = ParamSpec("P")
T = TypeVar("T")

THREAD_PREFIX = "host-storage"
# Someone else holds the message, or it or its queue is gone: nothing is left to do.
_LOST = {"PopReceiptMismatch", "MessageNotFound", "QueueNotFound", "QueueBeingDeleted"}


class Undecodable(ValueError):
    """The text of a message is not base64 although host.json says so."""


class Queue:
    """One queue; message texts are passed as they are stored, encoded."""

    def __init__(self, connection: str, name: str, executor: ThreadPoolExecutor) -> None:
        self.name = name
        self._client = QueueClient.from_connection_string(connection, name)
        self._executor = executor

    async def receive(self, limit: int, lock: int) -> list[QueueMessage] | None:
        """Take up to *limit* messages for *lock* seconds; None if the queue does not exist."""
        try:
            return await self._call(self._receive, limit, lock)
        except ResourceNotFoundError:
            return None

    def _receive(self, limit: int, lock: int) -> list[QueueMessage]:
        pages = self._client.receive_messages(messages_per_page=limit, visibility_timeout=lock)
        # Only the first page: each further one would be another poll.
        return list(next(pages.by_page(), []))

    async def send(self, text: str) -> None:
        """
        Store a message, making the queue if it is not there yet.

        Documented: QueueClientExtensions.AddMessageAndCreateIfNotExistsAsync.
        """
        try:
            await self._call(self._client.send_message, text)
        except ResourceNotFoundError:
            await self._create()
            await self._call(self._client.send_message, text)

    async def _create(self) -> None:
        try:
            await self._call(self._client.create_queue)
        except ResourceExistsError:
            return  # another invocation was faster

    async def hide(self, message: QueueMessage, seconds: float) -> bool:
        """Let *message* reappear after *seconds*; False if it is no longer ours."""
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


def encode(content: str | bytes, *, as_base64: bool) -> str:
    """Return the text to store for *content*, by host.json's messageEncoding."""
    if as_base64:
        raw = content.encode() if isinstance(content, str) else content
        return base64.b64encode(raw).decode("ascii")
    return content if isinstance(content, str) else content.decode()


def decode(text: str, *, as_base64: bool) -> str | bytes:
    """Return what a stored text means: text, or bytes where base64 holds no UTF-8."""
    if not as_base64:
        return text
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Undecodable("the message is not base64, which host.json asks for") from error
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw
