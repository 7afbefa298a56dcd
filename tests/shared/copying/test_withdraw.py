"""An uninstall: our picture is removed for good, the user is forgotten, nothing else is copied."""

from __future__ import annotations

import pytest

from shared.copying.run import Policy
from shared.errors import AccessDenied, OtherHost, ServiceDown, Throttled
from shared.storage.user_state import FAILED, NO_PHOTO
from tests.doubles.office import ANNE, Office, failing
from tests.shared.copying.runs import NEW, OLD, message, out_of_scope, uninstall


def test_removed_and_forgotten(uninstalling: Office):
    """Picture and state are removed despite the photo; a second message writes nothing."""
    assert uninstalling.process(uninstall()).event == "forgotten"
    assert uninstalling.shows_nothing()
    uninstalling.sharepoint.writes = 0
    assert uninstalling.process(uninstall(), redelivered=True).event == "forgotten"

    assert uninstalling.sharepoint.writes == 0
    assert uninstalling.store.blobs == {}


@pytest.mark.parametrize("known", [True, False])
def test_user_out_of_scope_or_unknown(uninstalling: Office, known: bool):
    """The picture is removed even if the user is out of scope or unknown to Graph."""
    uninstalling.check_scope = out_of_scope
    if not known:
        uninstalling.exchange.users.clear()
        uninstalling.exchange.photos.clear()
    uninstalling.process(uninstall())

    assert uninstalling.shows_nothing()
    assert uninstalling.store.blobs == {}


def test_user_without_a_picture(uninstalling: Office):
    """A user without a picture of ours is forgotten without a call to Graph or SharePoint."""
    uninstalling.change(picture_url="", status=NO_PHOTO)
    uninstalling.exchange.error = uninstalling.sharepoint.plan_error = AccessDenied("No right.")
    uninstalling.process(uninstall())

    assert uninstalling.store.blobs == {}
    assert uninstalling.shows(OLD)


WOULD_REMOVE = "DRY_RUN is on; otherwise PhotoSync would remove the picture and set PictureURL."


@pytest.mark.parametrize(
    ("error", "dry_run", "detail"),
    [
        (AccessDenied("No right."), False, "No right."),
        (OtherHost("Elsewhere."), False, "Elsewhere."),
        (None, True, WOULD_REMOVE),
    ],
    ids=["refused", "settled", "dry run"],
)
@pytest.mark.parametrize("exists", [True, False])
def test_failure(
    uninstalling: Office, error: Exception | None, dry_run: bool, detail: str, exists: bool
):
    """If the picture cannot be removed, picture and state stay, and the state says why."""
    if not exists:
        uninstalling.exchange.leave()
    uninstalling.sharepoint.plan_error = error
    uninstalling.policy = Policy(dry_run=dry_run)

    assert uninstalling.process(uninstall()).event == FAILED
    assert uninstalling.shows(OLD)
    assert (uninstalling.anne.status, uninstalling.anne.reason) == (FAILED, "not-taken-back")
    assert uninstalling.anne.detail == detail
    assert uninstalling.anne.picture_url != ""
    assert uninstalling.anne.display_name == "Anne Bell"
    assert uninstalling.sharepoint.withdraws_from == [exists]


def test_interrupted_withdrawal(uninstalling: Office):
    """The state no longer says what SharePoint holds."""
    uninstalling.sharepoint.at_write[2] = failing(Throttled("Busy."))
    uninstalling.process(uninstall())

    assert (uninstalling.anne.sha256, uninstalling.anne.claim) == ("", None)


@pytest.mark.parametrize("current", ["", "another"])
def test_cancelled_uninstall(uninstalling: Office, current: str):
    """Once the uninstall is cancelled, or another one runs, its message removes nothing."""
    uninstalling.halt.ordered = current
    before = uninstalling.anne
    outcome = uninstalling.process(uninstall())

    assert outcome.event == "halted"
    assert uninstalling.shows(OLD)
    assert uninstalling.anne == before


@pytest.mark.parametrize(
    ("body", "user"),
    [(message(), ANNE.id), (ANNE.user_principal_name, "-")],
    ids=["id", "name"],
)
def test_nothing_is_copied_meanwhile(uninstalling: Office, body: str, user: str):
    """Any other message ends without a call, and says why."""
    uninstalling.exchange.upload(NEW)
    uninstalling.exchange.error = AssertionError("Exchange was called.")
    before = uninstalling.anne
    outcome = uninstalling.process(body)

    assert (outcome.event, outcome.user) == ("halted", user)
    assert outcome.detail == (
        "PhotoSync is being uninstalled, so nothing is copied. "
        "Run manage.py uninstall --cancel to resume."
    )
    assert (uninstalling.anne, uninstalling.queue.messages) == (before, [])


def test_storage_is_down(synced: Office):
    """While storage does not say whether PhotoSync is being uninstalled, messages wait."""
    down = failing(ServiceDown("Storage is down.", service="storage"))
    synced.halt.is_on = down  # type: ignore[method-assign]
    synced.halt.orders = lambda uninstall_id: down()  # type: ignore[method-assign]
    outcomes = [synced.process(each).event for each in (message(), uninstall())]

    assert outcomes == ["waiting", "waiting"]
    assert [fields["attempt"] for fields, _ in synced.queue.messages] == [2, 2]
    assert synced.shows(OLD)


def test_crash(uninstalling: Office):
    """If a user's message stops the app, the state says why, and the uninstall stops retrying."""
    uninstalling.sharepoint.at_write = {1: failing(ZeroDivisionError())}
    with pytest.raises(ZeroDivisionError):
        uninstalling.process(uninstall())
    crashed = uninstalling.anne
    uninstalling.worker.park(uninstall().encode())

    assert (crashed.status, crashed.reason) == (FAILED, "not-taken-back")
    assert (uninstalling.anne.status, uninstalling.anne.reason) == (FAILED, "not-taken-back")
