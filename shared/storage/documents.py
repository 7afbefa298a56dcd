"""Small JSON blobs that several runs may write, and the protocol for writing them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol


class Document(NamedTuple):
    """
    The fields of a blob and the version they were read from.

    `at` is storage's time when it was read, in seconds since 1970; 0.0 if it was not read.
    """

    fields: dict[str, Any]
    version: str
    at: float = 0.0


class Documents(Protocol):
    """Where documents are stored. No write is unconditional. Errors: Conflict, ServiceDown."""

    def read(self, name: str) -> Document | None:
        """The document, None if there is none."""
        ...

    def write(self, name: str, fields: Mapping[str, Any], *, after: Document | None) -> Document:
        """Replace what was read as *after*; Conflict if that has changed."""
        ...

    def delete(self, name: str, *, after: Document) -> None:
        """Delete what was read as *after*; Conflict if that has changed."""
        ...
