"""An answer of List Blobs, as storage writes it."""

from __future__ import annotations

from xml.etree import ElementTree

from shared.storage.blob_listing import ListedBlob, read

ANSWER = b"""<?xml version="1.0" encoding="utf-8"?>
<EnumerationResults ServiceEndpoint="https://x/" ContainerName="c"><Prefix>users/</Prefix><Blobs>
<Blob><Name>users/a.json</Name><Properties><Content-MD5>AAEC</Content-MD5></Properties>
<Metadata><upn>anne%40contoso.com</upn><empty /></Metadata></Blob>
<Blob><Name>users/b.json</Name><Properties><Content-MD5 /></Properties></Blob>
</Blobs><NextMarker>more</NextMarker></EnumerationResults>"""


def test_listed_blobs():
    """Each has a name, metadata and a digest, which may be missing."""
    assert list(read(ElementTree.fromstring(ANSWER))) == [
        ListedBlob("users/a.json", {"upn": "anne%40contoso.com", "empty": ""}, "000102"),
        ListedBlob("users/b.json", {}, ""),
    ]


def test_invalid_digest():
    """It stays as it is, which no content of ours has, and the others are listed."""
    answer = ElementTree.fromstring(ANSWER.replace(b"AAEC", b"A"))

    assert [each.digest for each in read(answer)] == ["A", ""]


def test_nothing_is_listed():
    """An answer without blobs is valid."""
    empty = ElementTree.fromstring("<EnumerationResults><Blobs /></EnumerationResults>")

    assert list(read(empty)) == []
