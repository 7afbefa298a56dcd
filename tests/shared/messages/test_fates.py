"""What an error means for its message and its user."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared import errors
from shared.errors import ClaimHeld, GiveUp, PhotoSyncError, SettingsError, Settled, TryLater
from shared.messages import fates
from shared.messages.fates import Done, Wait
from shared.storage.user_state import FAILED, LEFT, NO_PHOTO, SKIPPED
from tests.doubles.office import NOON

A_DAY = timedelta(days=1)

TICK = timedelta(milliseconds=1)
ALL = [kind for kind in vars(errors).values() if isinstance(kind, type)]


def kinds(root: type[PhotoSyncError]) -> list[type[PhotoSyncError]]:
    return [kind for kind in ALL if issubclass(kind, root)]


def an_error(kind: type[PhotoSyncError], sentence: str) -> PhotoSyncError:
    if issubclass(kind, errors.SubscriptionExists):
        return kind(sentence, existing_id="another")
    return kind(sentence)


def fate(error: PhotoSyncError, *, age: timedelta = timedelta(0), attempt: int = 1) -> Wait | Done:
    return fates.fate(
        error, attempt=attempt, first_queued_at=NOON - age, now=NOON, jitter=lambda: 0.5
    )


@pytest.mark.parametrize("kind", kinds(TryLater))
def test_passing_errors_wait(kind):
    """Whatever can pass waits, with the error's code and sentence."""
    end = fate(kind("Busy."))

    assert isinstance(end, Wait)
    assert (end.code, end.sentence) == (kind.code, "Busy.")
    assert end.seconds > 0


@pytest.mark.parametrize("kind", kinds(TryLater))
def test_passing_errors_end_after_a_day(kind):
    """What has not passed for a day has failed."""
    assert isinstance(fate(kind("Busy."), age=A_DAY - TICK), Wait)
    assert fate(kind("Busy."), age=A_DAY) == Done(
        FAILED, "gave-up", "Gave up after a day of waiting. Busy.", kind is errors.Unanswered
    )


@pytest.mark.parametrize("kind", kinds(TryLater))
def test_only_an_unanswered_call_may_come_late(kind):
    """A wait and its end after a day say whether a request may still be carried out."""
    ends = [fate(kind("Busy.")), fate(kind("Busy."), age=A_DAY)]

    assert [end.unanswered for end in ends] == [kind is errors.Unanswered] * 2


@pytest.mark.parametrize("kind", kinds(Settled))
def test_settled_errors_say_their_status(kind):
    """What needs no copy ends with its own status."""
    status = {errors.NoPhoto: NO_PHOTO, errors.UnknownUser: LEFT}.get(kind, SKIPPED)

    assert fate(kind("So it is.")) == Done(status, kind.code, "So it is.")


@pytest.mark.parametrize("kind", kinds(GiveUp))
def test_final_errors_fail(kind):
    """What trying again cannot help has failed."""
    assert fate(an_error(kind, "No role.")) == Done(FAILED, kind.code, "No role.")


@pytest.mark.parametrize("kind", [SettingsError, PhotoSyncError])
def test_the_rest_is_raised(kind):
    """What only a person can mend is raised."""
    with pytest.raises(kind):
        fate(kind("Mend the settings."))


def test_wait_is_never_shorter_than_asked():
    """Nobody comes back before the service said."""
    end = fate(errors.Throttled("Busy.", retry_after=120))

    assert isinstance(end, Wait)
    assert end.seconds >= 120


def test_waits_grow_with_the_attempt():
    """Without a word from the service a later attempt waits longer."""
    first, third = fate(TryLater("Busy.")), fate(TryLater("Busy."), attempt=3)

    assert isinstance(first, Wait)
    assert isinstance(third, Wait)
    assert first.seconds < third.seconds


def test_claim_is_not_waited_for_longer_than_it_lasts():
    """However often a claim was met, the next look comes when it is over."""
    end = fate(ClaimHeld("Another run is copying.", over_in=60.0), attempt=12)

    assert isinstance(end, Wait)
    assert 60 < end.seconds < 63
