"""Whose call it was: read off the simulator's journal and off the log of storage."""

from __future__ import annotations

from typing import Any

import pytest

from local.bench.measuring.ledger import counted, storage_calls, told_of
from shared.storage.azure import CONTAINER

APP, OTHER, USER = "app", "another app", "6ea91a8d-0000-4000-8000-000000000001"


def line(request: str) -> str:
    return f'127.0.0.1 - - [21/Nov/2026:03:34:58 +0000] "{request} HTTP/1.1" 200 -'


@pytest.mark.parametrize(
    ("request_line", "kind"),
    [
        (f"GET /account/photo-sync-state/users/{USER}.json", "blob"),
        ("PUT /account/photo-sync-state?restype=container", "blob"),
        ("GET /account/photo-sync-state/uninstall.json", "halt"),
        ("PUT /account/photo-sync-state/uninstall.json", "blob"),
        ("POST /account/photo-sync/messages?visibilitytimeout=60", "queue"),
        ("POST /account/photo-sync/messages", "host"),
        ("PUT /account/photo-sync/messages/1?popreceipt=x&visibilitytimeout=600", "host"),
        ("DELETE /account/photo-sync/messages/1?popreceipt=x", "host"),
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
def test_who_asked_storage(request_line: str, kind: str):
    """App, host and the host's polls are told by what they ask; nothing else passes for them."""
    assert list(storage_calls([line(request_line)])) == [kind]


def test_what_becomes_of_a_bundle():
    """What the host sends to upkeep, and the app to be seen at once, is counted twice."""
    asked = ("photo-upkeep/messages", "photo-sync/messages?visibilitytimeout=0")
    lines = [line(f"POST /account/{path}") for path in asked]

    assert list(storage_calls(lines)) == ["host", "sent to upkeep", "queue", "queued at once"]


def test_spectators_are_not_counted():
    """Whoever only looks on says so, and may look at anything."""
    asked = ("photo-sync?comp=metadata&spectator=1", f"{CONTAINER}/users/a.json?spectator=1")
    lines = [line(f"GET /account/{path}") for path in asked]

    assert list(storage_calls(lines)) == []


def test_an_interval_ends_with_a_line():
    """Half a line is left to the next interval: cut in two, it would be counted in neither."""
    first = line("GET /account/x?comp=metadata") + "\n"
    marker = line("GET /account/marker-1?comp=metadata") + "\n"
    log = f"{first}{marker}{first[:20]}".encode()

    assert told_of("marker-1", log) == len(first + marker)
    assert told_of("marker-1", log[: len(first + marker) - 1]) == 0
    assert told_of("marker", log) == 0


def test_other_lines_are_no_requests():
    """What else Azurite says is not counted."""
    assert list(storage_calls(["Azurite Queue service is starting at http://127.0.0.1:0"])) == []


def test_storage_calls_of_one_user():
    """Only what names the user is counted for a user."""
    lines = [line(f"GET /account/photo-sync-state/users/{name}.json") for name in (USER, "b")]

    assert list(storage_calls(lines, USER)) == ["blob"]


def entry(service: str, path: str = "/", **fields: Any) -> dict[str, Any]:
    known = {"clientId": APP, "userId": USER, "batch": False, "received": 1, "sent": 10}
    return {"service": service, "path": path, **known, **fields}


def test_kinds_of_microsoft_365():
    """Files, uploads and profiles are SharePoint's; bytes are those of both bodies."""
    entries = [
        entry("graph"),
        entry("login"),
        entry("sharepoint", "/_api/SP.UserProfiles.PeopleManager/SetSingleValueProfileProperty"),
        entry("sharepoint", "/_api/web/GetFolderByServerRelativePath(x)/Files/AddUsingPath(y)"),
        entry("sharepoint", "/_api/web/GetFileByServerRelativePath(x)/recycle()"),
    ]
    kinds = {"Graph": 1, "login": 1, "profile": 1, "upload": 1, "other file": 1}

    assert counted(entries, APP) == {**kinds, "bytes": 55}


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        (entry("graph", clientId=None), "unknown"),
        (entry("sharepoint", "/_api/web", clientId=None), "unknown"),
        (entry("graph", clientId=OTHER), "unknown"),
        (entry("elsewhere"), "unknown"),
        (entry("login", clientId=None), "login"),
    ],
    ids=["no token", "none for SharePoint", "another app", "a new service", "where tokens are"],
)
def test_every_call_has_a_kind(asked: dict[str, Any], kind: str):
    """A call that the app is not known for shows; before a login nobody has a token."""
    assert counted([asked], APP) == {kind: 1, "bytes": 11}


@pytest.mark.parametrize(
    "fields",
    [{"batch": True}, {"service": "delivery"}, {"userId": "b"}],
    ids=["inside a batch", "delivery", "another user"],
)
def test_what_is_not_counted(fields: dict[str, Any]):
    """Parts of a batch, deliveries, and other users where one is meant."""
    assert counted([{**entry("graph"), **fields}], APP, USER) == {}
