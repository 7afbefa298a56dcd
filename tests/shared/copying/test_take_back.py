"""An uninstall: our picture goes for good, the user is forgotten, and nothing else is copied."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.copying.held_claim import CLAIM_LENGTH
from shared.copying.run import Policy
from shared.errors import AccessDenied, OtherHost, OutOfScope, ServiceDown, Throttled
from shared.messages.sync_message import UNINSTALL, SyncMessage
from shared.storage.user_state import FAILED, NO_PHOTO, NOT_TAKEN_BACK, WAITING, Claim
from tests.doubles.office import ANNE, NOON, Office, failing
from tests.shared.copying.runs import CLAIM, NEW, OLD, message

ORDER = "20260131T120000-1a2b3c4d"


def order(uninstall_id: str = ORDER) -> str:
    fields = SyncMessage(ANNE.id, UNINSTALL, False, 1, NOON, "c-1", uninstall_id=uninstall_id)
    return fields.to_json()


@pytest.fixture
def ordered(synced: Office) -> Office:
    """Anne's photo has been copied, and PhotoSync is being uninstalled."""
    synced.halt.ordered = ORDER
    return synced


def test_taken_back_and_forgotten(ordered: Office):
    """The picture goes though the photo is still there, and no state is left."""
    outcome = ordered.work_off(order())

    assert outcome.event == "forgotten"
    assert ordered.shows_nothing()
    assert ordered.store.blobs == {}


def test_forgotten_twice(ordered: Office):
    """A message that comes again finds nothing to do, and writes nothing."""
    ordered.work_off(order())
    ordered.sharepoint.writes = 0
    outcome = ordered.work_off(order(), redelivered=True)

    assert (outcome.event, ordered.sharepoint.writes) == ("forgotten", 0)
    assert ordered.store.blobs == {}


@pytest.mark.parametrize("known", [True, False])
def test_nobody_in_the_way(ordered: Office, known: bool):
    """Whoever is out of scope, or unknown to Graph by now, is served like everybody."""
    ordered.check_scope = lambda user: failing(OutOfScope("Excluded."))()
    if not known:
        ordered.exchange.users.clear()
        ordered.exchange.photos.clear()
    ordered.work_off(order())

    assert ordered.shows_nothing()
    assert ordered.store.blobs == {}


def test_user_without_a_picture(ordered: Office):
    """Who shows no picture of ours is forgotten without a look at Graph or SharePoint."""
    ordered.change(picture_url="", status=NO_PHOTO)
    ordered.exchange.error = ordered.sharepoint.plan_error = AccessDenied("No right.")
    before = ordered.shows(OLD)
    ordered.work_off(order())

    assert ordered.store.blobs == {}
    assert ordered.shows(OLD) is before is True


def test_one_at_a_time(ordered: Office):
    """While another run has the user nothing is touched; afterwards it is taken back."""
    ordered.change(claim=Claim("another-run", CLAIM_LENGTH))
    waits = ordered.work_off(order())
    shown = ordered.shows(OLD)
    ordered.clock.advance(CLAIM)
    ended = ordered.work_off_waiting()

    assert (waits.event, shown, ended.event) == ("waiting", True, "forgotten")
    assert ordered.shows_nothing()


