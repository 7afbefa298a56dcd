"""The storage that all hosts of one app share; calls run off the event loop."""

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
    The id that identifies the app among others in the same storage account.

    Documented: ScriptHostIdProvider.cs: the setting, or else the machine and a hash of the path.
    """
    given = settings.get("AzureFunctionsWebHost__hostid", "")
    machine = "".join(letter for letter in platform.node() if letter.isalnum())
    path = hashlib.sha256(os.fsencode(app)).hexdigest()[:10]
    return (given or f"{machine}-{path}")[-32:].strip("-").lower()


class HostStorage:
    """The blobs of one app's hosts; `call` may be used from many tasks concurrently."""

    def __init__(self, connection: str, host: str, executor: ThreadPoolExecutor) -> None:
        self._connection = connection
        self.host = host
        self._executor = executor
        self._blobs: HostBlobs | None = None
        self._loading = threading.Lock()

    async def call(self, work: Callable[[HostBlobs], T]) -> T:
        """Run *work*, which may block; raises AzureError if storage fails."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: work(self._loaded()))

    def _loaded(self) -> HostBlobs:
        from local.host.host_blobs import HostBlobs

        with self._loading:
            if self._blobs is None:
                self._blobs = HostBlobs(self._connection)
            return self._blobs
