"""What embedded colour profiles may do: the rules of `shared.pictures.colour`."""

from __future__ import annotations

import pytest
from PIL import Image

from tests.shared.pictures import picture_samples as samples
from tests.shared.pictures.picture_samples import RED, WHITE, alike, at, encoded, rendered


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_an_embedded_profile_changes_the_colours(kind):
    """Channels mean what the embedded profile says: here the first is blue and the third red."""
    photo = encoded(
        Image.new("RGB", (50, 50), (255, 0, 0)), kind, icc_profile=samples.swapped_profile()
    )

    assert alike([at(rendered(photo), 25, 25)], [(0, 0, 255)])


def test_a_profile_applies_beneath_transparency():
    """Transparent parts are white whatever the profile does to the rest."""
    picture = Image.new("RGBA", (40, 40), (255, 0, 0, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 40, 20))
    seen = rendered(encoded(picture, "PNG", icc_profile=samples.swapped_profile()))

    assert alike([at(seen, 20, 4), at(seen, 20, 36)], [WHITE, (0, 0, 255)])


def test_a_cmyk_profile_is_applied():
    """Ink is as dark as its profile says."""
    photo = encoded(
        Image.new("CMYK", (50, 50), (0, 255, 0, 0)), "JPEG", icc_profile=samples.cmyk_profile()
    )

    red, green, blue = at(rendered(photo), 25, 25)

    assert max(red, green, blue) - min(red, green, blue) <= 6
    assert 90 <= red <= 130


@pytest.mark.parametrize(
    "profile",
    [b"no profile", samples.swapped_profile()[:200], samples.cmyk_profile(), bytes(400)],
    ids=["text", "cut off", "of another space", "zeros"],
)
def test_a_broken_profile_is_ignored(profile):
    """A profile that cannot be used is no reason to refuse the photo."""
    photo = encoded(Image.new("RGB", (50, 50), RED), "JPEG", icc_profile=profile, quality=95)

    assert alike([at(rendered(photo), 25, 25)], [RED])


def test_a_profile_that_asks_for_too_much_memory_is_ignored():
    """No memory is allocated for a colour table that claims more than it contains."""
    profile = samples.cmyk_profile(claimed_grid=80)
    white = encoded(Image.new("CMYK", (50, 50), (0, 0, 0, 0)), "JPEG", icc_profile=profile)

    assert alike([at(rendered(white), 25, 25)], [WHITE])


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (samples.rgb_table_profile(), WHITE),
        (samples.rgb_table_profile(points=4) + bytes([255, 128, 128]) * 99, RED),
        (samples.rgb_table_profile(table=b"abcd"), RED),
        (samples.rgb_table_profile(name=b"D2B0"), RED),
        (samples.rgb_table_profile(name=b"text"), RED),
    ],
    ids=["valid", "too large", "unknown kind", "floating point", "absent"],
)
def test_colour_table(profile, expected):
    """A valid lookup table is applied, an invalid one ignored."""
    photo = encoded(Image.new("RGB", (50, 50), RED), "JPEG", icc_profile=profile)

    assert alike([at(rendered(photo), 25, 25)], [expected])
