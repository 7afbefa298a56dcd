"""One run for one user: what it copies, what it leaves alone, and what that costs."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from shared.errors import AccessDenied, OutOfScope, PhotoRefused, PictureKept
from shared.pictures.recipe import Recipe
from shared.pictures.sizes import SUFFIXES
from shared.storage.user_state import FAILED, SYNCED, UserState
from shared.telemetry import calls
from shared.written_file import WrittenFile
from tests.doubles.office import ANNE, NOON, etag_of, render
from tests.shared.copying.runs import (
    NEW,
    NO_IMAGE,
    OLD,
    a_run,
    bring_up_to_date,
    fail,
    miss,
    no_image,
    out_of_scope,
)


def test_first_photo_is_copied(office):
    """A first photo is copied to SharePoint, and the state records it."""
    assert bring_up_to_date(office) == "synced"

    assert office.shows(OLD)
    assert office.anne == UserState(
        ANNE.id,
        user_principal_name=ANNE.user_principal_name,
        display_name="Anne Bell",
        status=SYNCED,
        sha256=hashlib.sha256(OLD).hexdigest(),
        source_etag='W/"1"',
        picture_url=office.sharepoint.properties[ANNE.user_principal_name]["PictureURL"],
        sizes="48,72,300",
        recipe=1,
        synced_at=NOON,
        checked_at=NOON,
        files=tuple(WrittenFile.of(each, etag_of(each)) for each in render(OLD)),
    )


def test_unchanged_costs_two_calls(synced):
    """A photo with the same etag costs one call to Graph and one to the store; so does none."""
    with calls.noted() as made:
        assert bring_up_to_date(synced) == "unchanged"
    assert sorted(made) == ["blob", "graph"]
    synced.exchange.delete()
    miss(synced)

    with calls.noted() as made:
        miss(synced)
    assert sorted(made) == ["blob", "graph"]


def test_known_failure_is_not_claimed_again(synced):
    """A failure that the state already records is raised without a claim."""
    synced.change(status=FAILED, detail="No consent.")
    synced.exchange.error = AccessDenied("No consent.")

    run = fail(synced, AccessDenied)

    assert run.claim is None


def test_absence_is_checked_again_under_the_claim(office):
    """A photo uploaded after the first check is copied by the same run."""
    office.exchange.delete()
    office.store.after_read = lambda: office.exchange.upload(NEW)

    assert bring_up_to_date(office) == "synced"
    assert office.shows(NEW)


def test_identical_bytes_are_not_written(synced):
    """If identical bytes are uploaded again, nothing is written, and the state has the new etag."""
    synced.clock.advance(timedelta(hours=1))
    synced.exchange.upload(OLD)

    assert bring_up_to_date(synced) == "unchanged"

    assert synced.sharepoint.writes == 0
    assert synced.anne.source_etag == 'W/"2"'
    assert (synced.anne.synced_at, synced.anne.checked_at) == (NOON, NOON + timedelta(hours=1))


@pytest.mark.parametrize(
    ("recipe", "force"),
    [
        (Recipe("48,72,300", 1, render), True),
        (Recipe("48,96,240", 1, render), False),
        (Recipe("48,72,300", 2, render), False),
    ],
    ids=["force", "other sizes", "other version"],
)
def test_identical_bytes_are_written(synced, recipe, force):
    """A forced run, other sizes and another version of the recipe write every picture anew."""
    synced.recipe = recipe

    assert bring_up_to_date(synced, a_run(force=force)) == "synced"
    assert synced.sharepoint.writes == 4


def test_empty_etags_do_not_match(synced):
    """Two empty etags are no match: the bytes are compared."""
    synced.change(source_etag="")
    synced.exchange.photos[ANNE.id] = (NEW, "")

    assert bring_up_to_date(synced) == "synced"


def test_photo_that_changes_during_the_copy(office):
    """A photo replaced after its bytes were read gets no etag; the next run sees the new one."""
    office.exchange.after_copy = lambda: office.exchange.upload(NEW)

    bring_up_to_date(office)

    assert office.anne.source_etag == ""
    assert bring_up_to_date(office) == "synced"
    assert office.shows(NEW)


def test_etag_that_returns_with_its_photo(office):
    """Bytes read between two reads of another photo's etag are not recorded under that etag."""
    before = office.exchange.photos[ANNE.id]
    office.exchange.after_look = lambda: office.exchange.upload(NEW)
    bring_up_to_date(office)
    assert office.shows(NEW)
    office.exchange.after_look = lambda: None
    office.exchange.photos[ANNE.id] = before

    assert bring_up_to_date(office) == "synced"
    assert office.shows(OLD)