@pytest.mark.parametrize("write", [1, 2, 4])
def test_death_in_the_middle(ordered: Office, write: int):
    """A run that dies at any write is finished by the message that comes back."""
    ordered.sharepoint.at_write[write] = failing(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        ordered.work_off(order())
    ordered.sharepoint.at_write.clear()
    ordered.clock.advance(timedelta(seconds=CLAIM_LENGTH + 1))
    ordered.work_off(order(), redelivered=True)

    assert ordered.shows_nothing()
    assert ordered.store.blobs == {}


def test_nothing_is_written_too_late(ordered: Office):
    """A run whose user another one has taken writes no more, and the next one ends it."""

    def overtaken() -> None:
        ordered.change(claim=Claim("another-run", CLAIM_LENGTH))
        ordered.clock.advance(timedelta(seconds=CLAIM_LENGTH + 1))

    ordered.sharepoint.at_write[2] = overtaken
    first = ordered.work_off(order())
    ordered.sharepoint.at_write.clear()
    writes = ordered.sharepoint.writes
    ordered.work_off_waiting()

    assert (first.event, writes) == ("waiting", 1)
    assert ordered.shows_nothing()
    assert ordered.store.blobs == {}


def test_somebody_wrote_the_state_meanwhile(ordered: Office):
    """What another run has written since is not deleted: the message comes back for it."""

    def write() -> None:
        ordered.change(detail="Newer.", claim=None)

    ordered.sharepoint.at_write[4] = write
    outcome = ordered.work_off(order())

    assert (outcome.event, ordered.anne.detail) == ("waiting", "Newer.")


@pytest.mark.parametrize(
    "error", [AccessDenied("No right."), OtherHost("Elsewhere.")], ids=["refused", "settled"]
)
def test_not_taken_back(ordered: Office, error: Exception):
    """Who cannot be served keeps picture and state, which says that it was tried, and why not."""
    ordered.sharepoint.plan_error = error
    outcome = ordered.work_off(order())

    assert outcome.event == FAILED
    assert ordered.shows(OLD)
    assert (ordered.anne.status, ordered.anne.reason) == (FAILED, NOT_TAKEN_BACK)
    assert ordered.anne.detail == str(error)
    assert ordered.anne.picture_url != ""


def test_wait(ordered: Office):
    """What can work later comes back as a message of the same order."""
    ordered.sharepoint.plan_error = Throttled("Busy.", retry_after=60)
    ordered.work_off(order())
    [(fields, _)] = ordered.queue.messages

    assert (ordered.anne.status, fields["uninstallId"]) == (WAITING, ORDER)


def test_dry_run(ordered: Office):
    """With DRY_RUN nothing is taken back, and the state says so."""
    ordered.policy = Policy(dry_run=True)
    ordered.work_off(order())

    assert ordered.shows(OLD)
    assert ordered.anne.reason == NOT_TAKEN_BACK


@pytest.mark.parametrize("ordered_since", ["", "another"])
def test_order_that_is_none_any_more(ordered: Office, ordered_since: str):
    """Without its order, or under another one, a message takes nothing back."""
    ordered.halt.ordered = ordered_since
    before = ordered.anne
    outcome = ordered.work_off(order())

    assert outcome.event == "halted"
    assert ordered.shows(OLD)
    assert ordered.anne == before


@pytest.mark.parametrize("body", [message(), ANNE.user_principal_name], ids=["id", "name"])
def test_nothing_is_copied_meanwhile(ordered: Office, body: str):
    """Any other message is done without a look at anything, and says why."""
    ordered.exchange.upload(NEW)
    ordered.exchange.error = AssertionError("Nobody is to be asked.")
    before = ordered.anne
    outcome = ordered.work_off(body)

    assert outcome.event == "halted"
    assert "--cancel" in outcome.detail
    assert (ordered.anne, ordered.queue.messages) == (before, [])


def test_not_to_know_is_no_answer(synced: Office):
    """While storage does not tell whether PhotoSync is uninstalled, messages wait."""

    class Unknown:
        def is_on(self) -> bool:
            raise ServiceDown("Storage is down.", service="storage")

        def orders(self, uninstall_id: str) -> bool:
            return self.is_on()

    synced.halt = Unknown()  # type: ignore[assignment]
    outcomes = [synced.work_off(each).event for each in (message(), order())]

    assert outcomes == ["waiting", "waiting"]
    assert [fields["attempt"] for fields, _ in synced.queue.messages] == [2, 2]
    assert synced.shows(OLD)


def test_crash_is_named(ordered: Office):
    """Who stops the app each time is not tried in every round: the state says why it ended."""
    ordered.sharepoint.at_write = {1: failing(ZeroDivisionError())}
    with pytest.raises(ZeroDivisionError):
        ordered.work_off(order())
    crashed = ordered.anne
    ordered.worker.park(order().encode())

    assert (crashed.status, crashed.reason) == (FAILED, NOT_TAKEN_BACK)
    assert (ordered.anne.status, ordered.anne.reason) == (FAILED, NOT_TAKEN_BACK)
