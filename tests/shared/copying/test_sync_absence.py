"""Since when a photo is missing: from the first check without it until the next check with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import PhotoRefused, Throttled
from shared.messages.disposition import Done
from shared.storage.user_state import FAILED, NO_PHOTO
from tests.doubles.office import ANNE, NOON
from tests.shared.copying.runs import BUSY, NEW, NO_PHOTO_WHY, fail, miss


def test_absence_is_recorded(synced):
    """A photo that is gone is no-photo since the first check; hash and name are those known."""
    before = synced.anne
    synced.exchange.delete()
    synced.exchange.user = lambda user: pytest.fail("Graph was asked for the name.")

    miss(synced)

    assert synced.anne == replace(
        before,
        status=NO_PHOTO,
        reason="no-photo",
        detail=NO_PHOTO_WHY,
        source_etag="",
        missing_since=NOON,
        attempt=1,
    )
    synced.clock.advance(timedelta(hours=1))
    miss(synced)
    assert synced.anne.missing_since == NOON


def test_absence_without_a_picture(office):
    """A user without a photo is recorded by name; without a picture of ours, nothing is missing."""
    office.exchange.delete()
    miss(office)

    anne = office.anne
    assert (anne.user_principal_name, anne.display_name) == (
        ANNE.user_principal_name,
        ANNE.display_name,
    )
    assert (anne.status, anne.missing_since) == (NO_PHOTO, None)


@pytest.mark.parametrize("etag", ['W/"2"', ""], ids=["etag", "no etag"])
@pytest.mark.parametrize("error", [Throttled("Busy."), PhotoRefused("No image.")])
def test_photo_that_is_back_is_not_missed(synced, error, etag):
    """Once a run has seen the photo, it is no longer missing, even if it could not be copied."""
    synced.exchange.delete()
    miss(synced)
    synced.exchange.photos[ANNE.id] = (NEW, etag)
    synced.sharepoint.plan_error = error

    end = BUSY if isinstance(error, Throttled) else Done(FAILED, error.code, str(error))
    synced.sync.record(fail(synced, type(error)), end, attempt=1)

    assert synced.anne.missing_since is None


def test_photo_that_goes_during_the_run(synced):
    """A photo deleted between its etag and its bytes is missing since then, not since before."""
    synced.exchange.delete()
    miss(synced)
    synced.clock.advance(timedelta(hours=1))
    synced.exchange.upload(NEW)
    synced.exchange.after_look = synced.exchange.delete

    miss(synced)

    assert synced.anne.missing_since == NOON + timedelta(hours=1)
