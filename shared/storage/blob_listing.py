"""Reads an answer of List Blobs: of each blob what is told of it, and nothing else is kept."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree


class ListedBlob(NamedTuple):
    """Its name, its metadata, and the MD5 of its content in hexadecimal, empty if untold."""

    name: str
    metadata: dict[str, str]
    digest: str


def read(answer: ElementTree.Element) -> Iterator[ListedBlob]:
    """The blobs of an *answer* (Azure Storage: List Blobs, documented), which is used up."""
    for element in answer.iterfind("Blobs/Blob"):
        yield _blob(element)
        # Of a page of 5,000 the elements take ten times what is made of them, and the client's
        # pages hold each other, and these, until garbage is collected.
        element.clear()


def _blob(element: ElementTree.Element) -> ListedBlob:
    told = element.find("Metadata")
    metadata = {each.tag: each.text or "" for each in told} if told is not None else {}
    digest = element.findtext("Properties/Content-MD5") or ""
    return ListedBlob(element.findtext("Name") or "", metadata, _hexadecimal(digest))


def _hexadecimal(digest: str) -> str:
    try:
        return base64.b64decode(digest).hex()
    except ValueError:
        # A person may set it: one odd blob is not to keep all others from being listed.
        return digest
