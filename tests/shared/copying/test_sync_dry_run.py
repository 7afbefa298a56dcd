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


def end_dry(office: Office, *, removal: bool = False, thorough: bool = False) -> str:
    """Work off Anne in a dry run; returns the state's sentence."""
    office.policy = DRY
    run = a_run(removal=removal, thorough=thorough)
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


@pytest.mark.parametrize("damaged", [False, True], ids=["new photo", "damage"])
def test_end_of_the_dry_run(synced, damaged):
    """Once it is over, the next message copies the new photo, or repairs what was damaged."""
    if damaged:
        synced.sharepoint.files.clear()
    else:
        synced.exchange.upload(NEW)
    end_dry(synced, thorough=damaged)
    synced.policy = Policy()

    assert bring_up_to_date(synced) == "synced"
    assert synced.shows(OLD if damaged else NEW)
