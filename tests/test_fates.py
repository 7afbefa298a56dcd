"""What becomes of a message after each kind of error."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared import errors
from shared.errors import GiveUp, PhotoSyncError, SettingsError, Settled, TryLater
from shared.fates import GIVE_UP_AFTER, Done, Wait, fate, wait
from shared.messages import SyncMessage
from tests.web import NOON

TICK = timedelta(microseconds=1)
MESSAGE = SyncMessage("anne@contoso.com", "sweep", False, 2, NOON, "c-1")


def below(branch: type[PhotoSyncError]) -> list[type[PhotoSyncError]]:
    return [branch, *(leaf for child in branch.__subclasses__() for leaf in below(child))]


def fate_of(error: PhotoSyncError, *, after: timedelta = timedelta()) -> Wait | Done:
    return fate(error, MESSAGE, now=NOON + after, jitter=lambda: 0.0)


@pytest.mark.parametrize("kind", below(TryLater))
def test_what_can_succeed_later_waits(kind):
    """Every TryLater becomes a wait, for as long as the service asked."""
    waiting = fate_of(kind("Busy.", retry_after=30.0))

    assert waiting == Wait(30.0, kind.code, "Busy.", unanswered=kind is errors.Unanswered)


def test_wait_grows_with_the_attempt():
    """Where nobody asked for a time, the second attempt waits longer than the first."""
    assert wait(TryLater("Busy."), MESSAGE, jitter=lambda: 0.0).seconds == 4.0


def test_waiting_ends_after_a_day():
    """A message that has waited for a day since it was first queued is given up as failed."""
    error = errors.Throttled("Busy.", retry_after=30.0)

    assert isinstance(fate_of(error, after=GIVE_UP_AFTER - TICK), Wait)
    assert fate_of(error, after=GIVE_UP_AFTER) == Done(
        "failed", "gave-up", "Gave up after a day of waiting. Busy."
    )


SETTLED = {
    errors.NoPhoto: "no-photo",
    errors.NoMailbox: "skipped",
    errors.UnknownUser: "skipped",
    errors.OutOfScope: "skipped",
    errors.NoProfile: "skipped",
    errors.PictureKept: "skipped",
}


@pytest.mark.parametrize("kind", below(Settled)[1:])
def test_what_is_settled_is_done(kind):
    """Every Settled ends the message with the status that the console shows."""
    assert fate_of(kind("So it is.")) == Done(SETTLED[kind], kind.code, "So it is.")


@pytest.mark.parametrize("kind", below(GiveUp))
def test_what_cannot_succeed_is_failed(kind):
    """Every GiveUp ends the message as failed, with its code and its sentence."""
    assert fate_of(kind("No.")) == Done("failed", kind.code, "No.")


@pytest.mark.parametrize("kind", [SettingsError, PhotoSyncError])
def test_what_nobody_decided_on_leaves(kind):
    """Bad settings, and an error of no branch, are raised again: the host keeps the message."""
    with pytest.raises(kind, match="Mend it"):
        fate_of(kind("Mend it."))
