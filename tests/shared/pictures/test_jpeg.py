"""JPEG files as browsers show them, and truncated scans."""

from __future__ import annotations

import struct

import pytest
from PIL import Image

from shared.errors import PhotoRefused
from shared.pictures import renditions
from shared.pictures.reader import read
from tests.shared.pictures import picture_samples as samples
from tests.shared.pictures.picture_samples import (
    BLUE,
    GREEN,
    RED,
    YELLOW,
    alike,
    at,
    corners,
    encoded,
    four_corners,
    rendered,
    segment,
)

ADOBE_0 = segment(0xEE, b"Adobe\0\x64\0\0\0\0\0")
UPRIGHT = [RED, GREEN, BLUE, YELLOW]
TURNED = [BLUE, RED, YELLOW, GREEN]
PLAIN = encoded(corners(), "JPEG", quality=95)
NOISE = Image.effect_noise((120, 120), 90).convert("RGB")
VARIANTS = {
    "baseline": encoded(NOISE, "JPEG"),
    "progressive": encoded(NOISE, "JPEG", progressive=True),
    "restarts": encoded(NOISE, "JPEG", restart_marker_blocks=7),
    "grey": encoded(NOISE.convert("L"), "JPEG"),
    "subsampled": encoded(NOISE.resize((117, 119)), "JPEG", subsampling=2, optimize=True),
}
each_variant = pytest.mark.parametrize("photo", VARIANTS.values(), ids=VARIANTS)


def is_refused(photo: bytes) -> bool:
    try:
        renditions.renditions(photo, [300])
    except PhotoRefused as refused:
        return "damaged or truncated JPEG" in str(refused)
    return False


def after_header(*added: bytes) -> bytes:
    """The plain photo with segments after its JFIF header."""
    return PLAIN[:20] + b"".join(added) + PLAIN[20:]


def exif(orientation: int, pad: bytes = b"\0") -> bytes:
    entry = struct.pack(">HHHIHH", 1, 0x0112, 3, 1, orientation, 0)
    return segment(0xE1, b"Exif\0" + pad + b"MM\0*\0\0\0\x08" + entry + bytes(4))


# Colours


def test_cmyk_without_adobe_is_shown_as_with_it():
    """Viewers read the ink of every CMYK JPEG as inverted, whatever wrote the file."""
    photo = encoded(Image.new("CMYK", (64, 64), (200, 80, 0, 0)), "JPEG")
    assert b"Adobe" in photo
    start = photo.index(b"\xff\xee")

    seen = [at(rendered(each), 32, 32) for each in (photo, photo[:start] + photo[start + 16 :])]

    assert alike(seen, [(55, 175, 255)] * 2, within=2)


@pytest.mark.parametrize("place", [2, 20], ids=["before JFIF", "after JFIF"])
def test_jfif_wins_over_adobe(place):
    """Three components are YCbCr in a JFIF file, even if Adobe's marker says RGB."""
    photo = PLAIN[:place] + ADOBE_0 + PLAIN[place:]

    assert alike(four_corners(rendered(photo)), UPRIGHT)


def named_rgb(photo: bytes) -> bytes:
    """The same pixels, with the components named R, G and B."""
    frame, scan = photo.index(b"\xff\xc0"), photo.index(b"\xff\xda")
    named = bytearray(photo)
    for number, name in enumerate(b"RGB"):
        named[frame + 10 + 3 * number] = named[scan + 5 + 2 * number] = name
    return bytes(named)


def test_jfif_wins_over_names_of_components():
    """Nor do the names R, G and B matter, nor a thumbnail in the header."""
    photo = named_rgb(PLAIN)
    header = segment(0xE0, photo[6:18] + b"\1\1" + b"rgb")

    for each in (photo, photo[:2] + header + photo[20:]):
        assert alike(four_corners(rendered(each)), UPRIGHT)
        assert b"\1\1rgb" not in read(each).content


@pytest.mark.parametrize(
    "header", [b"", segment(0xE0, PLAIN[6:16]), segment(0xE0, b"JFXX\0" + bytes(9))]
)
@pytest.mark.parametrize("other", [ADOBE_0, b""], ids=["Adobe", "names"])
def test_rgb_without_jfif_stays_rgb(header, other):
    """Without a JFIF header, the Adobe marker counts, and then the names."""
    photo = encoded(corners(), "JPEG", quality=95, keep_rgb=True)
    assert b"JFIF" not in photo
    plain = photo[:2] + photo[photo.index(b"\xff\xdb") :]

    assert alike(four_corners(rendered(plain[:2] + header + other + plain[2:])), UPRIGHT)


# Orientation


@pytest.mark.parametrize("pad", [b"\0", b"\1", b"\xff"])
@pytest.mark.parametrize("empty", [b"", segment(0xE1, b"Exif\0\0"), segment(0xE1, b"Exif\0")])
def test_exif_is_found(empty, pad):
    """An empty first segment is ignored, and the pad byte may be any (Exif, 4.7.2)."""
    assert alike(four_corners(rendered(after_header(empty, exif(6, pad)))), TURNED)


