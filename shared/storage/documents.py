"""Small JSON blobs that several runs may want to write: what one is, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol


class Document(NamedTuple):
    """
    The fields of a blob and the version they were read from.

    `at` is storage's own time when it was read, in seconds since 1970; 0.0 where nobody has asked.
    """

    fields: dict[str, Any]
    version: str
    at: float = 0.0


class Documents(Protocol):
    """Where documents live. There is no unconditional write. Errors: Conflict, ServiceDown."""

    def read(self, name: str) -> Document | None:
        """The document, None when there is none."""
        ...

    def write(self, name: str, fields: Mapping[str, Any], *, after: Document | None) -> Document:
        """Write in place of what was read as *after*; Conflict when that has moved on."""
        ...

    def delete(self, name: str, *, after: Document) -> None:
        """Delete what was read as *after*; Conflict when that has moved on."""
        ...
