"""Copy, removal, forgetting and uninstall: each finishes, whatever interrupts it at any write."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from shared.copying.held_claim import CLAIM_LENGTH
from shared.copying.outcome import Outcome
from shared.errors import Throttled
from shared.storage.user_state import WAITING, Claim
from tests.doubles.office import Office, failing
from tests.shared.copying.runs import A_REMOVAL, CLAIM, NEW, message, overtake, uninstall

TASKS = {
    "copy": ("synced", message(), "synced"),
    "removal": ("missed", A_REMOVAL, "removed"),
    "forgetting": ("due", A_REMOVAL, "forgotten"),
    "uninstall": ("uninstalling", uninstall(), "forgotten"),
}
EVERY_WRITE = pytest.mark.parametrize("number", [1, 2, 3, 4])


@dataclass
class Task:
    """A message with four writes to SharePoint, and the event that it ends with."""

    office: Office
    body: str
    event: str

    def process(self, *, redelivered: bool = False) -> Outcome:
        return self.office.process(self.body, redelivered=redelivered)

    def is_done_by(self, outcome: Outcome) -> bool:
        office, is_forgotten = self.office, self.event == "forgotten"
        shown = office.shows(NEW) if self.event == "synced" else office.shows_nothing()
        return outcome.event == self.event and shown and (office.store.blobs == {}) == is_forgotten


@pytest.fixture(params=TASKS)
def task(request: pytest.FixtureRequest) -> Task:
    fixture, body, event = TASKS[request.param]
    office = request.getfixturevalue(fixture)
    if event == "synced":
        office.exchange.upload(NEW)
    return Task(office, body, event)


@EVERY_WRITE
def test_death(task: Task, number: int):
    """After a run dies, its redelivered message waits for the claim to expire and finishes."""
    office, before = task.office, task.office.anne
    office.sharepoint.at_write[number] = failing(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        task.process()
    office.sharepoint.at_write.clear()

    assert task.process(redelivered=True).event == WAITING
    assert replace(office.anne, claim=None) == before
    office.clock.advance(CLAIM)
    assert task.is_done_by(task.process(redelivered=True))


@EVERY_WRITE
def test_wait(task: Task, number: int):
    """A run that must wait is finished by the message that it sends."""
    office, left_since = task.office, task.office.anne.left_since
    office.sharepoint.at_write[number] = failing(Throttled("Busy."))
    assert task.process().event == WAITING
    assert (office.anne.status, office.anne.left_since) == (WAITING, left_since)
    office.sharepoint.at_write.clear()

    assert task.is_done_by(office.process_waiting())


def test_late_run(task: Task):
    """Once another run has taken the user, no write begins; the next message finishes."""
    office = task.office
    office.sharepoint.at_write[2] = lambda: overtake(office)
    outcome = task.process()
    office.sharepoint.at_write.clear()

    assert (outcome.event, outcome.detail) == (WAITING, "Another run has taken over this user.")
    assert office.anne.claim == Claim("another", CLAIM_LENGTH)
    assert office.sharepoint.writes == 1
    assert task.is_done_by(office.process_waiting())


def test_expired_claim_that_nobody_took(task: Task):
    """A run that paused for an hour renews its claim and finishes."""
    office = task.office
    office.sharepoint.at_write[2] = lambda: office.clock.advance(timedelta(hours=1))

    assert task.is_done_by(task.process())


def test_newer_state(task: Task):
    """A state that another run has written since is neither replaced nor deleted."""
    office = task.office
    office.sharepoint.at_write[4] = lambda: office.change(detail="Newer.", claim=None)

    assert task.process().event == WAITING
    assert (office.anne.detail, office.anne.claim) == ("Newer.", None)
