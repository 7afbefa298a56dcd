"""A run while Graph cannot read the groups: no copy, no removal, but an uninstall continues."""

from __future__ import annotations

import functools
from dataclasses import replace

import pytest

from shared import scope
from shared.errors import Refused
from shared.storage.user_state import FAILED
from tests.doubles.office import ANNE, Office
from tests.shared.copying.runs import (
    NEW,
    OLD,
    ORDER,
    SECOND_LOOK_AFTER,
    a_run,
    fail,
    message,
    miss,
    uninstall,
)
from tests.shared.settings.test_app import read


@pytest.fixture
def unreadable(synced: Office) -> Office:
    """Anne's photo was copied; since then, the group in EXCLUDED_GROUP_ID was deleted."""
    why = Refused("EXCLUDED_GROUP_ID names a group that Microsoft Graph does not know.")
    synced.exchange.users[ANNE.id] = replace(ANNE, unasked=why)
    synced.check_scope = functools.partial(scope.check, settings=read())
    return synced


def test_nothing_is_copied(unreadable: Office):
    """A user who may be excluded is not copied; the state has the name and the reason."""
    unreadable.exchange.upload(NEW)
    unreadable.process(message())

    assert unreadable.shows(OLD)
    anne = unreadable.anne
    assert (anne.status, anne.user_principal_name) == (FAILED, ANNE.user_principal_name)
    assert "EXCLUDED_GROUP_ID" in anne.detail


def test_nothing_is_removed(unreadable: Office):
    """Nor is the picture removed, though the photo is gone."""
    unreadable.exchange.delete()
    miss(unreadable)
    unreadable.clock.advance(SECOND_LOOK_AFTER)
    fail(unreadable, Refused, a_run(removal=True))

    assert unreadable.shows(OLD)


def test_uninstall_does_not_ask(unreadable: Office):
    """An uninstall removes our picture whatever the groups are."""
    unreadable.halt.ordered = ORDER

    assert unreadable.process(uninstall()).event == "forgotten"
