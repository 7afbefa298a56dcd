"""
Storage clients for observers.

Each request is marked in its URL, the only information about the caller in Azurite's request log.
"""

from __future__ import annotations

from azure.core.pipeline import PipelineRequest
from azure.core.rest import HttpRequest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

# Unknown to both storage services, so it changes no answer.
MARK = "spectator=1"


def blobs(storage: str) -> BlobServiceClient:
    """A client whose requests are marked."""
    return BlobServiceClient.from_connection_string(storage, raw_request_hook=_mark)


def queues(storage: str) -> QueueServiceClient:
    """A client whose requests are marked."""
    return QueueServiceClient.from_connection_string(storage, raw_request_hook=_mark)


def _mark(request: PipelineRequest[HttpRequest]) -> None:
    # Before signing, and again at a retry: the URL keeps one mark.
    url = request.http_request.url
    if MARK not in url:
        request.http_request.url = f"{url}{'&' if '?' in url else '?'}{MARK}"
