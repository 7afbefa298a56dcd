"""Dry run: everything is decided and said, and nothing is written to SharePoint."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.copying.run import Policy, Run
from shared.errors import (
    DryRun,
    PhotoRefused,
)
from shared.messages.fates import Done
from shared.storage.user_state import SECOND_LOOK_AFTER, SKIPPED, SYNCED
from tests.doubles.office import ANNE, Office
from tests.shared.copying.runs import NEW, OLD, a_run, bring_up_to_date, fail, miss

DRY = Policy(dry_run=True)


def end_dry(office: Office, *, removal: bool = False) -> str:
    """Work off Anne in a dry run; what the state says of it."""
    office.policy = DRY
    run = a_run(removal=removal)
    with pytest.raises(DryRun) as caught:
        office.sync.bring_up_to_date(run)
    end = Done(SKIPPED, DryRun.code, str(caught.value))
    office.sync.record(run, end, attempt=1)
    assert (office.anne.status, office.anne.reason) == (SKIPPED, "dry-run")
    return office.anne.detail


def test_copy_is_only_told(office):
    """A first photo is not copied; the state says what would have been."""
    assert end_dry(office) == (
        "DRY_RUN is on; otherwise PhotoSync would upload 3 pictures and set PictureURL."
    )
    assert office.sharepoint.writes == 0
    assert (office.anne.sha256, office.anne.picture_url, office.anne.claim) == ("", "", None)


def test_removal_is_only_told(synced):
    """A picture whose photo is gone stays, and so does that it is ours and missed."""
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


def test_what_is_there_already_is_said(synced):
    """A photo that SharePoint shows is synced or unchanged, in a dry run as ever."""
    synced.policy = DRY
    synced.exchange.upload(OLD)

    assert [bring_up_to_date(synced) for _ in range(2)] == ["unchanged"] * 2
    assert synced.anne.status == SYNCED


def test_unsound_photo_is_found(office):
    """A dry run finds photos that could not be copied."""

    def refuse(photo):
        raise PhotoRefused("This is no image.")

    office.policy = DRY
    office.recipe = replace(office.recipe, render=refuse)

    fail(office, PhotoRefused)


def test_end_of_the_dry_run(synced):
    """Once it is over, the same photo is copied by the next message."""
    synced.exchange.upload(NEW)
    end_dry(synced)
    assert synced.shows(OLD)
    synced.policy = Policy()

    assert bring_up_to_date(synced) == "synced"
    assert synced.shows(NEW)


def test_damage_that_a_dry_run_has_told(synced):
    """What a dry run would have repaired is repaired once it is over, though the photo is known."""
    synced.sharepoint.files.clear()
    synced.policy = DRY
    run = Run(ANNE.id, force=False, by="an-audit", thorough=True)
    end = Done(SKIPPED, DryRun.code, str(DryRun("It would.")))
    fail(synced, DryRun, run)
    synced.sync.record(run, end, attempt=1)
    synced.policy = Policy()

    assert bring_up_to_date(synced) == "synced"
    assert synced.shows(OLD)
