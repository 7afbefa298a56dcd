"""The local tenant's registrations: exactly the rights that `manage.py grant` gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from admin.grants.wanted import GRAPH, SHAREPOINT, SITE_ROLE, wanted
from local.cloud.registrations import make_registrations


@pytest.mark.parametrize("group", [False, True])
def test_same_rights_as_a_grant(tmp_path: Path, group: bool):
    """The local registration has the rights of `manage.py grant`, which lists them separately."""
    own, _ = make_registrations(tmp_path, group=group)
    roles = wanted(group=group, full_control=False)
    of_each: dict[str, Any] = {
        key: {one.role for one in roles if one.service == service}
        for key, service in (("graph", GRAPH), ("sharepoint", SHAREPOINT))
    }

    assert {key: set(held) for key, held in own.config["roles"].items()} == of_each
    assert own.config["siteGrant"] == SITE_ROLE
