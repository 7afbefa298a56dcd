"""What the host gave up on: recorded, so that a person sees it and can replay it."""

from __future__ import annotations

import pytest

from shared.copying.held_claim import CLAIM_LENGTH
from shared.errors import (
    ServiceDown,
)
from shared.storage.user_state import FAILED, Claim, UserState
from tests.doubles.office import ANNE
from tests.shared.copying.runs import message

UPN = ANNE.user_principal_name


def test_parked_message_is_a_failure(office):
    """What the host gave up on is a failed user whom an admin sees and can replay."""
    outcome = office.worker.park(message(attempt=2).encode())

    assert (outcome.event, outcome.user) == ("parked", ANNE.id)
    assert (office.anne.status, office.anne.attempt) == (FAILED, 2)
    assert office.anne.last_error
    assert office.anne.last_error.code == "poisoned"
    assert office.work_off().event == "synced"


def test_parked_upn_is_kept(office):
    """A UPN is not looked up while parking, since that may be what stopped the app."""
    office.worker.park(UPN.encode())

    [(body, reason)] = office.store.unreadable.values()
    assert body == UPN.encode()
    assert "replay" in reason


def test_parked_nonsense_is_kept(office):
    """A poison message that nobody can understand is kept like any other."""
    assert office.worker.park(b"?").event == "parked"
    assert len(office.store.unreadable) == 1


def test_parking_waits_for_storage(office):
    """Parking that cannot be recorded is raised, so that the message stays."""
    office.store.error = ServiceDown("Storage.")

    with pytest.raises(ServiceDown):
        office.worker.park(ANNE.id.encode())


def test_parking_disturbs_no_copy(office):
    """A user who is being copied at that moment is not marked as failed."""
    claimed = UserState(ANNE.id, claim=Claim("another", CLAIM_LENGTH, left=CLAIM_LENGTH + 1))
    office.store.put(claimed)

    office.worker.park(ANNE.id.encode())

    assert office.anne == claimed
