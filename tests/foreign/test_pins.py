"""performance.md names the tested versions of the programs."""

from __future__ import annotations

import json
import re

from tests import REPO
from tests.foreign.programs import CLIENTS

NAMES = {
    "@pnp/cli-microsoft365": "CLI for Microsoft 365",
    "@pnp/sp": "PnPjs",
    "@pnp/graph": "PnPjs",
    "@microsoft/microsoft-graph-client": "@microsoft/microsoft-graph-client",
    "@azure/msal-node": "MSAL Node",
    "msgraph-sdk": "msgraph-sdk for Python",
    "azure-identity": "azure-identity",
}


def test_page_names_what_is_pinned():
    """The row of the claim names each program with its version."""
    pinned = json.loads((CLIENTS / "package.json").read_text("utf-8"))["dependencies"]
    python = (CLIENTS / "requirements.txt").read_text("utf-8")
    pinned |= dict(re.findall(r"(?m)^([\w-]+)==(\S+)", python))
    page = (REPO / "docs" / "performance.md").read_text("utf-8")
    [claim] = re.findall(r"(?m)^\|.*at real host names.*$", page)

    missing = [f"{NAMES[name]} {pinned[name]}" for name in NAMES]
    assert [each for each in missing if each not in claim] == []


def test_no_private_registry_is_named():
    """The lock file has hashes but no URLs, so `npm ci` uses the configured registry."""
    lock = json.loads((CLIENTS / "package-lock.json").read_text("utf-8"))["packages"]

    assert [name for name, one in lock.items() if "resolved" in one] == []
    assert [name for name, one in lock.items() if name and "integrity" not in one] == []
