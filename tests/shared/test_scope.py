"""Which users are in scope, and why others are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared import scope
from shared.errors import OutOfScope
from shared.user import User
from tests.shared.settings.test_app import read

ANNE = User("6ea91a8d-1d2b-4f5e-9a51-3c1f0f5d7a01", "Anne@contoso.com", True, False)


@pytest.mark.parametrize(
    ("user", "env"), [(ANNE, {}), (replace(ANNE, is_guest=True), {"INCLUDE_GUESTS": "true"})]
)
def test_in_scope(user, env):
    """An enabled member is in scope, and so is a guest with INCLUDE_GUESTS=true."""
    scope.check(user, read(**env))


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
def test_out_of_scope(user, env, sentence):
    """Guests, disabled and excluded users, and those outside the group; the sentence says why."""
    with pytest.raises(OutOfScope, match=sentence):
        scope.check(user, read(**env))
