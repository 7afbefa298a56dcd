"""A run that a person asked for records its end, whatever it found and changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.copying.run import Policy
from shared.errors import (
    AccessDenied,
    PhotoSyncError,
    PictureKept,
    Throttled,
)
from tests.doubles.office import Office
from tests.shared.copying.runs import (
    A_REMOVAL,
    NEW,
    SECOND_LOOK_AFTER,
    message,
    out_of_scope,
    unknown,
)

NO_ROLE = AccessDenied("No role.")


def replayed(office: Office, name: str = "mine") -> str:
    office.clock.advance(timedelta(seconds=5))
    return office.process(message(correlationId=name)).event


def no_photo(office: Office) -> None:
    office.exchange.delete()


def removed(office: Office) -> None:
    office.process()
    office.exchange.delete()
    office.process()
    office.clock.advance(SECOND_LOOK_AFTER)
    assert office.process(A_REMOVAL).event == "removed"


def refusing(error: PhotoSyncError) -> Callable[[Office], None]:
    return lambda office: setattr(office.sharepoint, "plan_error", error)


def gone(office: Office) -> None:
    office.process()
    office.exchange.photo_etag = unknown  # type: ignore[method-assign]


def setting(**fields: object) -> Callable[[Office], None]:
    return lambda office: vars(office).update(fields)


CASES: dict[str, tuple[Callable[[Office], None], str]] = {
    "in order": (lambda office: None, "unchanged"),
    "no photo": (no_photo, "no-photo"),
    "removed": (removed, "unchanged"),
    "refused": (refusing(NO_ROLE), "failed"),
    "kept": (refusing(PictureKept("Kept.")), "skipped"),
    "gone": (gone, "skipped"),
    "out of scope": (setting(check_scope=out_of_scope), "skipped"),
    "no access": (lambda office: setattr(office.exchange, "error", NO_ROLE), "failed"),
    "dry run": (setting(policy=Policy(dry_run=True)), "skipped"),
}


@pytest.mark.parametrize(("arrange", "event"), CASES.values(), ids=CASES)
def test_end_of_an_unchanged_user(office: Office, arrange, event: str):
    """A replay that finds nothing new records its end, and changes nothing else in the state."""
    arrange(office)
    replayed(office, "first")
    before = office.anne

    assert replayed(office) == event
    assert office.anne.replays[:2] == ("mine", "first")
    assert office.anne.checked_at == office.clock.now
    noted = replace(before, checked_at=office.anne.checked_at, replays=office.anne.replays)
    # An error also has a time.
    assert replace(noted, last_error=office.anne.last_error) == office.anne


@pytest.mark.parametrize("reason", ["notification", "sweep"])
def test_other_runs(office: Office, reason: str):
    """A run that nobody asked for costs no write, and keeps the replay recorded before."""
    no_photo(office)
    replayed(office)
    before = dict(office.store.blobs)
    office.process(message(reason=reason, correlationId="another"))

    assert office.store.blobs == before
    office.exchange.upload(NEW)
    assert office.process(message(reason=reason, correlationId="another")).event == "synced"
    assert office.anne.replays == ("mine",)


def test_replay_that_waits(office: Office):
    """A replay is recorded at its end, not while its message waits."""
    office.sharepoint.plan_error = Throttled("Busy.")
    assert replayed(office) == "waiting"
    assert "mine" not in office.anne.replays
    office.sharepoint.plan_error = None

    assert office.process_waiting().event == "synced"
    assert office.anne.replays == ("mine",)


def test_state_that_changed_meanwhile(office: Office):
    """A newer state is not written over: the message checks once more."""
    removed(office)
    office.store.after_read = lambda: office.change(detail="by another")
    assert replayed(office) == "waiting"
    assert office.anne.detail == "by another"
    assert "mine" not in office.anne.replays
    office.store.after_read = lambda: None
    assert office.process_waiting().event == "unchanged"
    assert office.anne.replays[0] == "mine"


def test_parked_replay(office: Office):
    """The end of a message from the poison queue is an end, too."""
    office.worker.park(message(correlationId="mine").encode())

    assert office.anne.replays == ("mine",)


def test_several_replays(office: Office):
    """Of several replays of one user, each is recorded, but the list does not grow for ever."""
    for number in range(6):
        replayed(office, f"run-{number}")
    replayed(office, "run-4")

    assert office.anne.replays == ("run-4", "run-5", "run-3", "run-2")
