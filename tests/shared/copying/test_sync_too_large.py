"""A photo that is too large to be read: what is copied instead, and what is recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.errors import NoPhoto, PhotoRefused, PhotoTooLarge, Throttled
from shared.telemetry import calls
from tests.doubles.office import ANNE, Office, render
from tests.shared.copying.runs import NEW, NO_IMAGE, a_run, bring_up_to_date, fail

HUGE, SCALED = b"huge photo", b"scaled photo"


def readable(photo: bytes) -> tuple[bytes, bytes, bytes]:
    if photo.startswith(b"huge"):
        raise PhotoTooLarge("The photo has more than 25 megapixels.")
    if photo.startswith(b"broken"):
        raise PhotoRefused("This is no image.")
    return render(photo)


@pytest.fixture
def huge(office: Office) -> Office:
    """Anne's photo is too large, and Exchange has a smaller rendition of it."""
    office.recipe = replace(office.recipe, render=readable)
    office.exchange.upload(HUGE)
    office.exchange.scaled[ANNE.id] = SCALED
    return office


def test_rendition_is_copied(huge):
    """SharePoint shows the rendition; hash and etag are those of the photo itself."""
    assert bring_up_to_date(huge) == "synced"

    assert huge.shows(SCALED)
    assert (huge.anne.sha256, huge.anne.source_etag) == (hashlib.sha256(HUGE).hexdigest(), 'W/"2"')


def test_rendition_is_not_copied_again(huge):
    """The next run finds nothing to do, even if the same photo was uploaded again."""
    bring_up_to_date(huge)
    huge.sharepoint.writes = 0

    with calls.noted() as made:
        assert bring_up_to_date(huge) == "unchanged"
    assert sorted(made) == ["blob", "graph"]
    huge.exchange.upload(HUGE)
    assert bring_up_to_date(huge) == "unchanged"
    assert huge.sharepoint.writes == 0


def test_other_photo_is_copied_over_a_rendition(huge):
    """Another photo, too large or not, is copied."""
    bring_up_to_date(huge)
    huge.exchange.upload(b"huge, too")
    huge.exchange.scaled[ANNE.id] = b"another rendition"

    assert bring_up_to_date(huge) == "synced"
    assert huge.shows(b"another rendition")
    huge.exchange.upload(NEW)
    assert bring_up_to_date(huge) == "synced"
    assert huge.shows(NEW)


@pytest.mark.parametrize("scaled", [None, b"broken", b"huge still"])
def test_photo_without_a_rendition_is_refused(huge, scaled):
    """Only then is it refused, with the sentence about the photo, which an admin can fix."""
    del huge.exchange.scaled[ANNE.id]
    if scaled:
        huge.exchange.scaled[ANNE.id] = scaled

    with pytest.raises(PhotoRefused, match="25 megapixels") as refused:
        huge.sync.bring_up_to_date(a_run())

    assert refused.value.code == "photo-refused"
    assert huge.sharepoint.writes == 0


def test_throttled_rendition_waits(huge):
    """An outage between the photo and its rendition does not refuse the photo."""
    busy = Throttled("Busy.")
    huge.exchange.after_copy = once(huge, lambda: setattr(huge.exchange, "error", busy))

    fail(huge, Throttled)

    assert huge.sharepoint.writes == 0


def once(office: Office, act: Callable[[], None]) -> Callable[[], None]:
    """Call *act* after the photo is read, and not after its rendition."""

    def happen() -> None:
        office.exchange.after_copy = lambda: None
        act()

    return happen


def test_photo_that_changes_before_its_rendition(huge):
    """A rendition of a later photo is never recorded as one of the photo that was read."""
    before = huge.exchange.photos[ANNE.id]
    huge.exchange.after_copy = lambda: setattr(
        huge.exchange, "after_copy", lambda: huge.exchange.upload(b"huge, too")
    )
    bring_up_to_date(huge)
    assert (huge.anne.sha256, huge.anne.source_etag) == ("", "")
    huge.exchange.after_copy = lambda: None
    huge.exchange.photos[ANNE.id] = before
    huge.exchange.scaled[ANNE.id] = b"the right rendition"

    assert bring_up_to_date(huge) == "synced"
    assert huge.shows(b"the right rendition")


def test_doubtful_rendition_of_files_in_doubt(huge):
    """A rendition that matches files, but perhaps not the photo, is not recorded as the photo's."""
    bring_up_to_date(huge)
    huge.change(files=())
    huge.exchange.after_copy = lambda: huge.exchange.upload(HUGE)

    assert bring_up_to_date(huge, a_run(thorough=True)) == "unchanged"
    assert (huge.anne.sha256, huge.anne.source_etag) == ("", "")


def test_rendition_of_a_photo_without_etag(huge):
    """Two empty etags are no match: the rendition may be of any photo."""
    huge.exchange.photos[ANNE.id] = (HUGE, "")

    bring_up_to_date(huge)

    assert (huge.anne.sha256, huge.anne.source_etag) == ("", "")


def test_photo_that_goes_before_its_rendition(huge):
    """Without the photo there is no rendition either; the next run finds both gone."""

    def go() -> None:
        huge.exchange.delete()
        del huge.exchange.scaled[ANNE.id]

    huge.exchange.after_copy = once(huge, go)
    run = fail(huge, PhotoRefused)
    huge.sync.record(run, NO_IMAGE, attempt=1)

    fail(huge, NoPhoto)
