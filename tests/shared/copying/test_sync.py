"""One run over one user: what it copies, what it leaves alone, and what that costs."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.copying.run import Run
from shared.errors import (
    AccessDenied,
    OutOfScope,
    PhotoRefused,
    PictureKept,
)
from shared.messages.fates import Done
from shared.pictures.recipe import Recipe
from shared.pictures.sizes import SUFFIXES
from shared.storage.user_state import FAILED, SYNCED, UserState
from shared.telemetry import calls
from shared.written_file import WrittenFile
from tests.doubles.office import ANNE, NOON, etag_of, render
from tests.shared.copying.runs import NEW, OLD, a_run, bring_up_to_date, fail, miss


def test_first_photo_is_copied(office):
    """A photo nobody has copied arrives in SharePoint, and the state says how it got there."""
    assert bring_up_to_date(office) == "synced"

    assert office.shows(OLD)
    assert office.anne == UserState(
        ANNE.id,
        user_principal_name=ANNE.user_principal_name,
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
    """A photo with the same etag costs one call to Graph and one to the store."""
    with calls.noted() as made:
        assert bring_up_to_date(synced) == "unchanged"

    assert sorted(made) == ["blob", "graph"]


def test_known_absence_costs_two_calls(synced):
    """A user known to have no photo costs one call to Graph and one to the store, too."""
    synced.exchange.delete()
    miss(synced)

    with calls.noted() as made:
        miss(synced)

    assert sorted(made) == ["blob", "graph"]


def test_known_failure_is_not_claimed_again(synced):
    """A refusal that the state tells already needs no claim to be met once more."""
    synced.change(status=FAILED, detail="No consent.")
    synced.exchange.error = AccessDenied("No consent.")

    run = fail(synced, AccessDenied)

    assert run.claim is None


def test_absence_is_looked_for_again_under_the_claim(office):
    """A photo that came after the first look is copied by the same run."""
    office.exchange.delete()
    worker_of_another = office.store.read
    office.store.read = lambda user_id: (office.exchange.upload(NEW), worker_of_another(user_id))[1]

    assert bring_up_to_date(office) == "synced"
    assert office.shows(NEW)


def test_changed_photo_is_copied(synced):
    """Other bytes under another etag are copied over the old ones."""
    synced.exchange.upload(NEW)

    assert bring_up_to_date(synced) == "synced"
    assert synced.shows(NEW)


def test_identical_bytes_are_not_written(synced):
    """Identical bytes uploaded again write nothing to SharePoint and are recognised next time."""
    synced.clock.advance(timedelta(hours=1))
    synced.exchange.upload(OLD)

    assert bring_up_to_date(synced) == "unchanged"

    assert synced.sharepoint.writes == 0
    assert synced.anne.source_etag == 'W/"2"'
    assert (synced.anne.synced_at, synced.anne.checked_at) == (NOON, NOON + timedelta(hours=1))


def test_force_writes_all_the_same(synced):
    """A forced run copies what is there already."""
    assert bring_up_to_date(synced, a_run(force=True)) == "synced"
    assert synced.sharepoint.writes == 4


@pytest.mark.parametrize(
    "recipe", [Recipe("48,96,240", 1, render), Recipe("48,72,300", 2, render)], ids=["sizes", "way"]
)
def test_other_recipe_writes_again(synced, recipe):
    """Other sizes, or another way of making pictures, make every user's picture anew."""
    synced.recipe = recipe

    assert bring_up_to_date(synced) == "synced"
    assert synced.sharepoint.writes == 4


def test_empty_etag_covers_nothing(synced):
    """Two absent etags are not a match: the bytes are compared."""
    synced.change(source_etag="")
    synced.exchange.photos[ANNE.id] = (NEW, "")

    assert bring_up_to_date(synced) == "synced"


def test_photo_that_changes_during_the_copy(office):
    """A photo that changes after its bytes were read is recorded without etag, so it is seen."""
    office.exchange.after_copy = lambda: office.exchange.upload(NEW)

    bring_up_to_date(office)

    assert office.anne.source_etag == ""
    assert bring_up_to_date(office) == "synced"
    assert office.shows(NEW)


def test_etag_that_returns_with_its_photo(office):
    """Bytes that came between two looks at another photo's etag are not taken for that photo."""
    before = office.exchange.photos[ANNE.id]
    office.exchange.after_look = lambda: office.exchange.upload(NEW)
    bring_up_to_date(office)
    assert office.shows(NEW)
    office.exchange.after_look = lambda: None
    office.exchange.photos[ANNE.id] = before

    assert bring_up_to_date(office) == "synced"
    assert office.shows(OLD)


def test_etag_unknown_after_the_bytes(synced):
    """An etag that could not be read again is not believed, and the next run compares bytes."""
    synced.exchange.upload(OLD)
    synced.exchange.etag_after = False

    assert [bring_up_to_date(synced) for _ in range(2)] == ["unchanged"] * 2

    assert synced.anne.source_etag == ""
    assert synced.sharepoint.writes == 0


