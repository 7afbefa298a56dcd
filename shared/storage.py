"""States as blobs and messages with a delay, in the function app's own storage account."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobServiceClient, ContainerClient, ContentSettings
from azure.storage.queue import QueueClient, QueueServiceClient

from shared import state
from shared.calls import note
from shared.errors import AccessDenied, Conflict, ServiceDown
from shared.settings import StorageSettings
from shared.state import Stored, UserState

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

CONTAINER = "photo-sync-state"
QUEUE = "photo-sync"
# Seconds and tries of the storage client itself; beyond them the message waits, not the thread.
_PATIENCE: dict[str, Any] = {
    "connection_timeout": 5,
    "read_timeout": 30,
    "retry_total": 3,
    "retry_backoff_max": 5,
}

_REFUSED = (
    "The storage account refuses this app: it needs the roles Storage Blob Data Owner and "
    "Storage Queue Data Contributor, or a valid connection string."
)


class BlobStore:
    """A Store in one container, which is made when it is absent."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    def read(self, user_id: str) -> Stored | None:
        """The state, None when the user has none. Raises ServiceDown, AccessDenied."""
        note("blob")
        try:
            with _translated():
                blob = self._container.download_blob(_name(user_id))
                return Stored(state.from_json(user_id, blob.readall()), blob.properties.etag)
        except ResourceNotFoundError:
            return None

    def create(self, new: UserState) -> str:
        """Write the first version and return it; Conflict when there is one."""
        # Without overwrite the client sends If-None-Match: *.
        return self._write(_name(new.user_id), state.to_json(new), overwrite=False)

    def replace(self, new: UserState, *, version: str) -> str:
        """Write in place of *version* and return the new one; Conflict when it has moved on."""
        try:
            return self._write(
                _name(new.user_id),
                state.to_json(new),
                overwrite=True,
                etag=version,
                match_condition=MatchConditions.IfNotModified,
            )
        except ResourceNotFoundError as error:
            raise Conflict("Somebody deleted the user's state blob.") from error

    def keep_unreadable(self, name: str, body: bytes, reason: str) -> None:
        """Keep *body* under `unreadable/`, as text where it is text, with the reason."""
        try:
            kept = {"reason": reason, "body": body.decode()}
        except UnicodeDecodeError:
            kept = {"reason": reason, "bodyBase64": base64.b64encode(body).decode()}
        text = json.dumps(kept, indent=2).encode()
        self._write(f"unreadable/{name}.json", text, overwrite=True)

    def _write(self, name: str, text: bytes, **condition: Any) -> str:
        try:
            return self._upload(name, text, condition)
        except ResourceNotFoundError:
            if "etag" in condition:
                raise
        # Another instance may make it at the same moment.
        with suppress(Conflict), _translated():
            self._container.create_container()
        return self._upload(name, text, condition)

    def _upload(self, name: str, text: bytes, condition: Mapping[str, Any]) -> str:
        note("blob")
        with _translated():
            blob = self._container.get_blob_client(name)
            kind = ContentSettings(content_type="application/json")
            return str(blob.upload_blob(text, content_settings=kind, **condition)["etag"])


class StorageQueue:
    """Queue `photo-sync` for messages that wait; a worker's output binding cannot delay one."""

    def __init__(self, queue: QueueClient) -> None:
        self._queue = queue

    def send(self, text: str, *, delay_seconds: float) -> None:
        """Queue *text*, to be seen after the delay. Raises ServiceDown, AccessDenied."""
        try:
            self._send(text, delay_seconds)
        except ResourceNotFoundError:
            # Making a queue that is there already is no error.
            with _translated():
                self._queue.create_queue()
            self._send(text, delay_seconds)

    def _send(self, text: str, delay_seconds: float) -> None:
        # The client sends text as it is, and host.json asks the host to read it so.
        with _translated():
            self._queue.send_message(text, visibility_timeout=round(delay_seconds))


def open_storage(settings: StorageSettings) -> tuple[BlobStore, StorageQueue]:
    """Both clients; neither calls anybody before it is used."""
    # The client logs every request with all its headers, which costs more than it tells.
    logging.getLogger("azure.core").setLevel(logging.WARNING)
    if settings.connection_string:
        blobs = BlobServiceClient.from_connection_string(settings.connection_string, **_PATIENCE)
        queues = QueueServiceClient.from_connection_string(settings.connection_string, **_PATIENCE)
    else:
        credential = _identity(settings.identity_client_id)
        blobs = BlobServiceClient(settings.blob_uri, credential, **_PATIENCE)
        queues = QueueServiceClient(settings.queue_uri, credential=credential, **_PATIENCE)
    container = blobs.get_container_client(CONTAINER)
    return BlobStore(container), StorageQueue(queues.get_queue_client(QUEUE))


def _identity(client_id: str) -> TokenCredential:
    # Imported here: it is heavy, and a connection string does without.
    from azure.identity import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=client_id or None)


def _name(user_id: str) -> str:
    return f"users/{user_id}.json"


def _status(error: AzureError) -> int | None:
    return error.status_code if isinstance(error, HttpResponseError) else None


@contextmanager
def _translated() -> Iterator[None]:
    """Storage's errors in our words; ResourceNotFoundError stays, its meaning is the caller's."""
    try:
        yield
    except ResourceNotFoundError:
        raise
    except (ResourceExistsError, ResourceModifiedError) as error:
        raise Conflict("Another run wrote the user's state first.") from error
    except AzureError as error:
        # A missing role is a plain 403 to the client; no token at all has no answer to look at.
        if isinstance(error, ClientAuthenticationError) or _status(error) in {401, 403}:
            raise AccessDenied(_REFUSED) from error
        raise ServiceDown(f"Storage could not be reached ({type(error).__name__}).") from error
