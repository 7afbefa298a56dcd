"""A person's order to replace a picture that somebody chose by the photo."""

from __future__ import annotations

import pytest

from shared.errors import Throttled
from shared.storage.user_state import SKIPPED, SYNCED
from tests.doubles.office import ANNE, Office, failing
from tests.shared.copying.runs import NEW, OLD, message

CHOSEN = "https://cdn.contoso.com/anne.jpg"
REPLACE = message(replace=True)


@pytest.fixture
def chosen(office: Office) -> Office:
    """Anne has chosen a picture of her own, and her state says that it is kept."""
    choose(office)
    assert office.process().event == SKIPPED
    assert office.anne.reason == "picture-kept"
    return office


def choose(office: Office) -> None:
    office.sharepoint.properties[ANNE.user_principal_name] = {"PictureURL": CHOSEN}


def test_chosen_picture_is_replaced(chosen: Office):
    """The photo replaces the picture, which a plain replay keeps."""
    assert chosen.process().event == SKIPPED
    assert chosen.sharepoint.shown(ANNE) == CHOSEN

    assert chosen.process(REPLACE).event == "synced"
    assert chosen.shows(OLD)
    assert (chosen.anne.status, chosen.anne.reason) == (SYNCED, "")


@pytest.mark.parametrize("reason", ["replay", "notification"])
def test_picture_chosen_over_a_copy(synced: Office, reason: str):
    """A picture chosen after the copy is replaced, though the photo has not changed."""
    choose(synced)

    assert synced.process(message(replace=True, reason=reason)).event == "synced"
    assert synced.shows(OLD)


def test_next_choice_is_kept(chosen: Office):
    """The order counts once: the next chosen picture is kept, even if the photo changes."""
    chosen.process(REPLACE)
    choose(chosen)
    chosen.exchange.upload(NEW)

    assert chosen.process(message(reason="notification")).event == SKIPPED
    assert chosen.sharepoint.shown(ANNE) == CHOSEN


def test_order_outlasts_a_wait(chosen: Office):
    """An order that must wait, even between two files, is still the same order afterwards."""
    chosen.sharepoint.at_write[4] = failing(Throttled("Busy."))
    assert chosen.process(REPLACE).event == "waiting"
    assert chosen.sharepoint.shown(ANNE) == CHOSEN
    assert chosen.anne.picture_url.endswith(f"{ANNE.id}_MThumb.jpg")
    chosen.sharepoint.at_write.clear()

    assert chosen.process_waiting().event == "synced"
    assert chosen.shows(OLD)
