"""How an answer of `userphoto.aspx` is classified."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from admin.acceptance.likeness import Known, named
from shared.microsoft365.reply import Reply
from tests.e2e.cloud import picture


def smaller(content: bytes, side: int) -> bytes:
    """The same picture, re-encoded."""
    with Image.open(io.BytesIO(content)) as image:
        out = io.BytesIO()
        image.resize((side, side)).save(out, "JPEG", quality=70)
    return out.getvalue()


ANNE, MARK, OLD = picture(3), picture(60), picture(9)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (MARK, "what was written"),
        (OLD, "the previous picture"),
        (smaller(MARK, 96), "the same picture with different bytes (96x96)"),
        (smaller(ANNE, 96), "the mailbox's photo (96x96), so it came from another service"),
        (picture(100), "another picture (400x400)"),
        (b"<html>", "no picture"),
        (b"", "no picture"),
    ],
)
def test_named(body: bytes, words: str):
    """By its bytes first, then by how it looks."""
    known = Known(MARK, before=OLD, photo=ANNE)

    assert named(Reply("sharepoint", 200, {}, body), known).startswith(words)


def test_a_copy_of_the_photo_is_the_same_picture():
    """If the written picture looks like the photo, the source of other bytes is unknown."""
    reply = Reply("sharepoint", 200, {}, smaller(ANNE, 96))

    assert "re-encoded, or another service's" in named(reply, Known(ANNE, photo=ANNE))


@pytest.mark.parametrize(
    ("status", "location", "words"),
    [
        (302, "/_layouts/x.jpg", "a redirect (302) to the same host"),
        (302, "https://outlook.office.com/p/anne@contoso.com", "to a host of office"),
        (302, "https://pictures.contoso.example/anne.jpg", "to another host"),
        (302, "https://[", "to an invalid address"),
        (403, "", "status 403"),
    ],
)
def test_no_picture(status: int, location: str, words: str):
    """A redirect is reported by service, without tenant or user."""
    reply = Reply("sharepoint", status, {"Location": location}, b"")

    assert named(reply, Known(MARK)).endswith(words)
