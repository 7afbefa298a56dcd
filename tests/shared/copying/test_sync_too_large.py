"""A photo that is too large to be read: what is copied in its place, and what is remembered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.errors import NoPhoto, PhotoRefused, PhotoTooLarge, Throttled
from shared.messages.fates import Done
from shared.storage.user_state import FAILED
from shared.telemetry import calls
from tests.doubles.office import ANNE, Office, render
from tests.shared.copying.runs import NEW, a_run, bring_up_to_date, fail

HUGE, SCALED = b"huge photo", b"scaled photo"


def readable(photo: bytes) -> tuple[bytes, bytes, bytes]:
    if photo.startswith(b"huge"):
        raise PhotoTooLarge("The photo has more than 25 megapixels.")
    if photo.startswith(b"broken"):
        raise PhotoRefused("This is no image.")
    return render(photo)


@pytest.fixture
def huge(office: Office) -> Office:
    """Anne has a photo that is too large, and Exchange a smaller rendition of it."""
    office.recipe = replace(office.recipe, render=readable)
    office.exchange.upload(HUGE)
    office.exchange.scaled[ANNE.id] = SCALED
    return office


def sha256(photo: bytes) -> str:
    return hashlib.sha256(photo).hexdigest()


def test_rendition_is_copied(huge):
    """SharePoint shows the rendition; the hash and the etag are those of the photo itself."""
    assert bring_up_to_date(huge) == "synced"

    assert huge.shows(SCALED)
    assert (huge.anne.sha256, huge.anne.source_etag) == (sha256(HUGE), 'W/"2"')


def test_rendition_is_not_copied_again(huge):
    """The next run finds nothing to do, also where the same photo was uploaded again."""
    bring_up_to_date(huge)
    huge.sharepoint.writes = 0

    with calls.noted() as made:
        assert bring_up_to_date(huge) == "unchanged"
    assert sorted(made) == ["blob", "graph"]
    huge.exchange.upload(HUGE)
    assert bring_up_to_date(huge) == "unchanged"
    assert huge.sharepoint.writes == 0


def test_other_photo_is_copied_over_a_rendition(huge):
    """Another photo, too large or not, is another photo."""
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
    """Only then, and with the sentence about the photo, which an admin can mend."""
    del huge.exchange.scaled[ANNE.id]
    if scaled:
        huge.exchange.scaled[ANNE.id] = scaled

    with pytest.raises(PhotoRefused, match="25 megapixels") as refused:
        huge.sync.bring_up_to_date(a_run())

    assert refused.value.code == "photo-refused"
    assert huge.sharepoint.writes == 0


def test_throttled_rendition_waits(huge):
    """An outage between the photo and its rendition refuses nobody."""
    huge.exchange.after_copy = once(huge, lambda: setattr(huge.exchange, "error", BUSY))

    fail(huge, Throttled)

    assert huge.sharepoint.writes == 0


BUSY = Throttled("Busy.")


def once(office: Office, act: Callable[[], None]) -> Callable[[], None]:
    """Something that happens after the photo is read, and not after its rendition."""

    def happen() -> None:
        office.exchange.after_copy = lambda: None
        act()

    return happen


def test_photo_that_changes_before_its_rendition(huge):
    """A rendition of a later photo is never taken for the one that was read before."""
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


def test_rendition_of_a_photo_without_etag(huge):
    """Two absent etags are no match: nobody knows of which photo the rendition is."""
    huge.exchange.photos[ANNE.id] = (HUGE, "")

    bring_up_to_date(huge)

    assert (huge.anne.sha256, huge.anne.source_etag) == ("", "")


def test_photo_that_goes_before_its_rendition(huge):
    """Without the photo there is no rendition either; the next look finds both gone."""

    def go() -> None:
        huge.exchange.delete()
        del huge.exchange.scaled[ANNE.id]

    huge.exchange.after_copy = once(huge, go)
    run = fail(huge, PhotoRefused)
    huge.sync.record(run, Done(FAILED, "photo-refused", "Too large."), attempt=1)

    fail(huge, NoPhoto)
