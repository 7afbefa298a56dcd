"""
Storage as somebody sees it who only looks on: each request says so in its address, which is all
that Azurite's log of requests tells of who asked.
"""

from __future__ import annotations

from azure.core.pipeline import PipelineRequest
from azure.core.rest import HttpRequest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

# Neither storage service knows it, so that it changes nothing of an answer.
MARK = "spectator=1"


def blobs(storage: str) -> BlobServiceClient:
    """A client whose requests are marked."""
    return BlobServiceClient.from_connection_string(storage, raw_request_hook=_mark)


def queues(storage: str) -> QueueServiceClient:
    """A client whose requests are marked."""
    return QueueServiceClient.from_connection_string(storage, raw_request_hook=_mark)


def _mark(request: PipelineRequest[HttpRequest]) -> None:
    # Before it is signed, and again when it is sent again: the address keeps one.
    url = request.http_request.url
    if MARK not in url:
        request.http_request.url = f"{url}{'&' if '?' in url else '?'}{MARK}"