def test_user_out_of_scope_is_not_copied(office):
    """Somebody we do not look after gets no picture."""

    def refuse(user):
        raise OutOfScope("The user is a guest.")

    office.check_scope = refuse
    fail(office, OutOfScope)

    assert office.sharepoint.writes == 0


def test_unsound_photo_touches_nothing(office):
    """A photo that cannot be rendered leaves SharePoint and what we know of it alone."""

    def refuse(photo):
        raise PhotoRefused("This is no image.")

    office.recipe = replace(office.recipe, render=refuse)
    run = fail(office, PhotoRefused)

    assert (office.sharepoint.writes, run.files_touched) == (0, False)


def test_refusal_names_its_recipe(synced):
    """A later recipe looks again; and the files of an earlier one are not taken for its own."""

    def refuse(photo):
        raise PhotoRefused("This is no image.")

    synced.recipe = Recipe("48,72,300", 2, refuse)
    synced.exchange.upload(NEW)
    run = fail(synced, PhotoRefused)
    synced.sync.record(run, Done(FAILED, "photo-refused", "No image."), attempt=1)
    assert synced.anne.recipe == 2

    synced.recipe = Recipe("48,72,300", 2, render)
    synced.exchange.upload(OLD)
    assert bring_up_to_date(synced) == "synced"


def test_damage_of_nobodys_picture(synced):
    """Of whom nobody looks after any more it is no longer told what an audit has found."""
    synced.change(damage="An audit found it.")

    def out(user):
        raise OutOfScope("The account is disabled.")

    synced.check_scope = out
    synced.exchange.upload(NEW)
    run = fail(synced, OutOfScope)
    synced.sync.record(run, Done("skipped", "out-of-scope", "Disabled."), attempt=1)

    assert synced.anne.damage == ""


# What a person asks for


@pytest.mark.parametrize("upload", [False, True], ids=["same etag", "same bytes"])
def test_replay_leaves_what_is_right(synced, upload):
    """A replay of a user whose profile shows our files writes nothing."""
    if upload:
        synced.exchange.upload(OLD)

    assert bring_up_to_date(synced, a_replay()) == "unchanged"
    assert synced.sharepoint.writes == 0


def test_replay_puts_a_profile_right(synced):
    """A replay looks at what the profile shows, though the photo is the same as ever."""
    synced.sharepoint.properties[ANNE.user_principal_name]["PictureURL"] = ""

    assert bring_up_to_date(synced) == "unchanged"
    assert bring_up_to_date(synced, a_replay()) == "synced"
    assert synced.shows(OLD)


@pytest.mark.parametrize("upload", [False, True], ids=["same etag", "same bytes"])
@pytest.mark.parametrize("damage", [None, b"somebody else"], ids=["gone", "another picture"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_replay_puts_a_file_right(synced, suffix, damage, upload):
    """A replay looks at all three files, though the photo is the same as ever."""
    files = synced.sharepoint.files[ANNE.user_principal_name]
    del files[ANNE.id + suffix]
    if damage:
        files[ANNE.id + suffix] = damage
    if upload:
        synced.exchange.upload(OLD)
    synced.change(damage="An audit found it.")

    assert bring_up_to_date(synced) == "unchanged"
    assert synced.anne.damage
    assert bring_up_to_date(synced, a_replay()) == "synced"
    assert synced.shows(OLD)
    assert not synced.anne.damage


@pytest.mark.parametrize("known", [True, False], ids=["etag moved", "older version"])
def test_replay_remembers_what_it_finds(synced, known):
    """Files that are right are known afterwards, whatever the state said of them before."""
    right = synced.anne.files
    moved = tuple(replace(each, etag="moved") for each in right)
    synced.change(files=moved if known else (), damage="An audit was wrong.")

    assert bring_up_to_date(synced, a_replay()) == "unchanged"
    assert (synced.anne.files, synced.anne.damage) == (right, "")


def test_picture_at_a_former_address(synced):
    """What the state says we wrote is not taken for a person's choice after the tenant's rename."""
    synced.sharepoint.my_url = "https://fabrikam-my.sharepoint.com"
    synced.exchange.upload(NEW)

    assert bring_up_to_date(synced) == "synced"
    assert synced.sharepoint.shown(ANNE).startswith("https://fabrikam-my.sharepoint.com")


def test_replay_keeps_a_persons_picture(synced):
    """A replay finds out that a person has set another picture, and leaves it."""
    synced.sharepoint.plan_error = PictureKept("Kept.")

    fail(synced, PictureKept, a_replay())

    assert synced.sharepoint.writes == 0


@pytest.mark.parametrize("spelled", [str.upper, lambda url: "no address"], ids=["case", "edited"])
def test_address_that_is_spelled_otherwise(synced, spelled):
    """A look that finds the picture remembers its address: an audit compares that with it."""
    shown = synced.anne.picture_url
    synced.change(picture_url=spelled(shown))

    assert bring_up_to_date(synced, a_replay()) == "unchanged"
    assert synced.anne.picture_url == shown


def a_replay() -> Run:
    return Run(ANNE.id, force=False, by="this-run", thorough=True)
