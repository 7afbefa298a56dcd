"""Since when a photo is missed: from the first look without it, until one that sees it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import (
    PhotoRefused,
    Throttled,
)
from shared.messages.fates import Done, Wait
from shared.storage.user_state import FAILED, NO_PHOTO
from tests.doubles.office import ANNE, NOON
from tests.shared.copying.runs import NEW, NO_PHOTO_WHY, fail, miss

BUSY = Wait(60, "throttled", "Busy.")
LOST = Wait(60, "unanswered", "No answer.", unanswered=True)
LOST_FOR_GOOD = Done(FAILED, "gave-up", "Gave up.", unanswered=True)


def test_absence_is_recorded(synced):
    """A photo that is gone is no-photo since now, without an error; the files' hash is kept."""
    before = synced.anne
    synced.exchange.delete()

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


def test_absent_photo_has_an_owner(office):
    """Whoever has no photo is known by name, so that an admin finds them."""
    office.exchange.delete()
    miss(office)

    assert office.anne.user_principal_name == ANNE.user_principal_name
    assert office.anne.display_name == ANNE.display_name


def test_known_name_is_not_asked_for(synced):
    """That a photo is gone costs no question about a user whose name is known."""
    synced.exchange.delete()
    synced.exchange.user = lambda user: pytest.fail("Graph was asked.")
    miss(synced)

    assert synced.anne.user_principal_name == ANNE.user_principal_name


def test_absence_without_a_picture(office):
    """Where no picture of ours is shown, nothing is missed."""
    office.exchange.delete()
    miss(office)

    assert (office.anne.status, office.anne.missing_since) == (NO_PHOTO, None)


def test_first_miss_is_remembered(synced):
    """However often a photo is missed, the first time counts."""
    synced.exchange.delete()
    miss(synced)
    synced.clock.advance(timedelta(hours=1))
    miss(synced)

    assert synced.anne.missing_since == NOON


@pytest.mark.parametrize("etag", ['W/"2"', ""], ids=["etag", "no etag"])
@pytest.mark.parametrize("error", [Throttled("Busy."), PhotoRefused("No image.")])
def test_photo_that_is_back_is_not_missed(synced, error, etag):
    """A photo that a run has seen is no longer missed, though it could not be copied."""
    synced.exchange.delete()
    miss(synced)
    synced.exchange.photos[ANNE.id] = (NEW, etag)
    synced.sharepoint.plan_error = error

    end = BUSY if isinstance(error, Throttled) else Done(FAILED, error.code, str(error))
    synced.sync.record(fail(synced, type(error)), end, attempt=1)

    assert synced.anne.missing_since is None


def test_photo_that_goes_during_the_run(synced):
    """A photo that goes between the look and the bytes is missed from then on, not before."""
    synced.exchange.delete()
    miss(synced)
    synced.clock.advance(timedelta(hours=1))
    synced.exchange.upload(NEW)
    synced.exchange.after_look = synced.exchange.delete

    miss(synced)

    assert synced.anne.missing_since == NOON + timedelta(hours=1)
