"""A picture file as PhotoSync wrote it, with SharePoint's ETag for that version."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class WrittenFile:
    """
    One file of a picture. `length` (in bytes) and `sha256` describe the written content.

    `etag` is SharePoint's ETag for that version, empty if SharePoint did not return one. It may
    change without an edit (sharepoint.md section 3); then compare the bytes.
    """

    etag: str
    length: int
    sha256: str

    @classmethod
    def of(cls, content: bytes, etag: str = "") -> WrittenFile:
        """Describe a file with this *content*."""
        return cls(etag, len(content), hashlib.sha256(content).hexdigest())

    def holds(self, content: bytes) -> bool:
        """Whether *content* equals what was written."""
        return self.sha256 == hashlib.sha256(content).hexdigest()