def test_etag_unknown_after_the_bytes(synced):
    """If the etag cannot be read again, none is recorded, and the next run compares bytes."""
    synced.exchange.upload(OLD)
    synced.exchange.etag_after = False

    assert [bring_up_to_date(synced) for _ in range(2)] == ["unchanged"] * 2

    assert synced.anne.source_etag == ""
    assert synced.sharepoint.writes == 0


@pytest.mark.parametrize(
    ("arrange", "error"),
    [
        (lambda office: setattr(office, "check_scope", out_of_scope), OutOfScope),
        (lambda office: setattr(office, "recipe", Recipe("48,72,300", 1, no_image)), PhotoRefused),
        (lambda office: setattr(office.sharepoint, "plan_error", PictureKept("")), PictureKept),
    ],
    ids=["out of scope", "not rendered", "picture kept"],
)
def test_nothing_is_written(office, arrange, error):
    """Out of scope, without renditions, or over a chosen picture, nothing is written."""
    arrange(office)
    run = fail(office, error, a_run(thorough=True))

    assert (office.sharepoint.writes, run.files_touched) == (0, False)


def test_refusal_names_its_recipe(synced):
    """A later recipe tries again, and does not mistake files of an earlier one for its own."""
    synced.recipe = Recipe("48,72,300", 2, no_image)
    synced.exchange.upload(NEW)
    run = fail(synced, PhotoRefused)
    synced.sync.record(run, NO_IMAGE, attempt=1)
    assert synced.anne.recipe == 2

    synced.recipe = Recipe("48,72,300", 2, render)
    synced.exchange.upload(OLD)
    assert bring_up_to_date(synced) == "synced"


# What a person asks for


@pytest.mark.parametrize("upload", [False, True], ids=["same etag", "same bytes"])
def test_correct_picture_is_not_rendered_again(synced, upload):
    """A replay needs no renditions if the state says which files were written."""
    synced.recipe = Recipe("48,72,300", 1, no_image)
    if upload:
        synced.exchange.upload(OLD)

    assert bring_up_to_date(synced, a_run(thorough=True)) == "unchanged"


def test_replay_repairs_a_profile(synced):
    """A replay checks what the profile shows, even if the photo is unchanged."""
    synced.sharepoint.properties[ANNE.user_principal_name]["PictureURL"] = ""

    assert bring_up_to_date(synced) == "unchanged"
    assert bring_up_to_date(synced, a_run(thorough=True)) == "synced"
    assert synced.shows(OLD)


@pytest.mark.parametrize("upload", [False, True], ids=["same etag", "same bytes"])
@pytest.mark.parametrize("damage", [None, b"somebody else"], ids=["gone", "another picture"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_replay_repairs_a_file(synced, suffix, damage, upload):
    """A replay checks all three files, even if the photo is unchanged."""
    files = synced.sharepoint.files[ANNE.user_principal_name]
    del files[ANNE.id + suffix]
    if damage:
        files[ANNE.id + suffix] = damage
    if upload:
        synced.exchange.upload(OLD)
    synced.change(damage="An audit found it.")

    assert bring_up_to_date(synced) == "unchanged"
    assert synced.anne.damage
    assert bring_up_to_date(synced, a_run(thorough=True)) == "synced"
    assert synced.shows(OLD)
    assert not synced.anne.damage


@pytest.mark.parametrize("upload", [False, True], ids=["same etag", "same bytes"])
@pytest.mark.parametrize(
    "before",
    [
        {"damage": "An audit was wrong."},
        {"files": tuple(WrittenFile.of(each, "moved") for each in render(OLD))},
        {"files": ()},
        {"picture_url": "no address"},
    ],
    ids=["damage", "etag moved", "older version", "edited"],
)
def test_replay_of_a_correct_picture(synced, before, upload):
    """
    A replay of a user whose profile shows our files writes nothing to SharePoint.

    The state then has the files, and the URL as the profile spells it: an audit compares the two.
    """
    right = synced.anne
    synced.change(**before)
    if upload:
        synced.exchange.upload(OLD)

    assert bring_up_to_date(synced, a_run(thorough=True)) == "unchanged"
    assert synced.sharepoint.writes == 0
    assert (synced.anne.files, synced.anne.picture_url) == (right.files, right.picture_url)
    assert not synced.anne.damage


def test_picture_at_a_former_address(synced):
    """After a tenant rename, the picture that the state says we wrote is not a person's choice."""
    synced.sharepoint.my_url = "https://fabrikam-my.sharepoint.com"
    synced.exchange.upload(NEW)

    assert bring_up_to_date(synced) == "synced"
    assert synced.sharepoint.shown(ANNE).startswith("https://fabrikam-my.sharepoint.com")
