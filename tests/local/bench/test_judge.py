"""What the bench accepts as a right picture."""

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
NEW_YEAR, LATER = 63_902_822_400, "2026-01-01T00:00:02+00:00"


def picture(side: int, photo: bytes = PHOTO, *, higher: int = 0) -> bytes:
    stream = io.BytesIO()
    Image.open(io.BytesIO(photo)).resize((side, side + higher)).save(stream, "JPEG")
    return stream.getvalue()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Tenant:
    """One user, whose photo changed at New Year and was copied right after."""

    def __init__(self, **files: bytes | None) -> None:
        all_files = {size: picture(side) for size, side in SIDES.items()} | files
        self.files = {size: content for size, content in all_files.items() if content is not None}
        self.profile = {
            "PictureURL": "https://contoso-my.sharepoint.com/u1_MThumb.jpg",
            "SPS-PictureTimestamp": str(NEW_YEAR),
        }
        self.photo: dict[str, str] | None = {
            "sha256": digest(PHOTO),
            "changedAt": "2026-01-01T00:00:00.900000+00:00",
        }
        self.version, self.modified = 2, LATER

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


@pytest.mark.parametrize("size", SIDES)
@pytest.mark.parametrize(
    "content",
    [
        lambda side: None,
        lambda side: b"garbage",
        lambda side: picture(1),
        lambda side: picture(side - 1),
        lambda side: picture(301),
        lambda side: picture(side, higher=1),
        lambda side: picture(side, ANOTHER),
        lambda side: picture(side)[:400],
    ],
    ids=["missing", "garbage", "pixel", "too small", "too large", "oblong", "another", "cut"],
)
def test_each_file_counts(size: str, content: Callable[[int], bytes | None]):
    """One file that is missing, no picture, of another size or of another photo is wrong."""
    assert wrong(Tenant(**{size: content(SIDES[size])})) == [UPN]


def test_swapped_files():
    """The same files under each other's names are wrong, although each was seen before."""
    tenant = Tenant()
    judge = Judge(tenant, [PHOTO])  # type: ignore[arg-type]
    assert judge.wrong() == []

    tenant.files["S"], tenant.files["M"] = tenant.files["M"], tenant.files["S"]

    assert judge.wrong() == [UPN]


def test_nothing_is_shown_without_a_photo():
    """Without a photo, a picture is wrong."""
    tenant = Tenant()
    tenant.photo = None
    assert wrong(tenant) == [UPN]

    tenant.profile = {}
    assert wrong(tenant) == []


@pytest.mark.parametrize(
    ("stamp", "version", "modified", "right"),
    [
        (str(NEW_YEAR - 1), 2, LATER, False),
        ("", 2, LATER, False),
        ("", 1, LATER, True),
        (str(NEW_YEAR - 1_000_000), 2, "2025-12-01T00:00:00+00:00", True),
    ],
    ids=["older", "none", "first files", "not written again"],
)
def test_replaced_files_need_a_new_timestamp(stamp: str, version: int, modified: str, right: bool):
    """A browser keeps the old pictures until the timestamp changes; first files are in no cache."""
    tenant = Tenant()
    tenant.profile["SPS-PictureTimestamp"] = stamp
    tenant.version, tenant.modified = version, modified

    assert (wrong(tenant) == []) is right
