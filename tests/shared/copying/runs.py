"""Runs over Anne, the way a worker makes them, one step at a time."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from shared.copying.held_claim import CLAIM_LENGTH
from shared.copying.run import Run
from shared.errors import NoPhoto
from shared.messages.fates import Done
from shared.storage.user_state import NO_PHOTO
from tests.doubles.office import ANNE, Office

OLD, NEW = b"old photo", b"new photo"
TICK = timedelta(milliseconds=1)
# After which a claim is surely over: storage tells times in whole seconds.
CLAIM = timedelta(seconds=CLAIM_LENGTH + 1)
NO_PHOTO_WHY = "The user has no photo in Exchange."
GONE = Done(NO_PHOTO, "no-photo", NO_PHOTO_WHY)


def a_run(*, force: bool = False, removal: bool = False) -> Run:
    return Run(ANNE.id, force, by="this-run", removal=removal)


def bring_up_to_date(office: Office, run: Run | None = None) -> str:
    return office.sync.bring_up_to_date(run or a_run())


def fail(office: Office, error: type[Exception], run: Run | None = None) -> Run:
    run = run or a_run()
    with pytest.raises(error):
        office.sync.bring_up_to_date(run)
    return run


def miss(office: Office, run: Run | None = None) -> None:
    """Find no photo, and write that down."""
    office.sync.record(fail(office, NoPhoto, run), GONE, attempt=1)


def message(**fields: object) -> str:
    """A message about Anne."""
    return json.dumps({"userId": ANNE.id, "correlationId": "from-the-webhook", **fields})
