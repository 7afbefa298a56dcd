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


def test_what_is_told_of_blobs():
    """Names, metadata and digests, each of which may be missing."""
    assert list(read(ElementTree.fromstring(ANSWER))) == [
        ListedBlob("users/a.json", {"upn": "anne%40contoso.com", "empty": ""}, "000102"),
        ListedBlob("users/b.json", {}, ""),
    ]


def test_odd_digest():
    """What is no base64 stays as it is: it is no content of ours, and the others are listed."""
    answer = ElementTree.fromstring(ANSWER.replace(b"AAEC", b"A"))

    assert [each.digest for each in read(answer)] == ["A", ""]


def test_nothing_is_listed():
    """An answer without blobs is one."""
    empty = ElementTree.fromstring("<EnumerationResults><Blobs /></EnumerationResults>")

    assert list(read(empty)) == []
