"""A run that a person asked for leaves a mark at its end, whatever it found and changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.copying.run import Policy
from shared.errors import (
    AccessDenied,
    OutOfScope,
    PhotoSyncError,
    PictureKept,
    ServiceDown,
    Throttled,
    UnknownUser,
)
from shared.storage.user_state import MOST_REPLAYS, SECOND_LOOK_AFTER, Claim
from tests.doubles.office import Office, failing
from tests.shared.copying.runs import NEW, message


def replayed(office: Office, name: str = "mine") -> str:
    office.clock.advance(timedelta(seconds=5))
    return office.work_off(message(correlationId=name)).event


def no_photo(office: Office) -> None:
    office.exchange.delete()


def removed(office: Office) -> None:
    office.work_off()
    office.exchange.delete()
    office.work_off()
    office.clock.advance(SECOND_LOOK_AFTER)
    assert office.work_off(message(reason="removal", sweepId="s-1")).event == "removed"


def refusing(error: PhotoSyncError) -> Callable[[Office], None]:
    return lambda office: setattr(office.sharepoint, "plan_error", error)


def gone(office: Office) -> None:
    def ask(user: str) -> str:
        raise UnknownUser("Microsoft Graph has no such user.")

    office.work_off()
    office.exchange.photo_etag = ask  # type: ignore[method-assign]


def out_of_scope(office: Office) -> None:
    office.check_scope = failing_scope


def failing_scope(user: object) -> None:
    raise OutOfScope("A guest.")


def broken(office: Office) -> None:
    office.exchange.error = AccessDenied("No role.")


def dry(office: Office) -> None:
    office.policy = Policy(dry_run=True)


WORLDS: dict[str, tuple[Callable[[Office], None], str]] = {
    "in order": (lambda office: None, "unchanged"),
    "no photo": (no_photo, "no-photo"),
    "removed": (removed, "unchanged"),
    "refused": (refusing(AccessDenied("No role.")), "failed"),
    "kept": (refusing(PictureKept("Kept.")), "skipped"),
    "gone": (gone, "skipped"),
    "out of scope": (out_of_scope, "skipped"),
    "no answer": (broken, "failed"),
    "dry run": (dry, "skipped"),
}


@pytest.mark.parametrize(("world", "event"), WORLDS.values(), ids=WORLDS)
def test_end_is_told_when_nothing_changes(office: Office, world, event: str):
    """A second look that finds all as the first told it is noted, and changes nothing else."""
    world(office)
    replayed(office, "first")
    before = office.anne

    assert replayed(office) == event
    assert office.anne.replays[:2] == ("mine", "first")
    assert office.anne.checked_at == office.clock.now
    noted = replace(before, checked_at=office.anne.checked_at, replays=office.anne.replays)
    # An error has its time.
    assert replace(noted, last_error=office.anne.last_error) == office.anne


@pytest.mark.parametrize("reason", ["notification", "sweep"])
def test_what_nobody_asked_for_is_no_replay(office: Office, reason: str):
    """What nobody waits for costs no write, and leaves the mark of a replay before it."""
    no_photo(office)
    replayed(office)
    before = dict(office.store.blobs)
    office.work_off(message(reason=reason, correlationId="another"))

    assert office.store.blobs == before
    office.exchange.upload(NEW)
    assert office.work_off(message(reason=reason, correlationId="another")).event == "synced"
    assert office.anne.replays == ("mine",)


def test_replay_that_waits_has_not_ended(office: Office):
    """While the message waits the mark is missing; it comes with the end."""
    office.sharepoint.plan_error = Throttled("Busy.")
    assert replayed(office) == "waiting"
    assert "mine" not in office.anne.replays
    office.sharepoint.plan_error = None

    assert office.work_off_waiting().event == "synced"
    assert office.anne.replays == ("mine",)


def test_replay_beside_a_copy(synced: Office):
    """While another run has the user nothing is written, and the replay's message waits."""
    synced.change(claim=Claim("another", 300))
    assert replayed(synced) == "waiting"

    assert "mine" not in synced.anne.replays
    assert len(synced.queue.messages) == 1


def test_note_that_comes_too_late(office: Office):
    """A state that moved on meanwhile is not written over: the message looks once more."""
    removed(office)
    read = office.store.read

    def read_and_lose(user_id: str):
        found = read(user_id)
        office.change(detail="by another")
        return found

    office.store.read = read_and_lose  # type: ignore[method-assign]
    assert replayed(office) == "waiting"
    assert office.anne.detail == "by another"
    assert "mine" not in office.anne.replays
    office.store.read = read  # type: ignore[method-assign]
    assert office.work_off_waiting().event == "unchanged"
    assert office.anne.replays[0] == "mine"


def test_replay_that_the_host_gave_up(office: Office):
    """The end of a message from the poison queue is an end, too."""
    office.worker.park(message(correlationId="mine").encode())

    assert office.anne.replays == ("mine",)


def test_several_wait_at_once(office: Office):
    """Of several who replay one user each finds the own end; the state does not grow for ever."""
    for number in range(MOST_REPLAYS + 2):
        replayed(office, f"run-{number}")
    replayed(office, "run-4")

    assert office.anne.replays == ("run-4", "run-5", "run-3", "run-2")


def test_nobody_leaves_nothing(office: Office):
    """An id that is nobody's leaves no state, even if a person asked."""
    office.exchange.photos.clear()
    office.exchange.error = UnknownUser("Microsoft Graph has no such user.")
    assert replayed(office) == "skipped"

    assert office.store.blobs == {}


def test_storage_that_is_down(office: Office):
    """An end that cannot be written is not lost: the message comes back."""
    removed(office)
    create = office.store.replace
    office.store.replace = lambda *_, **__: failing(ServiceDown("Storage."))()  # type: ignore
    assert replayed(office) == "waiting"
    office.store.replace = create  # type: ignore[method-assign]

    assert office.work_off_waiting().event == "unchanged"
    assert office.anne.replays[0] == "mine"
