"""MSAL Node as published signs in by certificate; Graph takes its token."""

from __future__ import annotations

import base64

import pytest

from tests.foreign.conftest import Script, jpeg, stayed_here
from tests.local.m365.simulator import TENANT_ID, Cloud

pytestmark = pytest.mark.server


@pytest.mark.parametrize("tenant", [TENANT_ID, "contoso.com", "contoso.onmicrosoft.com"])
def test_a_photo_is_read_and_changed(contoso: Cloud, anne: str, script: Script, tenant: str):
    """By whatever name it knows the tenant."""
    after = len(contoso.tenant.journal.after(0))
    blue = base64.b64encode(jpeg("blue")).decode()
    said = script("msal.js", tenant=tenant, user=anne, photo=blue)

    assert said == {"bytes": base64.b64encode(jpeg("red")).decode(), "put": 200}
    photo = contoso.tenant.users[anne].photo
    assert photo
    assert photo.content != jpeg("red")
    assert stayed_here(contoso, after)
