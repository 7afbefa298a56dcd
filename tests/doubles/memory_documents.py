"""Documents in memory; as with blobs, every write names the version that it replaces."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

from shared.errors import Conflict
from shared.storage.documents import Document
from shared.telemetry.calls import note


class MemoryDocuments:
    """
    Counts its `calls`, and raises `error` if there is one.

    `at_read` is what other runs do, one at each read, before the write that follows.
    """

    def __init__(self) -> None:
        self.blobs: dict[str, Document] = {}
        self.at_read: list[Callable[[], object]] = []
        self.calls = 0
        self.error: Exception | None = None
        self._versions = itertools.count(1)

    def read(self, name: str) -> Document | None:
        self._called()
        found = self.blobs.get(name)
        if self.at_read:
            self.at_read.pop(0)()
        return found

    def write(self, name: str, fields: Mapping[str, Any], *, after: Document | None) -> Document:
        self._called()
        known = self.blobs.get(name)
        if (known and known.version) != (after and after.version):
            raise Conflict("Another run wrote this blob first.")
        return self.put(name, fields)

    def delete(self, name: str, *, after: Document) -> None:
        self._called()
        known = self.blobs.get(name)
        if known is None or known.version != after.version:
            raise Conflict("Another run wrote this blob first.")
        del self.blobs[name]

    def put(self, name: str, fields: Mapping[str, Any]) -> Document:
        """Write without condition; only for tests."""
        # Through JSON, so that only content is kept that a blob could hold.
        written = json.loads(json.dumps(fields))
        self.blobs[name] = Document(written, f"version-{next(self._versions)}")
        return self.blobs[name]

    def _called(self) -> None:
        note("blob")
        self.calls += 1
        if self.error:
            raise self.error
