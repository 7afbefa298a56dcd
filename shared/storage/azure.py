"""States, documents and delayed messages, in the function app's own storage account."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.queue import QueueClient, QueueMessage, QueueServiceClient

from shared.session import OneHostSession
from shared.settings.app import StorageSettings
from shared.storage import cover, roster_entry, unreadable, user_state
from shared.storage.append_blobs import AppendBlobs
from shared.storage.blobs import Blobs, translated
from shared.storage.documents import Document
from shared.storage.roster_entry import Leaf
from shared.storage.unreadable import SetAside
from shared.storage.user_state import Stored, UserState
from shared.user import is_object_id

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

log = logging.getLogger("photosync")

CONTAINER = "photo-sync-state"
# A separate container: infra may put a policy on it that makes its content immutable.
ORDERS = "photo-sync-orders"
_FOLDER = "users/"
USERS, UPKEEP = "photo-sync", "photo-upkeep"
_POISONED = (f"{USERS}-poison", f"{UPKEEP}-poison")
# Seconds for which a message of a poison queue is hidden while it is recorded.
_TAKEN_FOR = 240
# Timeouts in seconds of one call by the storage client; after its retries the message waits.
_SECONDS = {"connection_timeout": 5, "read_timeout": 30}
# The worker's threads (functions.md section Python) share a client, and all may call at once.
_CONNECTIONS = 60
_RETRIES: dict[str, Any] = {
    "retry_total": 3,
    # One to three seconds before each; its own default is 15 and more (functions.md section
    # Storage-queue trigger).
    "initial_backoff": 1,
    "increment_base": 1,
    "random_jitter_range": 1,
}


class BlobStore:
    """A Store with one blob per user."""

    def __init__(self, container: ContainerClient) -> None:
        self._blobs = Blobs(container)

    def read(self, user_id: str) -> Stored | None:
        """The state, None if the user has none."""
        blob = self._blobs.read(_name(user_id))
        if blob is None:
            return None
        if blob.withheld:
            known = UserState(user_id, detail=f"{blob.withheld} PhotoSync replaces it.")
        else:
            known = user_state.from_json(user_id, blob.content, age=blob.age)
        return Stored(known, blob.version)

    def create(self, new: UserState) -> str:
        """Write the first version and return it; Conflict if there is one."""
        content = user_state.to_json(new)
        return self._blobs.create(_name(new.user_id), content, _metadata(new, content))

    def replace(self, new: UserState, *, version: str) -> str:
        """Replace *version* and return the new one; Conflict if it has changed."""
        content = user_state.to_json(new)
        return self._blobs.replace(
            _name(new.user_id), content, version=version, metadata=_metadata(new, content)
        )

    def delete(self, user_id: str, *, version: str) -> None:
        """Delete a state that is *version*, or already gone; Conflict if it has changed."""
        self._blobs.delete(_name(user_id), version=version)

    def leaf(self, token: str, size: int) -> Leaf:
        """Up to *size* users, as their blobs' metadata describe them, in one call."""
        found, following = self._blobs.described(_FOLDER, token, size)
        described = [(_user_id(blob.name), blob.metadata, blob.digest) for blob in found]
        # A copy of a state under another name would look like a user who never recovers.
        users = [each for each in described if is_object_id(each[0])]
        return Leaf([roster_entry.entry(*each) for each in users], following)

    def unreadable(self, limit: int, after: datetime | None = None) -> SetAside:
        """The newest messages set aside *after* a moment, and how many there are, up to 5,000."""
        everything, _ = self._blobs.leaf(unreadable.FOLDER, "", 5000)
        found = [blob for blob in everything if after is None or blob.last_modified > after]
        newest = sorted(found, key=lambda blob: blob.name, reverse=True)[:limit]
        kept = [(each, self._blobs.read(each.name)) for each in newest]
        return SetAside(
            len(found),
            [
                {
                    **unreadable.from_json(each.name, blob.content, why_not=blob.withheld),
                    "at": each.last_modified.isoformat(),
                }
                for each, blob in kept
                if blob
            ],
        )

    def keep_unreadable(self, name: str, body: bytes, reason: str) -> None:
        """Store *body* under `unreadable/` with the reason, as text if it is text."""
        self._blobs.put(f"{unreadable.FOLDER}{name}.json", unreadable.to_json(body, reason))


class BlobDocuments:
    """Stores each document as a blob."""

    def __init__(self, container: ContainerClient) -> None:
        self._blobs = Blobs(container)

    def read(self, name: str) -> Document | None:
        """The document, None if there is none; a damaged one reads as empty and is overwritten."""
        blob = self._blobs.read(name)
        if blob is None:
            return None
        try:
            return Document(dict(json.loads(blob.content)), blob.version, blob.at)
        except (ValueError, TypeError, RecursionError):
            # Its readers can do without it; an error would stop all upkeep until a person acts.
            log.warning("document.damaged name=%s", name)
            return Document({}, blob.version, blob.at)

    def write(self, name: str, fields: Mapping[str, Any], *, after: Document | None) -> Document:
        """Replace what was read as *after*; Conflict if that has changed."""
        content = json.dumps(fields, indent=2).encode()
        if after is None:
            return Document(dict(fields), self._blobs.create(name, content))
        return Document(dict(fields), self._blobs.replace(name, content, version=after.version))

    def delete(self, name: str, *, after: Document) -> None:
        """Delete what was read as *after*; Conflict if that has changed."""
        self._blobs.delete(name, version=after.version)

    def put_part(self, name: str, content: bytes) -> None:
        """Write bytes under a name derived from them: a second write repeats the first."""
        self._blobs.put(name, content)

    def part(self, name: str) -> bytes | None:
        """The bytes stored there, None if there are none."""
        blob = self._blobs.read(name)
        return blob.content if blob else None

    def drop_part(self, name: str) -> None:
        """Delete what is stored there, if anything."""
        self._blobs.drop(name)


