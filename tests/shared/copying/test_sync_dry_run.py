"""Dry run: everything is decided and reported, and nothing is written to SharePoint."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.copying.run import Policy
from shared.errors import DryRun, PhotoRefused
from shared.messages.disposition import Done
from shared.storage.user_state import SKIPPED, SYNCED
from tests.doubles.office import Office
from tests.shared.copying.runs import (
    NEW,
    OLD,
    SECOND_LOOK_AFTER,
    a_run,
    bring_up_to_date,
    fail,
    miss,
    no_image,
)

DRY = Policy(dry_run=True)


def end_dry(office: Office, *, removal: bool = False) -> str:
    """Work off Anne in a dry run; returns the state's sentence."""
    office.policy = DRY
    run = a_run(removal=removal)
    with pytest.raises(DryRun) as caught:
        office.sync.bring_up_to_date(run)
    end = Done(SKIPPED, DryRun.code, str(caught.value))
    office.sync.record(run, end, attempt=1)
    assert (office.anne.status, office.anne.reason) == (SKIPPED, "dry-run")
    return office.anne.detail


def test_copy_is_only_announced(office):
    """A first photo is not copied; the state says what would be written."""
    assert end_dry(office) == (
        "DRY_RUN is on; otherwise PhotoSync would upload 3 pictures and set PictureURL."
    )
    assert office.sharepoint.writes == 0
    assert (office.anne.sha256, office.anne.picture_url, office.anne.claim) == ("", "", None)


def test_removal_is_only_announced(synced):
    """A picture whose photo is gone stays, and can be removed once the dry run is over."""
    synced.exchange.delete()
    miss(synced)
    synced.clock.advance(SECOND_LOOK_AFTER)

    detail = end_dry(synced, removal=True)

    assert detail == (
        "DRY_RUN is on; otherwise PhotoSync would remove the picture and set PictureURL."
    )
    assert synced.shows(OLD)
    synced.policy = Policy()
    assert bring_up_to_date(synced, a_run(removal=True)) == "removed"


def test_photo_that_is_shown(synced):
    """A photo that SharePoint already shows is reported as synced or unchanged, as always."""
    synced.policy = DRY
    synced.exchange.upload(OLD)

    assert [bring_up_to_date(synced) for _ in range(2)] == ["unchanged"] * 2
    assert synced.anne.status == SYNCED


def test_photo_that_cannot_be_rendered(office):
    """A dry run finds photos that could not be copied."""
    office.policy = DRY
    office.recipe = replace(office.recipe, render=no_image)

    fail(office, PhotoRefused)


def test_end_of_the_dry_run(synced):
    """Once it is over, the next message copies the same photo."""
    synced.exchange.upload(NEW)
    end_dry(synced)
    assert synced.shows(OLD)
    synced.policy = Policy()

    assert bring_up_to_date(synced) == "synced"
    assert synced.shows(NEW)


def test_damage_that_a_dry_run_announced(synced):
    """What a dry run would have repaired is repaired once it is over."""
    synced.sharepoint.files.clear()
    synced.policy = DRY
    run = fail(synced, DryRun, a_run(thorough=True))
    synced.sync.record(run, Done(SKIPPED, DryRun.code, "It would."), attempt=1)
    synced.policy = Policy()

    assert bring_up_to_date(synced) == "synced"
    assert synced.shows(OLD)
