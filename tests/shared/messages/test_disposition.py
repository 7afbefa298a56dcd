"""What an error means for its message and its user."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared import errors
from shared.errors import ClaimHeld, GiveUp, PhotoSyncError, SettingsError, Settled, TryLater
from shared.messages import disposition
from shared.messages.disposition import Done, Wait
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


def decided(
    error: PhotoSyncError, *, age: timedelta = timedelta(0), attempt: int = 1
) -> Wait | Done:
    return disposition.decide(
        error, attempt=attempt, first_queued_at=NOON - age, now=NOON, jitter=lambda: 0.5
    )


@pytest.mark.parametrize("kind", kinds(TryLater))
def test_passing_errors_wait_for_a_day(kind):
    """A TryLater waits, and fails after a day; only an unanswered request may still take effect."""
    is_unanswered = kind is errors.Unanswered
    for age in (timedelta(), A_DAY - TICK):
        end = decided(kind("Busy."), age=age)
        assert isinstance(end, Wait)
        assert (end.code, end.sentence, end.unanswered) == (kind.code, "Busy.", is_unanswered)
        assert end.seconds > 0

    sentence = "Gave up after a day of waiting. Busy."
    assert decided(kind("Busy."), age=A_DAY) == Done(FAILED, "gave-up", sentence, is_unanswered)


@pytest.mark.parametrize("kind", [*kinds(Settled), *kinds(GiveUp)])
def test_final_errors(kind):
    """A Settled error ends the message with its own status; a GiveUp has failed."""
    settled = {errors.NoPhoto: NO_PHOTO, errors.UnknownUser: LEFT}.get(kind, SKIPPED)
    status = settled if issubclass(kind, Settled) else FAILED

    end = Done(status, kind.code, "No role.", unanswered=False)
    assert decided(an_error(kind, "No role.")) == end


@pytest.mark.parametrize("kind", [SettingsError, PhotoSyncError])
def test_the_rest_is_raised(kind):
    """An error that only a person can fix is raised."""
    with pytest.raises(kind):
        decided(kind("Mend the settings."))


@pytest.mark.parametrize(
    ("error", "attempt", "least", "most"),
    [
        pytest.param(errors.Throttled("x", retry_after=120), 1, 120, 180, id="as asked"),
        pytest.param(TryLater("x"), 1, 1, 4, id="first wait"),
        pytest.param(TryLater("x"), 3, 5, 16, id="third wait"),
        pytest.param(ClaimHeld("x", over_in=60.0), 12, 61, 63, id="end of a claim"),
    ],
)
def test_length_of_a_wait(error, attempt, least, most):
    """As long as the service asks, else longer each time, but no longer than a claim lasts."""
    end = decided(error, attempt=attempt)

    assert isinstance(end, Wait)
    assert least <= end.seconds < most
