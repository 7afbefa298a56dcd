"""A run while the groups cannot be asked: no copy, no removal, and an uninstall goes on."""

from __future__ import annotations

import functools
from dataclasses import replace

import pytest

from shared import scope
from shared.errors import Refused
from shared.messages.sync_message import UNINSTALL, SyncMessage
from shared.storage.user_state import FAILED, SECOND_LOOK_AFTER
from tests.doubles.office import ANNE, NOON, Office
from tests.shared.copying.runs import NEW, OLD, a_run, fail, message, miss
from tests.shared.settings.test_app import read


@pytest.fixture
def silent(synced: Office) -> Office:
    """Anne's photo was copied; the group that leaves people out is gone since."""
    why = Refused("EXCLUDED_GROUP_ID names a group that Microsoft Graph does not know.")
    synced.exchange.users[ANNE.id] = replace(ANNE, unasked=why)
    synced.check_scope = functools.partial(scope.check, settings=read())
    return synced


def test_nothing_is_copied(silent: Office):
    """Who may be left out is not copied, and the state says why, with the name."""
    silent.exchange.upload(NEW)
    silent.work_off(message())

    assert silent.shows(OLD)
    assert (silent.anne.status, silent.anne.user_principal_name) == (
        FAILED,
        ANNE.user_principal_name,
    )
    assert "EXCLUDED_GROUP_ID" in silent.anne.detail


def test_nothing_is_removed(silent: Office):
    """Nor does a picture go whose photo is gone."""
    silent.exchange.delete()
    miss(silent)
    silent.clock.advance(SECOND_LOOK_AFTER)
    fail(silent, Refused, a_run(removal=True))

    assert silent.shows(OLD)


def test_uninstall_does_not_ask(silent: Office):
    """An uninstall takes back what is ours, whatever the groups say."""
    silent.halt.ordered = "an-order"
    fields = SyncMessage(ANNE.id, UNINSTALL, False, 1, NOON, "c-1", uninstall_id="an-order")

    assert silent.work_off(fields.to_json()).event == "forgotten"