@pytest.mark.parametrize(
    "first",
    [exif(1), segment(0xE1, b"Exif\0\0MM"), segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\0")],
    ids=["upright", "cut off", "without tags"],
)
def test_first_exif_counts(first):
    """A second Exif segment is ignored, as in browsers."""
    assert alike(four_corners(rendered(after_header(first, exif(6)))), UPRIGHT)


def test_exif_after_the_picture():
    """After the end, Exif is ignored; after the scan, it is damage."""
    assert alike(four_corners(rendered(PLAIN + exif(6))), UPRIGHT)
    assert is_refused(PLAIN[:-2] + exif(6) + PLAIN[-2:])


# Scans


@each_variant
@pytest.mark.parametrize("missing", [1, 2])
def test_missing_end(photo, missing):
    """A photo that lacks only its end marker is complete, and looks the same."""
    whole = renditions.renditions(photo, [300])

    assert renditions.renditions(photo[:-missing], [300]) == whole


@each_variant
@pytest.mark.parametrize("end", [b"", b"\xff", b"\xff\xd9"], ids=["open", "half", "closed"])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99, 0.999])
def test_truncated_scan_is_refused(photo, share, end):
    """Even if an end marker follows the cut."""
    start = photo.index(b"\xff\xda")
    cut = start + int((len(photo) - 2 - start) * share)

    assert is_refused(photo[:cut].rstrip(b"\xff") + end)


def interrupted(photo: bytes, marker: int) -> bytes:
    """The photo with a marker after the first third of its scan."""
    start = photo.index(b"\xff\xda")
    middle = start + (len(photo) - start) // 3
    return photo[:middle] + bytes([0xFF, marker]) + photo[middle:]


@each_variant
def test_stray_marker_in_a_scan_is_refused(photo):
    """A scan interrupted by any marker is damage, never a picture that is half grey."""
    markers = [*range(0x01, 0xD0), *range(0xD8, 0xFF)]

    assert [each for each in markers if not is_refused(interrupted(photo, each))] == []


@pytest.mark.parametrize("variant", ["baseline", "grey", "subsampled"])
@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize(
    "announced", [b"", segment(0xDD, b"\0\0")], ids=["nothing", "no intervals"]
)
def test_restart_without_intervals_is_refused(variant, number, announced):
    """A restart marker interrupts a scan, too, if no intervals are announced (B.1.1.3)."""
    photo = VARIANTS[variant][:20] + announced + VARIANTS[variant][20:]

    assert is_refused(interrupted(photo, 0xD0 + number))


@each_variant
@pytest.mark.parametrize(
    "added", [segment(0xFE, b"a comment"), b"\0" * 40, b"\xff\xd3", b"\xff" * 5]
)
def test_bytes_after_a_complete_scan(photo, added):
    """A comment, extra bytes, a restart marker and padding are skipped."""
    whole = renditions.renditions(photo, [300])

    assert renditions.renditions(photo[:-2] + added + photo[-2:], [300]) == whole


@each_variant
@pytest.mark.parametrize("marker", [0x9A, 0xF0, 0xE1])
def test_other_markers_after_the_scan_are_refused(photo, marker):
    """Even if the scan may be complete: such bytes come from damage (image-rs/image#2428)."""
    assert is_refused(photo[:-2] + bytes([0xFF, marker]) + photo[-2:])


def test_one_scan_for_each_component():
    """A picture may have one scan per component; each must be complete."""
    photo = separate_scans()
    second = photo.index(b"\xff\xda", photo.index(b"\xff\xda") + 2)

    assert not is_refused(photo)
    assert is_refused(photo[: second - 40] + photo[second:])
    assert is_refused(photo[:-42] + photo[-2:])


def separate_scans() -> bytes:
    """Three grey pictures as the components of one: Y, Cb and Cr."""
    parts = [encoded(channel, "JPEG") for channel in NOISE.convert("YCbCr").split()]
    first = parts[0]
    scan, frame = first.index(b"\xff\xda"), first.index(b"\xff\xc0")
    components = bytes([3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0])
    head = first[:frame] + segment(0xC0, first[frame + 4 : frame + 9] + components)
    head += first[frame + 13 : scan]
    scans = [part[part.index(b"\xff\xda") : -2] for part in parts]
    named = [each[:5] + bytes([number]) + each[6:] for number, each in enumerate(scans, 1)]
    return head + b"".join(named) + b"\xff\xd9"


def test_height_after_the_scan():
    """A frame of no lines, whose number follows the scan (DNL), is refused, as in browsers."""
    photo = bytearray(samples.encoded(NOISE, "JPEG"))
    frame = photo.index(b"\xff\xc0")
    photo[frame + 5 : frame + 7] = b"\0\0"

    assert is_refused(bytes(photo[:-2]) + segment(0xDC, b"\0\x78") + bytes(photo[-2:]))
