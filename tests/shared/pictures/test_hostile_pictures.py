"""Randomly damaged files: the result is either pictures or a refusal."""

from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shared.errors import PhotoRefused
from shared.pictures import renditions
from tests.shared.pictures import picture_samples as samples
from tests.shared.pictures.picture_samples import corners, encoded, oriented

SIZES = [48, 72, 300]
SEEDS = [
    encoded(corners(24, 20), "JPEG"),
    encoded(corners(24, 20), "JPEG", progressive=True, icc_profile=samples.swapped_profile()),
    encoded(corners(24, 20).convert("CMYK"), "JPEG", icc_profile=samples.cmyk_profile()),
    oriented(corners(24, 20), 6),
    oriented(corners(24, 20), 6, "PNG"),
    encoded(corners(24, 20).convert("RGBA"), "PNG", icc_profile=samples.swapped_profile()),
    encoded(corners(24, 20).quantize(8), "PNG", transparency=bytes(range(8))),
    encoded(Image.new("I;16", (24, 20), 999), "PNG", transparency=999),
    encoded(corners(24, 20).convert("1"), "PNG"),
    encoded(corners(24, 20).quantize(8), "GIF", transparency=1, comment=b"hello"),
    encoded(corners(24, 20), "BMP"),
    encoded(corners(24, 20).convert("RGBA"), "BMP"),
    encoded(corners(24, 20).quantize(8), "BMP"),
]
EDITS = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 20), st.binary(max_size=12)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=400)
@given(seed=st.sampled_from(SEEDS), edits=EDITS, early=st.booleans(), fix_checksums=st.booleans())
def test_damaged_files_give_pictures_or_a_refusal(seed, edits, early, fix_checksums):
    """Any edit of a file gives valid pictures or PhotoRefused, and never a warning."""
    photo = bytearray(seed)
    for place, removed, added in edits:
        at = int(place * (min(len(photo), 160) if early else len(photo)))
        photo[at : at + removed] = added
    whole = (
        samples.resealed(bytes(photo))
        if fix_checksums and photo[:4] == b"\x89PNG"
        else bytes(photo)
    )

    try:
        made = renditions.renditions(whole, SIZES)
    except PhotoRefused:
        return
    assert [Image.open(io.BytesIO(content)).format for content in made] == ["JPEG"] * 3
