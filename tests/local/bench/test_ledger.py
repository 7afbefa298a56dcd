"""The kind of each call, from the simulator's journal and from the log of storage."""

from __future__ import annotations

from typing import Any

import pytest

from local.bench.measuring.ledger import counted, end_of_line, storage_calls
from shared.storage.azure import CONTAINER

_DELAYED = "POST /account/photo-sync/messages?visibilitytimeout=60"
APP, OTHER, USER = "app", "another app", "6ea91a8d-0000-4000-8000-000000000001"


def line(request: str) -> str:
    return f'127.0.0.1 - - [21/Nov/2026:03:34:58 +0000] "{request} HTTP/1.1" 200 -'


@pytest.mark.parametrize(
    ("request_line", "kind"),
    [
        (f"GET /account/photo-sync-state/users/{USER}.json", "blob"),
        ("PUT /account/photo-sync-state?restype=container", "blob"),
        ("GET /account/photo-sync-state/uninstall.json", "halt"),
        ("PUT /account/photo-sync-state/budgets/contoso-admin.sharepoint.com.json", "budget"),
        ("PUT /account/photo-sync-state/uninstall.json", "blob"),
        ("POST /account/photo-sync/messages?visibilitytimeout=0", "queue"),
        ("POST /account/photo-sync/messages", "host"),
        ("PUT /account/photo-sync/messages/1?popreceipt=x&visibilitytimeout=600", "host"),
        ("DELETE /account/photo-upkeep/messages/1?popreceipt=x", "host"),
        ("GET /account/photo-sync/messages?numofmessages=8&visibilitytimeout=600", "polls"),
        ("GET /account/photo-sync-poison/messages?numofmessages=8&visibilitytimeout=600", "polls"),
        (
            "PUT /account/azure-webjobs-hosts/locks/host/Host.Functions.t.Listener?comp=lease",
            "polls",
        ),
        ("GET /account/photo-sync/messages?numofmessages=8&peekonly=true", "unknown"),
        ("GET /account/photo-sync?comp=metadata", "queue length"),
        ("GET /account/photo-sync?comp=acl", "unknown"),
        ("PUT /account/photo-sync", "unknown"),
        ("DELETE /account/photo-sync/messages", "unknown"),
        ("GET /account/elsewhere/messages?numofmessages=8&visibilitytimeout=600", "unknown"),
        (f"GET /account/elsewhere/users/{USER}.json", "unknown"),
        ("GET /account?comp=list", "unknown"),
        ("GET /account/?comp=list", "unknown"),
    ],
)
def test_kind_of_a_request_to_storage(request_line: str, kind: str):
    """The app, the host and its polls are recognised by their requests; others are unknown."""
    assert list(storage_calls([line(request_line)])) == [kind]


def test_subsets_of_messages():
    """A processed message about a user, and one that the app delayed, also count as such."""
    asked = ("DELETE /account/photo-sync/messages/1?popreceipt=x", _DELAYED)
    found = list(storage_calls(map(line, asked)))

    assert found == ["host", "processed", "queue", "queued with a delay"]


def test_interval_ends_with_a_line():
    """An incomplete line is left to the next interval; otherwise neither would count it."""
    first = line("GET /account/x?comp=metadata") + "\n"
    marker = line("GET /account/marker-1?comp=metadata") + "\n"
    log = f"{first}{marker}{first[:20]}".encode()

    assert end_of_line("marker-1", log) == len(first + marker)
    assert end_of_line("marker-1", log[: len(first + marker) - 1]) == 0
    assert end_of_line("marker", log) == 0


def test_lines_that_are_not_counted():
    """Azurite's other output, what a spectator marks, and with a user the requests about others."""
    asked = (
        "photo-sync?comp=metadata&spectator=1",
        f"{CONTAINER}/users/{USER}.json?spectator=1",
        f"{CONTAINER}/users/b.json",
    )
    other = "Azurite Queue service is starting at http://127.0.0.1:0"
    lines = [other, *(line(f"GET /account/{path}") for path in asked)]

    assert list(storage_calls(lines)) == ["blob"]
    assert list(storage_calls(lines, USER)) == []


def entry(service: str, path: str = "/", **fields: Any) -> dict[str, Any]:
    known = {"clientId": APP, "userId": USER, "batch": False}
    return {"service": service, "path": path, **known, **fields}


def test_kinds_of_microsoft_365():
    """Files, uploads, profiles and digests are SharePoint's."""
    entries = [
        entry("graph"),
        entry("login"),
        entry("sharepoint", "/_api/SP.UserProfiles.PeopleManager/SetSingleValueProfileProperty"),
        entry("sharepoint", "/_vti_bin/client.svc/ProcessQuery"),
        entry("sharepoint", "/_api/contextinfo"),
        entry("sharepoint", "/_api/web/GetFolderByServerRelativePath(x)/Files/AddUsingPath(y)"),
        entry("sharepoint", "/_api/web/GetFileByServerRelativePath(x)/recycle()"),
    ]
    kinds = {"Graph": 1, "login": 1, "profile": 2, "upload": 1, "other file": 1, "digest": 1}

    assert counted(entries, APP) == kinds


@pytest.mark.parametrize(
    ("asked", "calls"),
    [
        (entry("graph", clientId=None), {"unknown": 1}),
        (entry("sharepoint", "/_api/web", clientId=None), {"unknown": 1}),
        (entry("graph", clientId=OTHER), {"unknown": 1}),
        (entry("elsewhere"), {"unknown": 1}),
        (entry("login", clientId=None), {"login": 1}),
        (entry("graph", batch=True), {}),
        (entry("delivery"), {}),
        (entry("graph", userId="b"), {}),
    ],
    ids="no token|none for SharePoint|another app|a new service|where tokens are|"
    "inside a batch|delivery|another user".split("|"),
)
def test_every_call_has_a_kind(asked: dict[str, Any], calls: dict[str, int]):
    """
    A call that the app is not known for is unknown; a login needs no token. Parts of a batch and
    deliveries are not counted, and with a user the calls about others.
    """
    assert counted([asked], APP, USER) == calls
