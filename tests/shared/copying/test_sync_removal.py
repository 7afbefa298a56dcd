"""A removed photo takes our picture with it: not at once, never on doubt, and only ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.copying.run import Policy, Run
from shared.errors import AccessDenied, NoPhoto, OutOfScope, Throttled
from shared.storage.user_state import NO_PHOTO, REMOVED, SKIPPED, SYNCED, Claim
from shared.telemetry import calls
from tests.doubles.office import ANNE, NOON, Office, failing
from tests.shared.copying.runs import (
    BUSY,
    CLAIM,
    NEW,
    OLD,
    SECOND_LOOK_AFTER,
    TICK,
    a_run,
    bring_up_to_date,
    fail,
    miss,
    out_of_scope,
)

KEPT = "a picture that must stay"


def removal_run() -> Run:
    return a_run(removal=True)


def remove(office: Office) -> str:
    return bring_up_to_date(office, removal_run())


def test_second_check_removes_the_picture(missed):
    """If the photo is still gone ten minutes later, files and URL are removed."""
    missed.change(damage="A file is missing.", source_etag='W/"1"')
    before = missed.anne

    assert remove(missed) == "removed"

    assert missed.shows_nothing()
    assert missed.anne == replace(
        before,
        status=REMOVED,
        reason="",
        detail="The photo is gone from Exchange, so PhotoSync removed the picture from SharePoint.",
        sha256="",
        source_etag="",
        picture_url="",
        files=(),
        damage="",
        missing_since=None,
        checked_at=NOON + SECOND_LOOK_AFTER,
        attempt=0,
    )


@pytest.mark.parametrize(
    ("arrange", "error"),
    [
        (lambda office: office.clock.advance(-TICK), NoPhoto),
        (lambda office: setattr(office, "policy", Policy(remove_when_gone=False)), NoPhoto),
        (lambda office: setattr(office, "check_scope", out_of_scope), OutOfScope),
        (lambda office: setattr(office.exchange, "error", Throttled("Busy.")), Throttled),
        (lambda office: setattr(office.exchange, "error", AccessDenied("No.")), AccessDenied),
    ],
    ids=["too early", "REMOVED_PHOTO=keep", "out of scope", "busy", "no access"],
)
def test_nothing_is_removed(missed, arrange, error):
    """The picture stays within ten minutes, by settings, and while Graph cannot be read."""
    arrange(missed)
    fail(missed, error, removal_run())

    assert missed.shows(OLD)
    assert missed.anne.status == NO_PHOTO


def test_other_messages_remove_nothing(missed):
    """Only a removal removes a picture: no notification, no replay, no sweep, no force."""
    miss(missed)
    miss(missed, a_run(force=True))

    assert missed.shows(OLD)
    assert missed.anne.missing_since == NOON


@pytest.mark.parametrize("photo", [OLD, NEW], ids=["same", "another"])
@pytest.mark.parametrize("late", [False, True], ids=["before the run", "before its claim"])
def test_photo_that_is_back(missed, photo, late):
    """A photo that is back before the run, or before its claim, is copied instead."""
    if late:
        missed.store.after_read = lambda: missed.exchange.upload(photo)
    else:
        missed.exchange.upload(photo)

    assert remove(missed) in {"synced", "unchanged"}
    assert missed.shows(photo)
    assert (missed.anne.status, missed.anne.missing_since) == (SYNCED, None)


def test_first_check_removes_nothing(missed):
    """If the photo came and went while a removal waited, its check is a first one."""
    missed.exchange.upload(NEW)
    bring_up_to_date(missed)
    missed.exchange.delete()
    miss(missed, removal_run())

    assert missed.shows(NEW)
    assert missed.anne.missing_since == NOON + SECOND_LOOK_AFTER


def test_removal_is_done_once(missed):
    """A removal delivered twice, or a later check, costs two calls; a new photo is copied."""
    remove(missed)

    with calls.noted() as made:
        assert [remove(missed), bring_up_to_date(missed)] == ["unchanged"] * 2

    assert sorted(made) == ["blob", "blob", "graph", "graph"]
    missed.exchange.upload(OLD)
    assert bring_up_to_date(missed) == "synced"
    assert missed.shows(OLD)


@pytest.mark.parametrize("dead", [False, True], ids=["no picture of ours", "and a death"])
def test_nothing_of_ours(office, dead):
    """If we have written nothing, nothing is removed, even if a run died before it wrote."""
    office.exchange.delete()
    miss(office)
    since = NOON - timedelta(days=1)
    claim = Claim("another", 0.0) if dead else None
    office.change(missing_since=since, claim=claim)
    office.sharepoint.properties[ANNE.user_principal_name] = {"PictureURL": KEPT}

    miss(office, removal_run())

    assert office.sharepoint.shown(ANNE) == KEPT
    assert office.sharepoint.writes == 0


def test_picture_of_a_person_stays(missed):
    """A picture that a person has set since stays; the files that it replaced are removed."""
    missed.sharepoint.properties[ANNE.user_principal_name]["PictureURL"] = KEPT
    assert missed.sharepoint.files[ANNE.user_principal_name]
    assert bring_up_to_date(missed, removal_run()) == "removed"

    assert missed.sharepoint.shown(ANNE) == KEPT
    assert missed.sharepoint.files[ANNE.user_principal_name] == {}
    assert (missed.anne.status, missed.anne.reason) == (SKIPPED, "picture-kept")
    assert missed.anne.detail == "Another picture."
    assert missed.anne.picture_url == ""
    miss(missed, removal_run())


@pytest.mark.parametrize("write", [1, 2, 3, 4])
def test_photo_set_again_after_half_a_removal(missed, write):
    """A photo that is back after half a removal is written in full."""
    missed.sharepoint.at_write[write] = failing(Throttled("Busy."))
    run = fail(missed, Throttled, removal_run())
    missed.sync.record(run, BUSY, attempt=1)
    missed.sharepoint.at_write.clear()
    missed.exchange.upload(OLD)

    assert remove(missed) == "synced"
    assert missed.shows(OLD)


@pytest.mark.parametrize("write", [1, 2, 3, 4])
def test_first_copy_that_died_is_removed(office, write):
    """Half a first copy is removed, too, if its photo goes before another run finishes it."""

    office.sharepoint.at_write[write] = failing(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        bring_up_to_date(office)
    office.exchange.delete()
    office.clock.advance(CLAIM)
    office.sharepoint.at_write.clear()
    miss(office)
    office.clock.advance(SECOND_LOOK_AFTER)

    assert remove(office) == "removed"
    assert office.shows_nothing()
