"""
The container of the data that hosts share: leases and the schedules of timers.

Imported in a thread and only if there is a timer: the blob client takes long to load.
"""

from contextlib import suppress

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobLeaseClient, ContainerClient, LinearRetry

CONTAINER = "azure-webjobs-hosts"
# As long as the queue client: five retries, 25 seconds in all.
_TRIES, _WAIT = 5, 5


class HostBlobs:
    """Blocking calls; raises AzureError if storage does not answer in time."""

    def __init__(self, connection: str) -> None:
        retry = LinearRetry(backoff=_WAIT, retry_total=_TRIES, random_jitter_range=0)
        self._container = ContainerClient.from_connection_string(
            connection, CONTAINER, retry_policy=retry
        )

    def lease(self, name: str, seconds: int) -> BlobLeaseClient | None:
        """Lease a blob, creating it if needed; None while another host has the lease."""
        blob = self._container.get_blob_client(name)
        try:
            return blob.acquire_lease(seconds)
        except ResourceExistsError:
            return None  # 409: already leased
        except ResourceNotFoundError:
            self._write_new(name)
        try:
            return blob.acquire_lease(seconds)
        except ResourceExistsError:
            return None  # another host created it first

    def read(self, name: str) -> bytes | None:
        """The content of a blob, None if it does not exist."""
        try:
            return self._container.download_blob(name).readall()
        except ResourceNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write *content* to a blob, creating its container if needed."""
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
