"""What hosts of one app share in storage, by names of their own, off the event loop."""

from __future__ import annotations

import asyncio
import hashlib
import os
import platform
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from local.host.host_blobs import HostBlobs

T = TypeVar("T")


def host_id(settings: Mapping[str, str], app: Path) -> str:
    """
    Name the app among others that use the same storage account.

    Documented: ScriptHostIdProvider.cs: the setting, else the machine and a hash of the path.
    """
    given = settings.get("AzureFunctionsWebHost__hostid", "")
    machine = "".join(letter for letter in platform.node() if letter.isalnum())
    path = hashlib.sha256(os.fsencode(app)).hexdigest()[:10]
    return (given or f"{machine}-{path}")[-32:].strip("-").lower()


class HostStorage:
    """The blobs of one app's hosts; `call` may be used from many tasks at once."""

    def __init__(self, connection: str, host: str, executor: ThreadPoolExecutor) -> None:
        self._connection = connection
        self.host = host
        self._executor = executor
        self._blobs: HostBlobs | None = None
        self._loading = threading.Lock()

    async def call(self, work: Callable[[HostBlobs], T]) -> T:
        """Do *work*, which may block; AzureError if storage does not take it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: work(self._loaded()))

    def _loaded(self) -> HostBlobs:
        from local.host.host_blobs import HostBlobs

        with self._loading:
            if self._blobs is None:
                self._blobs = HostBlobs(self._connection)
            return self._blobs
