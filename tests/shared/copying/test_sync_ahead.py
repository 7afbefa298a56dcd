"""The profile is read beside the photo: what that may cost, and that no end is another for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

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
from tests.doubles.at_once import backwards, in_turn
from tests.doubles.office import ANNE, failing
from tests.shared.copying.runs import NEW, OLD, bring_up_to_date, fail, message

BOTH_ORDERS = pytest.mark.parametrize("at_once", [in_turn, backwards])
BUSY = Throttled("SharePoint asked PhotoSync to wait.", retry_after=60.0, service="sharepoint")


def ahead() -> Run:
    return Run(ANNE.id, force=False, by="this-run", looks_ahead=True)


@BOTH_ORDERS
def test_changed_photo_costs_no_more_calls(synced, at_once):
    """Two to Graph, five to SharePoint, three to the store, whichever of two calls is first."""
    synced.at_once = at_once
    synced.exchange.upload(NEW)

    with calls.noted() as made:
        assert bring_up_to_date(synced, ahead()) == "synced"

    assert Counter(made) == {"graph": 2, "sharepoint": 5, "blob": 3}
    assert synced.shows(NEW)


def test_nothing_is_read_ahead_of_the_claim(synced):
    """A run that does not get its claim has asked SharePoint nothing."""
    synced.exchange.upload(NEW)
    read = synced.store.read

    def outrun(user_id):
        stored = read(user_id)
        synced.change(detail="Another run was here.")
        return stored

    synced.store.read = outrun

    with calls.noted() as made:
        fail(synced, Conflict, ahead())

    assert "sharepoint" not in made


def test_first_copy_reads_the_profile_by_the_name_that_graph_tells(office):
    """Nobody's name is guessed."""
    office.at_once = backwards
    office.sharepoint.plan = lambda user, url, **more: pytest.fail("too early")
    office.exchange.after_copy = lambda: vars(office.sharepoint).pop("plan")

    assert bring_up_to_date(office, ahead()) == "synced"


@BOTH_ORDERS
@pytest.mark.parametrize("error", [None, NoProfile("Another's."), PictureKept("Chosen."), BUSY])
def test_after_a_rename_the_old_name_s_profile_counts_for_nothing(synced, at_once, error):
    """It may be somebody else's by now: the profile is read again, by the new name."""
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


@BOTH_ORDERS
def test_photo_that_is_gone_decides_over_a_busy_profile(synced, at_once):
    """Without a photo the profile would not have been asked for."""
    synced.at_once = at_once
    synced.exchange.upload(NEW)
    synced.exchange.after_look = synced.exchange.delete
    synced.sharepoint.plan_error = BUSY

    fail(synced, NoPhoto, ahead())


@BOTH_ORDERS
def test_scope_decides_over_a_busy_profile(synced, at_once):
    """Whoever is left alone is left alone now, and not after a wait."""
    synced.at_once = at_once
    synced.exchange.upload(NEW)
    synced.check_scope = lambda user: failing(OutOfScope("A guest."))()
    synced.sharepoint.plan_error = BUSY

    fail(synced, OutOfScope, ahead())


@BOTH_ORDERS
def test_same_bytes_need_no_profile(synced, at_once):
    """What SharePoint said of a profile that nobody needs is no reason to wait."""
    synced.at_once = at_once
    synced.exchange.upload(OLD)
    synced.sharepoint.plan_error = BUSY

    assert bring_up_to_date(synced, ahead()) == "unchanged"


@BOTH_ORDERS
@pytest.mark.parametrize("error", [NoProfile("None yet."), PictureKept("Chosen."), BUSY])
def test_profile_decides_where_the_photo_is_there(synced, at_once, error):
    """As if it had been read after the photo; nothing was written."""
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
    """Where both ask for patience, a run that came back sooner would meet the other."""
    synced.at_once = at_once
    synced.exchange.upload(NEW)
    slow = ServiceDown("Graph is away.", retry_after=graph_asks, service="graph")
    synced.exchange.user_and_photo = lambda user_id: failing(slow)()
    synced.sharepoint.plan_error = BUSY

    assert synced.work_off(message(reason="notification")).retry_in_seconds == seconds


@pytest.mark.parametrize(("reason", "profiles"), [("notification", 1), ("sweep", 0)])
def test_only_a_notification_looks_ahead_in_vain(synced, caplog, reason, profiles):
    """A sweep may find that the etags of all have changed, and the bytes of nobody."""
    synced.exchange.upload(OLD)

    with caplog.at_level("INFO"):
        assert synced.work_off(message(reason=reason)).event == "unchanged"

    assert f"graph=2 sharepoint={profiles} blob=3" in caplog.text
