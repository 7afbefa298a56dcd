"""
Elects the host that runs a timer: the one that holds the lease of its blob.

Documented: Azure/azure-webjobs-sdk, SingletonListener.cs, SingletonManager.cs and
SingletonOptions.cs: a lease of 60 s, renewed after half of it; others try every minute.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, HttpResponseError

from local.host.host_storage import HostStorage

if TYPE_CHECKING:
    from azure.storage.blob import BlobLeaseClient

log = logging.getLogger("host")

# The shortest lease that storage grants.
_SHORTEST_LEASE = 15


def lease_seconds(environ: Mapping[str, str]) -> float:
    """
    How long a lease lasts and how often others try to get it: a minute, as in Azure.

    LOCAL_HOST_LEASE_SECONDS shortens both for a test; a lease is never below 15 s.
    """
    return float(environ.get("LOCAL_HOST_LEASE_SECONDS", "60"))


class Singleton:
    """The lock of one timer among all hosts of the app."""

    def __init__(self, storage: HostStorage, function: str, seconds: float) -> None:
        self._storage = storage
        self._blob = f"locks/{storage.host}/Host.Functions.{function}.Listener"
        self._seconds = seconds
        self._length = max(_SHORTEST_LEASE, round(seconds))
        self._lease: BlobLeaseClient | None = None

    async def acquire(self, stopping: asyncio.Event) -> bool:
        """Wait until this host has the lock; False if it is *stopping* before that."""
        while not stopping.is_set():
            try:
                self._lease = await self._storage.call(
                    lambda blobs: blobs.lease(self._blob, self._length)
                )
            except AzureError as error:
                log.warning("%s cannot be leased: %s", self._blob, error)
            if self._lease is not None:
                return True
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), self._seconds)
        return False

    async def keep(self) -> None:
        """
        Renew the lock indefinitely.

        An AzureError ends the host: RenewLeaseCommand handles only server errors, and only while
        the lease still has time.
        """
        while (lease := self._lease) is not None:
            await asyncio.sleep(self._length / 2)
            try:
                await self._storage.call(lambda _: lease.renew())
            except HttpResponseError as error:
                if not (error.status_code or 0) >= 500:
                    raise
                log.warning("%s cannot be renewed: %s", self._blob, error)

    async def release(self) -> None:
        """Release the lock, so that another host can get it immediately."""
        lease, self._lease = self._lease, None
        if lease is not None:
            with suppress(AzureError):
                await self._storage.call(lambda _: lease.release())
