"""Reads a List Blobs answer, and keeps only what PhotoSync needs of each blob."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree


class ListedBlob(NamedTuple):
    """A blob's name, metadata, and the MD5 of its content in hexadecimal, empty if not given."""

    name: str
    metadata: dict[str, str]
    digest: str


def read(answer: ElementTree.Element) -> Iterator[ListedBlob]:
    """The blobs of an *answer* (Azure Storage: List Blobs, documented), which is consumed."""
    for element in answer.iterfind("Blobs/Blob"):
        yield _blob(element)
        # The elements of a page of 5,000 take ten times the memory of our entries, and the client's
        # pages keep each other, and these, alive until garbage collection.
        element.clear()


def _blob(element: ElementTree.Element) -> ListedBlob:
    found = element.find("Metadata")
    metadata = {each.tag: each.text or "" for each in found} if found is not None else {}
    digest = element.findtext("Properties/Content-MD5") or ""
    return ListedBlob(element.findtext("Name") or "", metadata, _hexadecimal(digest))


def _hexadecimal(digest: str) -> str:
    try:
        return base64.b64decode(digest).hex()
    except ValueError:
        # Somebody may have set it: one invalid digest must not stop the listing.
        return digest
