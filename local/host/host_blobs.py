"""
The container in which hosts keep what they must agree on: leases and the schedules of timers.

Imported in a thread and only where there is a timer: the client for blobs takes long to load.
"""

from contextlib import suppress

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobLeaseClient, ContainerClient, LinearRetry

CONTAINER = "azure-webjobs-hosts"
# As patient as the client for queues: five times more, 25 seconds in all.
_TRIES, _WAIT = 5, 5


class HostBlobs:
    """Blocking calls; whatever storage does not take in time is an AzureError."""

    def __init__(self, connection: str) -> None:
        retry = LinearRetry(backoff=_WAIT, retry_total=_TRIES, random_jitter_range=0)
        self._container = ContainerClient.from_connection_string(
            connection, CONTAINER, retry_policy=retry
        )

    def lease(self, name: str, seconds: int) -> BlobLeaseClient | None:
        """Lease a blob, which is made if need be; None while somebody else has it."""
        blob = self._container.get_blob_client(name)
        try:
            return blob.acquire_lease(seconds)
        except ResourceExistsError:
            return None  # 409: it is leased
        except ResourceNotFoundError:
            self._write_new(name)
        try:
            return blob.acquire_lease(seconds)
        except ResourceExistsError:
            return None  # another host was faster

    def read(self, name: str) -> bytes | None:
        """Return what a blob holds, None if there is none."""
        try:
            return self._container.download_blob(name).readall()
        except ResourceNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Make a blob hold *content*, in a container that is made if need be."""
        try:
            self._container.upload_blob(name, content, overwrite=True)
        except ResourceNotFoundError:
            self._make_container()
            self._container.upload_blob(name, content, overwrite=True)

    def _write_new(self, name: str) -> None:
        self._make_container()
        with suppress(ResourceExistsError):
            self._container.upload_blob(name, b"")

    def _make_container(self) -> None:
        with suppress(ResourceExistsError):
            self._container.create_container()
