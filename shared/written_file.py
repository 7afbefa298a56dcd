"""A picture file as PhotoSync wrote it, and what SharePoint calls that version of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class WrittenFile:
    """
    One file of a picture. `length`, in bytes, and `sha256` are of what was written.

    `etag` is SharePoint's for the version that holds it; empty where SharePoint did not say. It
    may move without anybody's doing (sharepoint.md section 3): then the bytes tell.
    """

    etag: str
    length: int
    sha256: str

    @classmethod
    def of(cls, content: bytes, etag: str = "") -> WrittenFile:
        """The file that holds *content*."""
        return cls(etag, len(content), hashlib.sha256(content).hexdigest())

    def holds(self, content: bytes) -> bool:
        """Whether *content* is what was written."""
        return self.sha256 == hashlib.sha256(content).hexdigest()
