"""
Append-only blobs, one line per block.

Append Block adds each block after the last one, even while others append; a block cannot be changed
later (functions.md section Append blobs).
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

# The status of a blob that takes no more: it has 50,000 blocks, is sealed, leased by somebody,
# locked by a policy, or is a blob of another kind. We name no condition that could fail.
_FULL = {409, 412}
_NO_SUCH_BYTES = 416
_MOST_NAMES = 5000


class AppendBlobs:
    """One container of append blobs, created when absent. Errors: ServiceDown, AccessDenied."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    def append(self, name: str, line: bytes, *, make: bool = True) -> int:
        """
        Append *line*, and return how many blocks there are then. Raises Full.

        A missing blob counts as Full unless we may *make* it. If an answer is lost, the client
        sends the line again, so the blob may hold it twice.
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
            # For a while, storage does not know a container that was just deleted, and refuses to
            # create another of that name.
            raise ServiceDown(
                f"Storage cannot create {name} yet: its container may have just been deleted.",
                service="storage",
            ) from error

    def read(self, name: str, most: int) -> bytes:
        """The first *most* bytes; none if there is no such blob."""
        note("blob")
        try:
            with translated():
                return self._read(name, most)
        except ResourceNotFoundError:
            return b""

    def names(self) -> list[str]:
        """The names of the blobs, at most the first 5,000 in order."""
        found, _ = Blobs(self._container).leaf("", "", _MOST_NAMES)
        return [str(each.name) for each in found]

    def _read(self, name: str, most: int) -> bytes:
        try:
            return bytes(self._container.download_blob(name, offset=0, length=most).readall())
        except HttpResponseError as error:
            # A blob that was created and has no line yet has no such range.
            if error.status_code == _NO_SUCH_BYTES:
                return b""
            raise

    def _append(self, name: str, line: bytes) -> int:
        note("blob")
        with translated():
            try:
                answer: Any = self._container.get_blob_client(name).append_block(line)
            except HttpResponseError as error:
                if error.status_code in _FULL:
                    raise Full(f"{name} takes no more lines.") from error
                raise
        return int(answer["blob_committed_block_count"])

    def _make(self, name: str) -> None:
        with suppress(ResourceExistsError, Conflict), translated():
            self._container.create_container()
        kind = ContentSettings(content_type="application/x-ndjson")
        # Without the condition this would empty a blob that another instance has just created.
        with suppress(Conflict), translated():
            self._container.get_blob_client(name).create_append_blob(
                content_settings=kind, match_condition=MatchConditions.IfMissing
            )
