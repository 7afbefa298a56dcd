"""Runs and messages about Anne, and what may stop them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from shared.copying.held_claim import CLAIM_LENGTH
from shared.copying.run import Run
from shared.errors import NoPhoto, OutOfScope, PhotoRefused, UnknownUser
from shared.messages.disposition import Done, Wait
from shared.messages.sync_message import UNINSTALL, SyncMessage
from shared.storage.user_state import FAILED, NO_PHOTO, Claim
from tests.doubles.office import ANNE, NOON, Office

OLD, NEW = b"old photo", b"new photo"
TICK = timedelta(milliseconds=1)
MONTH = timedelta(days=30)
# A photo is gone when two checks this far apart find none.
SECOND_LOOK_AFTER = timedelta(minutes=10)
# After this time a claim has certainly expired: storage reports times in whole seconds.
CLAIM = timedelta(seconds=CLAIM_LENGTH + 1)
NO_PHOTO_WHY = "The user has no photo in Exchange."
GONE = Done(NO_PHOTO, "no-photo", NO_PHOTO_WHY)
BUSY = Wait(60, "throttled", "Busy.")
NO_IMAGE = Done(FAILED, "photo-refused", "No image.")
ORDER = "20260131T120000-1a2b3c4d"


def a_run(*, force: bool = False, removal: bool = False, thorough: bool = False) -> Run:
    return Run(ANNE.id, force, by="this-run", removal=removal, thorough=thorough)


def bring_up_to_date(office: Office, run: Run | None = None) -> str:
    return office.sync.bring_up_to_date(run or a_run())


def fail(office: Office, error: type[Exception], run: Run | None = None) -> Run:
    run = run or a_run()
    with pytest.raises(error):
        office.sync.bring_up_to_date(run)
    return run


def miss(office: Office, run: Run | None = None) -> None:
    """Find no photo, and record that."""
    office.sync.record(fail(office, NoPhoto, run), GONE, attempt=1)


def overtake(office: Office) -> None:
    """Let another run take Anne; its claim has expired, too, when this run resumes."""
    office.change(claim=Claim("another", CLAIM_LENGTH))
    office.clock.advance(CLAIM)


def message(**fields: object) -> str:
    """A message about Anne."""
    return json.dumps({"userId": ANNE.id, "correlationId": "from-the-webhook", **fields})


A_REMOVAL = message(reason="removal", sweepId="sweep-1")


def uninstall(uninstall_id: str = ORDER) -> str:
    """An uninstall's message about Anne."""
    order = SyncMessage(ANNE.id, UNINSTALL, False, 1, NOON, "c-1", uninstall_id=uninstall_id)
    return order.to_json()


def out_of_scope(user: object) -> None:
    raise OutOfScope("The account is disabled.")


def unknown(user: object) -> str:
    raise UnknownUser("Microsoft Graph has no such user.")


def no_image(photo: bytes) -> tuple[bytes, ...]:
    raise PhotoRefused("This is no image.")
