"""Whose picture is looked after, and why not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared import scope
from shared.errors import OutOfScope
from shared.user import User
from tests.shared.settings.test_app import read

ANNE = User("6ea91a8d-1d2b-4f5e-9a51-3c1f0f5d7a01", "Anne@contoso.com", True, False)


def test_member_is_looked_after():
    """An enabled member whom nobody excluded is in scope."""
    scope.check(ANNE, read())


@pytest.mark.parametrize(
    ("user", "env", "sentence"),
    [
        pytest.param(replace(ANNE, is_guest=True), {}, "INCLUDE_GUESTS", id="guest"),
        pytest.param(replace(ANNE, account_enabled=False), {}, "disabled", id="disabled"),
        pytest.param(replace(ANNE, in_group=False), {}, "SYNC_GROUP_ID", id="group"),
        pytest.param(replace(ANNE, is_excluded=True), {}, "EXCLUDED_GROUP_ID", id="excluded"),
        pytest.param(ANNE, {"EXCLUDED_USERS": "x, anne@CONTOSO.com"}, "EXCLUDED_USERS", id="upn"),
        pytest.param(ANNE, {"EXCLUDED_USERS": ANNE.id.upper()}, "EXCLUDED_USERS", id="object-id"),
    ],
)
def test_who_is_left_out(user, env, sentence):
    """Guests, the disabled, the excluded and those outside the group are left out, and told why."""
    with pytest.raises(OutOfScope, match=sentence):
        scope.check(user, read(**env))


def test_guests_are_looked_after_when_wanted():
    """INCLUDE_GUESTS=true brings guests into scope."""
    scope.check(replace(ANNE, is_guest=True), read(INCLUDE_GUESTS="true"))
