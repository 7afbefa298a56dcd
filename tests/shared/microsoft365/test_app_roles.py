"""Which roles a token contains, and which are missing."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from shared.microsoft365 import app_roles
from shared.microsoft365.app_roles import FILES_NEED, PROFILES_NEED, Claims


def token(fields: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")
    return f"header.{payload}.signature"


@pytest.mark.parametrize("filling", ["", "a", "ab", "abc", "ü?>"])
def test_claims(filling: str):
    """Roles and proof are read from a payload of any length, padded or not."""
    fields = {"roles": ["B", "A"], "appidacr": "2", "x": filling}

    assert app_roles.read(token(fields)) == Claims(frozenset("AB"), "2")


@pytest.mark.parametrize(
    ("fields", "claims"),
    [
        ({}, Claims(frozenset(), "")),
        ({"roles": None, "azpacr": "1"}, Claims(frozenset(), "1")),
        ({"roles": [], "appidacr": 2}, Claims(frozenset(), "2")),
    ],
)
def test_sparse_claims(fields: dict[str, Any], claims: Claims):
    """A missing claim is empty; version 2 tokens call the proof azpacr."""
    assert app_roles.read(token(fields)) == claims


@pytest.mark.parametrize("text", ["", "opaque", "a.b.c", "a.é.c", token([]), token({"roles": 1})])
def test_no_claims(text: str):
    """A token that is not a JWT has no claims."""
    assert app_roles.read(text) is None


def test_missing():
    """Each unmet need is named by its least privileged role and its purpose."""
    needs = (FILES_NEED, PROFILES_NEED)

    assert app_roles.missing(needs, {"Sites.FullControl.All", "User.ReadWrite.All"}) == []
    assert app_roles.missing(needs, {"User.Read.All"}) == [
        "Sites.Selected to write pictures",
        "User.ReadWrite.All to write profiles",
    ]


def test_group_needs_more():
    """Reading group members is needed only if a group is configured."""
    least = {"User.Read.All", "ProfilePhoto.Read.All"}

    assert app_roles.missing(app_roles.needs_of_graph(group=False), least) == []
    assert app_roles.missing(app_roles.needs_of_graph(group=True), least) == [
        "GroupMember.Read.All to read the members of SYNC_GROUP_ID or EXCLUDED_GROUP_ID"
    ]
