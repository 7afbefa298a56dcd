"""What the bench takes for a right picture; the tenant is a file of what it would tell."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from local.bench.measuring.judge import Judge
from local.outside.tenant_client import Shown
from local.soak.pictures import pictures

PHOTO, ANOTHER = pictures(2)
SIDES = {"S": 48, "M": 72, "L": 240}  # the photo is smaller than the largest picture
UPN = "ada@contoso.com"
# The first second of 2026, as SharePoint counts it.
NEW_YEAR = 63_902_822_400


def picture(side: int, photo: bytes = PHOTO, *, higher: int = 0) -> bytes:
    stream = io.BytesIO()
    Image.open(io.BytesIO(photo)).resize((side, side + higher)).save(stream, "JPEG")
    return stream.getvalue()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Tenant:
    """One user, whose photo changed at New Year and was copied right after."""

    def __init__(self, **files: bytes) -> None:
        self.files = {size: picture(side) for size, side in SIDES.items()} | files
        self.profile = {
            "PictureURL": "https://contoso-my.sharepoint.com/u1_MThumb.jpg",
            "SPS-PictureTimestamp": str(NEW_YEAR),
        }
        self.photo: dict[str, str] | None = {
            "sha256": digest(PHOTO),
            "changedAt": "2026-01-01T00:00:00.900000+00:00",
        }
        self.version, self.modified = 2, "2026-01-01T00:00:02+00:00"

    def control(self, method: str, path: str) -> dict[str, Any]:
        files = [
            {
                "name": f"u1_{size}Thumb.jpg",
                "sha256": digest(content),
                "version": self.version,
                "modified": self.modified,
            }
            for size, content in self.files.items()
        ]
        person = {"userPrincipalName": UPN, "profile": self.profile, "photo": self.photo}
        return {"users": [{**person, "files": files}]}

    def shown(self, upn: str) -> Shown:
        return Shown(self.profile, self.files)


def wrong(tenant: Tenant) -> list[str]:
    return Judge(tenant, [PHOTO]).wrong()  # type: ignore[arg-type]


def test_copy_is_right():
    """Right is the photo in three sizes, none enlarged, under a timestamp of its own."""
    assert wrong(Tenant()) == []


@pytest.mark.parametrize("size", SIDES)
@pytest.mark.parametrize(
    "content",
    [
        lambda side: b"garbage",
        lambda side: picture(1),
        lambda side: picture(side - 1),
        lambda side: picture(301),
        lambda side: picture(side, higher=1),
        lambda side: picture(side, ANOTHER),
        lambda side: picture(side)[:400],
    ],
    ids=[
        "garbage",
        "one pixel",
        "too small",
        "too large",
        "no square",
        "another photo",
        "half a file",
    ],
)
def test_each_file_counts(size: str, content: Callable[[int], bytes]):
    """One file of the three that is no picture, of another size or of another photo is wrong."""
    assert wrong(Tenant(**{size: content(SIDES[size])})) == [UPN]


def test_files_change_places():
    """The same three files under each other's names are wrong, though each was looked at."""
    tenant = Tenant()
    judge = Judge(tenant, [PHOTO])  # type: ignore[arg-type]
    assert judge.wrong() == []

    tenant.files["S"], tenant.files["M"] = tenant.files["M"], tenant.files["S"]

    assert judge.wrong() == [UPN]


def test_missing_file():
    """Two of the three pictures are not enough."""
    tenant = Tenant()
    del tenant.files["L"]

    assert wrong(tenant) == [UPN]


def test_nothing_is_shown_without_a_photo():
    """A photo that is gone takes the picture along."""
    tenant = Tenant()
    tenant.photo = None
    assert wrong(tenant) == [UPN]

    tenant.profile = {}

    assert wrong(tenant) == []


def test_replaced_files_need_a_new_timestamp():
    """A browser that has the old pictures keeps them until the timestamp is another."""
    tenant = Tenant()
    tenant.profile["SPS-PictureTimestamp"] = str(NEW_YEAR - 1)
    assert wrong(tenant) == [UPN]

    del tenant.profile["SPS-PictureTimestamp"]

    assert wrong(tenant) == [UPN]


def test_first_files_need_no_timestamp():
    """What nobody has seen before is in no browser."""
    tenant = Tenant()
    tenant.version, tenant.profile["SPS-PictureTimestamp"] = 1, ""

    assert wrong(tenant) == []


def test_same_photo_again_needs_no_timestamp():
    """Where the photo that is shown was only stored once more, no file was written."""
    tenant = Tenant()
    tenant.modified = "2025-12-01T00:00:00+00:00"
    tenant.profile["SPS-PictureTimestamp"] = str(NEW_YEAR - 1_000_000)

    assert wrong(tenant) == []
