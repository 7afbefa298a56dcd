"""The profile is read while the photo is fetched: what that costs, and that results are equal."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from shared.at_once import sequentially
from shared.copying.run import Run
from shared.errors import (
    Conflict,
    NoPhoto,
    NoProfile,
    OutOfScope,
    PictureKept,
    ServiceDown,
    Throttled,
)
from shared.telemetry import calls
from tests.doubles.at_once import backwards
from tests.doubles.office import ANNE, Office, failing
from tests.shared.copying.runs import NEW, OLD, bring_up_to_date, fail, message, out_of_scope

BOTH_ORDERS = pytest.mark.parametrize("at_once", [sequentially, backwards])
BUSY = Throttled("SharePoint asked PhotoSync to wait.", retry_after=60.0, service="sharepoint")


def ahead() -> Run:
    return Run(ANNE.id, force=False, by="this-run", reads_ahead=True)


@BOTH_ORDERS
def test_changed_photo_costs_no_more_calls(synced, at_once):
    """Three to Graph, five to SharePoint, three to the store, whichever of two calls is first."""
    synced.at_once = at_once
    synced.exchange.upload(NEW)

    with calls.noted() as made:
        assert bring_up_to_date(synced, ahead()) == "synced"

    assert Counter(made) == {"graph": 3, "sharepoint": 5, "blob": 3}
    assert synced.shows(NEW)


def test_nothing_is_read_ahead_of_the_claim(synced):
    """A run that does not get its claim has made no call to SharePoint."""
    synced.exchange.upload(NEW)
    synced.store.after_read = lambda: synced.change(detail="Another run was here.")

    with calls.noted() as made:
        fail(synced, Conflict, ahead())

    assert "sharepoint" not in made


def test_first_copy_reads_the_profile_after_the_photo(office):
    """Without a state, the user's name is known only from Graph."""
    office.at_once = backwards
    office.sharepoint.plan = lambda user, url, **more: pytest.fail("too early")
    office.exchange.after_copy = lambda: vars(office.sharepoint).pop("plan")

    assert bring_up_to_date(office, ahead()) == "synced"


@BOTH_ORDERS
@pytest.mark.parametrize("error", [None, NoProfile("Another's."), PictureKept("Chosen."), BUSY])
def test_renamed_user(synced, at_once, error):
    """The old name's profile may be another user's: the profile is read again by the new name."""
    synced.at_once = at_once
    renamed = replace(ANNE, user_principal_name="anne.keller@contoso.com")
    synced.exchange.users[ANNE.id] = renamed
    synced.exchange.upload(NEW)
    plan = synced.sharepoint.plan

    def by_name(user, url, *, replace=False):
        if user.user_principal_name == ANNE.user_principal_name and error:
            raise error
        return plan(user, url, replace=replace)

    synced.sharepoint.plan = by_name

    assert bring_up_to_date(synced, ahead()) == "synced"
    assert set(synced.sharepoint.files[renamed.user_principal_name].values()) >= {b"L:" + NEW}


def no_photo(office: Office) -> None:
    office.exchange.after_look = office.exchange.delete


def excluded(office: Office) -> None:
    office.check_scope = out_of_scope


@BOTH_ORDERS
@pytest.mark.parametrize(("arrange", "error"), [(no_photo, NoPhoto), (excluded, OutOfScope)])
def test_other_errors_precede_a_busy_profile(synced, at_once, arrange, error):
    """Without a photo, or out of scope, the profile is not needed, so there is no wait for it."""
    synced.at_once = at_once
    synced.exchange.upload(NEW)
    arrange(synced)
    synced.sharepoint.plan_error = BUSY

    fail(synced, error, ahead())


@BOTH_ORDERS
def test_same_bytes_need_no_profile(synced, at_once):
    """If the bytes are the same, a busy profile service is no reason to wait."""
    synced.at_once = at_once
    synced.exchange.upload(OLD)
    synced.sharepoint.plan_error = BUSY

    assert bring_up_to_date(synced, ahead()) == "unchanged"


@BOTH_ORDERS
@pytest.mark.parametrize("error", [NoProfile("None yet."), PictureKept("Chosen."), BUSY])
def test_profile_that_cannot_be_written(synced, at_once, error):
    """The error is the same as if the profile had been read after the photo; nothing is written."""
    synced.at_once = at_once
    synced.exchange.upload(NEW)
    synced.sharepoint.plan_error = error
    run = ahead()

    fail(synced, type(error), run)

    assert synced.shows(OLD)
    assert not run.files_touched


@BOTH_ORDERS
@pytest.mark.parametrize(("graph_asks", "seconds"), [(5.0, 60.0), (90.0, 90.0), (None, 60.0)])
def test_longer_wait_wins(synced, at_once, graph_asks, seconds):
    """If both services ask for a wait, the longer one counts, or a retry meets the other error."""
    synced.at_once = at_once
    synced.exchange.upload(NEW)
    slow = ServiceDown("Graph is away.", retry_after=graph_asks, service="graph")
    synced.exchange.user_and_photo = lambda user_id: failing(slow)()
    synced.sharepoint.plan_error = BUSY

    assert synced.process(message(reason="notification")).retry_in_seconds == seconds


@pytest.mark.parametrize(
    ("fields", "ahead"),
    [
        ({"reason": "notification"}, True),
        ({"reason": "replay"}, True),
        ({"reason": "sweep", "force": True}, True),
        ({"reason": "sweep"}, False),
    ],
    ids=["notification", "replay", "force", "sweep"],
)
def test_runs_that_read_ahead(synced, fields, ahead):
    """Those that need the profile in any case, and those whose photo has probably changed."""
    used = []

    def at_once(*both):
        used.append(both)
        return sequentially(*both)

    synced.at_once = at_once
    synced.exchange.upload(OLD)
    synced.process(message(**fields))

    assert bool(used) is ahead


@pytest.mark.parametrize(("reason", "profiles"), [("notification", 1), ("sweep", 0)])
def test_only_a_notification_reads_ahead(synced, caplog, reason, profiles):
    """In a sweep, all etags may have changed and no bytes."""
    synced.exchange.upload(OLD)

    with caplog.at_level("INFO"):
        assert synced.process(message(reason=reason)).event == "unchanged"

    assert f"graph=3 sharepoint={profiles} blob=3" in caplog.text
