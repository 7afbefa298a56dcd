"""
Blobs that can only be added to, a line a block.

Append Block puts each block behind the last one, whoever else does so at that moment; a block
cannot be changed any more (functions.md section Append blobs).
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContainerClient, ContentSettings

from shared.errors import Conflict, Full, ServiceDown
from shared.storage.blobs import Blobs, translated
from shared.telemetry.calls import note

# What a blob answers that takes no more: it has 50,000 blocks, is sealed, leased by somebody, or
# locked by a policy, or was put there as one of another kind. We name no condition that could fail.
_FULL = {409, 412}
_NO_SUCH_BYTES = 416
_MOST_NAMES = 5000


class AppendBlobs:
    """One container of them, made when it is absent. Errors of all: ServiceDown, AccessDenied."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    def append(self, name: str, line: bytes, *, make: bool = True) -> int:
        """
        Put *line* behind whatever is there; how many blocks there are then. Raises Full.

        Unless it may *make* the blob, one that is not there is Full, too. An answer that is lost
        has the client send the line again, so that it may stand there twice.
        """
        try:
            return self._append(name, line)
        except ResourceNotFoundError as error:
            if not make:
                raise Full(f"There is no {name}.") from error
        try:
            self._make(name)
            return self._append(name, line)
        except ResourceNotFoundError as error:
            # Of a container that somebody has just deleted storage knows nothing for a while, and
            # none of that name may be made.
            raise ServiceDown(
                f"Storage takes no {name} now: its container may have been deleted a moment ago.",
                service="storage",
            ) from error

    def read(self, name: str, most: int) -> bytes:
        """The first *most* bytes, none if there is no such blob."""
        note("blob")
        try:
            with translated():
                return self._read(name, most)
        except ResourceNotFoundError:
            return b""

    def names(self) -> list[str]:
        """What there is, the 5,000 first by name."""
        found, _ = Blobs(self._container).leaf("", "", _MOST_NAMES)
        return [str(each.name) for each in found]

    def _read(self, name: str, most: int) -> bytes:
        try:
            return bytes(self._container.download_blob(name, offset=0, length=most).readall())
        except HttpResponseError as error:
            # Of a blob that was made and has no line yet storage has no such bytes.
            if error.status_code == _NO_SUCH_BYTES:
                return b""
            raise

    def _append(self, name: str, line: bytes) -> int:
        note("blob")
        with translated():
            try:
                told: Any = self._container.get_blob_client(name).append_block(line)
            except HttpResponseError as error:
                if error.status_code in _FULL:
                    raise Full(f"{name} takes no more lines.") from error
                raise
        return int(told["blob_committed_block_count"])

    def _make(self, name: str) -> None:
        with suppress(ResourceExistsError, Conflict), translated():
            self._container.create_container()
        kind = ContentSettings(content_type="application/x-ndjson")
        # Without the condition it would empty a blob that another instance has just made.
        with suppress(Conflict), translated():
            self._container.get_blob_client(name).create_append_blob(
                content_settings=kind, match_condition=MatchConditions.IfMissing
            )
