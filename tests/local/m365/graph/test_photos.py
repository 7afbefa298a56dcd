"""Photos: storage of uploads, refusals, and answers for missing photos."""

from __future__ import annotations

import io

import pytest
import requests
from PIL import Image

from local.m365.control import users
from local.m365.tenant import photos
from local.m365.tenant.records import User
from tests.local.m365.simulator import PHOTOSYNC_APP, Cloud, HostSession, refusal

RIGHT_SIDE_UP = 0x0112


def drawn(
    kind: str = "JPEG", size: tuple[int, int] = (700, 500), orientation: int | None = None
) -> bytes:
    image = Image.radial_gradient("L").resize(size).convert("RGB")
    exif = Image.Exif()
    if orientation:
        exif[RIGHT_SIDE_UP] = orientation
    target = io.BytesIO()
    image.save(target, kind, exif=exif)
    return target.getvalue()


@pytest.fixture
def photo(anna: User) -> str:
    """The path of Anna's photo."""
    return f"/users/{anna.id}/photo"


def put(graph: HostSession, photo: str, content: bytes) -> requests.Response:
    return graph.put(f"{photo}/$value", data=content, headers={"Content-Type": "image/jpeg"})


def test_every_upload_has_new_etags(m365: Cloud, graph: HostSession, anna: User, photo: str):
    """Those of bytes and metadata always differ; the control API shows that of the metadata."""
    seen = []
    for _ in range(2):
        assert put(graph, photo, drawn()).status_code == 200
        etag = graph.get(photo).json()["@odata.mediaEtag"]
        value = graph.get(f"{photo}/$value")
        assert users.described(m365.tenant, anna)["photo"]["mediaEtag"] == etag
        seen.append((etag, value.headers["ETag"], value.content))

    (first_media, first_etag, first), (second_media, second_etag, second) = seen
    assert len({first_media, second_media, first_etag, second_etag}) == 4
    assert first == second


def test_metadata_describes_the_stored_photo(graph: HostSession, photo: str):
    """The longer side becomes 648, and any format becomes a JPEG."""
    put(graph, photo, drawn("PNG", (1296, 648)))

    metadata = graph.get(photo).json()

    assert (metadata["id"], metadata["width"], metadata["height"]) == ("648X324", 648, 324)
    assert metadata["@odata.mediaContentType"] == "image/jpeg"


def test_reencoding_turns_a_photo_upright():
    """With EXIF orientation 6 the sides are swapped, and the tag is removed."""
    stored = photos.accept(drawn(size=(300, 200), orientation=6), reencode=True, fresh=False)

    assert (stored.width, stored.height) == (200, 300)
    assert Image.open(io.BytesIO(stored.content)).getexif().get(RIGHT_SIDE_UP) is None


def test_without_reencoding_bytes_stay_as_they_are():
    """With the switch, rotated images, colour profiles and PNGs reach the product."""
    upload = drawn("PNG", orientation=6)
    stored = photos.accept(upload, reencode=False, fresh=False)
    assert (stored.content, stored.content_type) == (upload, "image/png")


def test_fresh_reencoding_changes_equal_uploads():
    """The other meaning of "re-encodes": equal uploads become different bytes."""
    first, second = (photos.accept(drawn(), reencode=True, fresh=True) for _ in range(2))
    assert first.content != second.content


@pytest.mark.parametrize(
    "upload", [b"", b"not an image", drawn()[:2000], b"\x89PNG\r\n\x1a\n" + b"\0" * 50]
)
@pytest.mark.parametrize("reencode", [True, False])
def test_invalid_images_are_refused(upload: bytes, reencode: bool):
    """Text, truncated files and empty uploads are refused."""
    with pytest.raises(photos.InvalidImage):
        photos.accept(upload, reencode=reencode, fresh=False)


def test_refused_uploads_leave_the_photo(graph: HostSession, anna: User, photo: str):
    """400 for an invalid image or no type, 413 from 4 MB; the old photo stays."""
    put(graph, photo, drawn())
    before = anna.photo

    invalid = put(graph, photo, b"text named .jpg")
    large = put(graph, photo, b"\0" * (4 << 20))
    untyped = graph.put(f"{photo}/$value", data=drawn())

    assert [invalid.status_code, large.status_code, untyped.status_code] == [400, 413, 400]
    assert anna.photo is before


def test_sizes_up_to_the_stored_one_exist(graph: HostSession, photo: str):
    """Smaller sizes are derived, larger ones are missing, others are invalid."""
    put(graph, photo, drawn(size=(240, 240)))

    small = graph.get(f"{photo}s/48x48/$value")
    statuses = [graph.get(f"{photo}s/{n}x{n}").status_code for n in (240, 360, 50)]
    listed = graph.get(f"{photo}s").json()["value"]

    assert Image.open(io.BytesIO(small.content)).size == (48, 48)
    assert statuses == [200, 404, 400]
    assert [each["width"] for each in listed] == [48, 64, 96, 120, 240]


def test_large_photo_is_scaled_down(m365: Cloud, graph: HostSession, photo: str):
    """A photo that is stored unchanged has the documented sizes too."""
    m365.tenant.switches.reencode = False
    put(graph, photo, drawn(size=(5_200, 5_000)))

    largest = graph.get(f"{photo}/$value")
    scaled = graph.get(f"{photo}s/648x648/$value")

    assert Image.open(io.BytesIO(largest.content)).size == (5_200, 5_000)
    assert (scaled.status_code, scaled.headers["Content-Type"]) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(scaled.content)).size == (648, 623)


def test_missing_photo(m365: Cloud, graph: HostSession, photo: str):
    """A switch chooses: 404 with either code, or 200 with `1x1`; the bytes are always a 404."""
    m365.tenant.switches.missing_photo_code = "ImageNotFound"
    missing = graph.get(photo)
    m365.tenant.switches.missing_photo = "1x1"
    placeholder = graph.get(photo).json()
    value = graph.get(f"{photo}/$value")

    assert refusal(missing) == (404, "ImageNotFound")
    assert (placeholder["id"], placeholder["@odata.mediaEtag"]) == ("1x1", "")
    assert value.status_code == 404


@pytest.mark.parametrize(
    ("mailbox", "code"),
    [("none", "ErrorNonExistentMailbox"), ("on-premises", "MailboxNotHostedInExchangeOnline")],
)
@pytest.mark.parametrize("status", [404, 400])
def test_users_without_a_mailbox_in_the_cloud(
    m365: Cloud, graph: HostSession, anna: User, photo: str, mailbox: str, code: str, status: int
):
    """Both kinds have their own code; the status is a switch."""
    anna.mailbox, m365.tenant.switches.mailbox_status = mailbox, status

    assert refusal(graph.get(photo)) == (status, code)


def test_changes_of_a_photo_are_reported(m365: Cloud, graph: HostSession, anna: User, photo: str):
    """To listeners: an upload and a deletion, which is a 404 the second time."""
    heard: list[tuple[str, str]] = []
    m365.tenant.on_user_changed.append(lambda user, change: heard.append((user.id, change)))

    put(graph, photo, drawn())
    statuses = [graph.delete(photo).status_code for _ in range(2)]

    assert statuses == [204, 404]
    assert heard == [(anna.id, "photo")] * 2


def test_reading_rights_do_not_write(m365: Cloud, photo: str):
    """User.Read.All allows reading photos, not replacing them."""
    with m365.session(m365.tenant.urls.graph, PHOTOSYNC_APP) as reader:
        assert put(reader, photo, drawn()).status_code == 403
        assert reader.get(photo).status_code == 404
