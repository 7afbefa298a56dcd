"""Photos: what is stored of an upload, what is refused, and how a missing one looks."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
import requests
from PIL import Image

from local.m365.control import users
from local.m365.tenant import photos
from tests.local.m365.simulator import PHOTOSYNC_APP, Cloud

RIGHT_SIDE_UP = 0x0112


@pytest.fixture
def graph(m365: Cloud) -> Iterator[requests.Session]:
    with m365.session(m365.tenant.urls.graph) as session:
        yield session


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


def photo_url(m365: Cloud, user: str, rest: str = "") -> str:
    return f"{m365.tenant.urls.graph}/v1.0/users/{user}/photo{rest}"


def put(m365: Cloud, graph: requests.Session, user: str, content: bytes) -> requests.Response:
    url = photo_url(m365, user, "/$value")
    return graph.put(url, data=content, headers={"Content-Type": "image/jpeg"})


def test_the_same_upload_again_has_a_new_etag(m365: Cloud, graph: requests.Session):
    """Every upload changes both etags, and the two never look alike."""
    user = m365.add_user("anna")
    seen = []
    for _ in range(2):
        assert put(m365, graph, user.id, drawn()).status_code == 200
        metadata = graph.get(photo_url(m365, user.id)).json()
        value = graph.get(photo_url(m365, user.id, "/$value"))
        seen.append((metadata["@odata.mediaEtag"], value.headers["ETag"], value.content))

    (first_media, first_etag, first), (second_media, second_etag, second) = seen
    assert len({first_media, second_media, first_etag, second_etag}) == 4
    assert first == second


def test_control_shows_the_etag_of_the_metadata(m365: Cloud, graph: requests.Session):
    """Who seeds what an app remembers of a photo learns its etag without asking Graph."""
    user = m365.add_user("anna")
    put(m365, graph, user.id, drawn())
    metadata = graph.get(photo_url(m365, user.id)).json()

    shown = users.described(m365.tenant, user)["photo"]

    assert shown["mediaEtag"] == metadata["@odata.mediaEtag"]


def test_metadata_describes_the_stored_photo(m365: Cloud, graph: requests.Session):
    """The longer side becomes 648, and whatever was sent becomes a JPEG."""
    user = m365.add_user("anna")
    put(m365, graph, user.id, drawn("PNG", (1296, 648)))

    metadata = graph.get(photo_url(m365, user.id)).json()

    assert (metadata["id"], metadata["width"], metadata["height"]) == ("648X324", 648, 324)
    assert metadata["@odata.mediaContentType"] == "image/jpeg"


def test_reencoding_turns_a_photo_upright():
    """With EXIF orientation 6 the sides change places, and the tag is gone."""
    stored = photos.accept(drawn(size=(300, 200), orientation=6), reencode=True, fresh=False)

    assert (stored.width, stored.height) == (200, 300)
    assert Image.open(io.BytesIO(stored.content)).getexif().get(RIGHT_SIDE_UP) is None


def test_without_reencoding_bytes_stay_as_they_are():
    """The switch lets rotated images, profiles and PNGs reach the product."""
    upload = drawn("PNG", orientation=6)
    stored = photos.accept(upload, reencode=False, fresh=False)
    assert (stored.content, stored.content_type) == (upload, "image/png")


def test_fresh_reencoding_changes_equal_uploads():
    """The other reading of "re-encodes": equal uploads become different bytes."""
    first, second = (photos.accept(drawn(), reencode=True, fresh=True) for _ in range(2))
    assert first.content != second.content


@pytest.mark.parametrize(
    "upload", [b"", b"not an image", drawn()[:2000], b"\x89PNG\r\n\x1a\n" + b"\0" * 50]
)
@pytest.mark.parametrize("reencode", [True, False])
def test_unsound_images_are_refused(upload: bytes, reencode: bool):
    """Text, truncated files and empty uploads are not photos."""
    with pytest.raises(photos.InvalidImage):
        photos.accept(upload, reencode=reencode, fresh=False)


def test_refused_uploads_leave_the_photo(m365: Cloud, graph: requests.Session):
    """400 for what is no image, 413 from 4 MB on, and the old photo stays."""
    user = m365.add_user("anna")
    put(m365, graph, user.id, drawn())
    before = user.photo

    unsound = put(m365, graph, user.id, b"text named .jpg")
    large = put(m365, graph, user.id, b"\0" * (4 << 20))
    untyped = graph.put(photo_url(m365, user.id, "/$value"), data=drawn())

    assert [unsound.status_code, large.status_code, untyped.status_code] == [400, 413, 400]
    assert user.photo is before


def test_sizes_up_to_the_stored_one_exist(m365: Cloud, graph: requests.Session):
    """Smaller sizes are made, larger ones are missing, others are no sizes."""
    user = m365.add_user("anna")
    put(m365, graph, user.id, drawn(size=(240, 240)))
    base = f"{m365.tenant.urls.graph}/v1.0/users/{user.id}/photos"

    small = graph.get(f"{base}/48x48/$value")
    statuses = [graph.get(f"{base}/{size}").status_code for size in ("240x240", "360x360", "50x50")]
    listed = graph.get(base).json()["value"]

    assert Image.open(io.BytesIO(small.content)).size == (48, 48)
    assert statuses == [200, 404, 400]
    assert [photo["width"] for photo in listed] == [48, 64, 96, 120, 240]


def test_a_large_photo_is_scaled_down(m365: Cloud, graph: requests.Session):
    """A photo that is stored as it came has the documented sizes all the same."""
    user = m365.add_user("anna")
    m365.tenant.switches.reencode = False
    put(m365, graph, user.id, drawn(size=(5_200, 5_000)))
    base = f"{m365.tenant.urls.graph}/v1.0/users/{user.id}"

    largest = graph.get(f"{base}/photo/$value")
    scaled = graph.get(f"{base}/photos/648x648/$value")

    assert Image.open(io.BytesIO(largest.content)).size == (5_200, 5_000)
    assert (scaled.status_code, scaled.headers["Content-Type"]) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(scaled.content)).size == (648, 623)


def test_a_missing_photo_looks_as_the_switch_says(m365: Cloud, graph: requests.Session):
    """404 with either code, or 200 with `1x1`; the bytes are a 404 always."""
    user, switches = m365.add_user("anna"), m365.tenant.switches
    switches.missing_photo_code = "ImageNotFound"
    missing = graph.get(photo_url(m365, user.id))
    switches.missing_photo = "1x1"
    placeholder = graph.get(photo_url(m365, user.id))
    value = graph.get(photo_url(m365, user.id, "/$value"))

    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "ImageNotFound")
    assert placeholder.json()["id"] == "1x1"
    assert placeholder.json()["@odata.mediaEtag"] == ""
    assert value.status_code == 404


def test_users_without_a_mailbox_in_the_cloud(m365: Cloud, graph: requests.Session):
    """Both kinds have their own code; the status is a switch."""
    user, seen = m365.add_user("anna"), []
    for mailbox, status in (("none", 404), ("on-premises", 400)):
        user.mailbox, m365.tenant.switches.mailbox_status = mailbox, status
        answer = graph.get(photo_url(m365, user.id))
        seen.append((answer.status_code, answer.json()["error"]["code"]))

    expected = [(404, "ErrorNonExistentMailbox"), (400, "MailboxNotHostedInExchangeOnline")]
    assert seen == expected


def test_removing_a_photo(m365: Cloud, graph: requests.Session):
    """204 once, 404 after."""
    user = m365.add_user("anna")
    put(m365, graph, user.id, drawn())
    statuses = [graph.delete(photo_url(m365, user.id)).status_code for _ in range(2)]
    assert statuses == [204, 404]


def test_a_photo_change_is_told_to_listeners(m365: Cloud, graph: requests.Session):
    """An upload and a removal each count as a change of the photo."""
    user, heard = m365.add_user("anna"), []
    m365.tenant.on_user_changed.append(lambda user, change: heard.append((user.id, change)))

    put(m365, graph, user.id, drawn())
    graph.delete(photo_url(m365, user.id))

    assert heard == [(user.id, "photo")] * 2


def test_reading_rights_do_not_write(m365: Cloud):
    """User.Read.All reads photos and may not replace them."""
    user = m365.add_user("anna")
    with m365.session(m365.tenant.urls.graph, PHOTOSYNC_APP) as reader:
        refused = put(m365, reader, user.id, drawn())
        read = reader.get(photo_url(m365, user.id))
    assert (refused.status_code, read.status_code) == (403, 404)