class TakenMessage(NamedTuple):
    """A message that is hidden from all others for some minutes."""

    queue: QueueClient
    message: QueueMessage

    @property
    def body(self) -> bytes:
        return str(self.message.content).encode()

    def delete(self) -> None:
        """Delete it from the queue. Raises ServiceDown, AccessDenied."""
        # Another run that took it after us records it again, which does no harm.
        with contextlib.suppress(ResourceNotFoundError), translated():
            self.queue.delete_message(self.message)


class StorageQueue:
    """A queue for messages with a delay, which an output binding cannot set."""

    def __init__(self, queue: QueueClient) -> None:
        self._queue = queue

    def send(self, text: str, *, delay_seconds: float) -> None:
        """Queue *text*, visible after the delay. Raises ServiceDown, AccessDenied."""
        try:
            self._send(text, delay_seconds)
        except ResourceNotFoundError:
            # Creating a queue that already exists is no error.
            with translated():
                self._queue.create_queue()
            self._send(text, delay_seconds)

    def take(self, most: int) -> Iterator[TakenMessage]:
        """Up to *most* messages; none if there is no queue. Raises ServiceDown, AccessDenied."""
        try:
            with translated():
                for found in self._queue.receive_messages(
                    messages_per_page=32, max_messages=most, visibility_timeout=_TAKEN_FOR
                ):
                    yield TakenMessage(self._queue, found)
        except ResourceNotFoundError:
            return

    def length(self) -> int:
        """About how many messages there are, hidden ones included; 0 if there is no queue."""
        try:
            with translated():
                return self._queue.get_queue_properties().approximate_message_count or 0
        except ResourceNotFoundError:
            return 0

    def clear(self) -> None:
        """Delete every message, if there is a queue. Raises ServiceDown, AccessDenied."""
        # Storage may fail on a long queue with some messages left: the caller then tries again.
        with contextlib.suppress(ResourceNotFoundError), translated():
            self._queue.clear_messages()

    def _send(self, text: str, delay_seconds: float) -> None:
        # The client sends text unencoded, and host.json tells the host to expect that.
        with translated():
            self._queue.send_message(text, visibility_timeout=round(delay_seconds))


class OpenStorage(NamedTuple):
    """The clients for all that the app keeps in its storage account."""

    states: BlobStore
    documents: BlobDocuments
    orders: AppendBlobs
    users: StorageQueue
    upkeep: StorageQueue
    poisoned: dict[str, StorageQueue]

    def lengths(self) -> dict[str, int]:
        """About how many messages each queue has."""
        queues = {USERS: self.users, UPKEEP: self.upkeep, **self.poisoned}
        return {name: queue.length() for name, queue in queues.items()}


def open_storage(settings: StorageSettings) -> OpenStorage:
    """Open everything; no call is made before something is used."""
    # The client logs every request with all its headers, which is mostly noise.
    logging.getLogger("azure.core").setLevel(logging.WARNING)
    if settings.connection_string:
        blobs = BlobServiceClient.from_connection_string(settings.connection_string, **_sending())
        queues = QueueServiceClient.from_connection_string(settings.connection_string, **_sending())
    else:
        credential = _identity(settings.identity_client_id)
        blobs = BlobServiceClient(settings.blob_uri, credential, **_sending())
        queues = QueueServiceClient(settings.queue_uri, credential=credential, **_sending())
    container = blobs.get_container_client(CONTAINER)
    return OpenStorage(
        BlobStore(container),
        BlobDocuments(container),
        AppendBlobs(blobs.get_container_client(ORDERS)),
        StorageQueue(queues.get_queue_client(USERS)),
        StorageQueue(queues.get_queue_client(UPKEEP)),
        {name: StorageQueue(queues.get_queue_client(name)) for name in _POISONED},
    )


def _sending() -> dict[str, Any]:
    return {"transport": _transport(), **_RETRIES}


def _transport() -> RequestsTransport:
    """For Azure's clients: their default session would authenticate by .netrc, not by our key."""
    return RequestsTransport(session=OneHostSession(connections=_CONNECTIONS), **_SECONDS)


def _identity(client_id: str) -> TokenCredential:
    # Imported here: it is heavy, and not needed with a connection string.
    from azure.identity import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=client_id or None, transport=_transport())


def _metadata(state: UserState, content: bytes) -> dict[str, str]:
    return roster_entry.describe(state) | cover.describe(state, content)


def _name(user_id: str) -> str:
    return f"{_FOLDER}{user_id}.json"


def _user_id(name: str) -> str:
    return name.removeprefix(_FOLDER).removesuffix(".json")
