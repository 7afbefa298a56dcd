"""Whose call it was: read off the simulator's journal and off the log of storage."""

from __future__ import annotations

from typing import Any

import pytest

from local.bench.ledger import counted, storage_calls

APP, OTHER, USER = "app", "another app", "6ea91a8d-0000-4000-8000-000000000001"


def line(request: str) -> str:
    return f'127.0.0.1 - - [21/Nov/2026:03:34:58 +0000] "{request} HTTP/1.1" 200 -'


@pytest.mark.parametrize(
    ("request_line", "kind"),
    [
        (f"GET /account/photo-sync-state/users/{USER}.json", "blob"),
        ("PUT /account/photo-sync-state?restype=container", "blob"),
        ("POST /account/photo-sync/messages?visibilitytimeout=0", "queue"),
        ("POST /account/photo-sync/messages", "host"),
        ("PUT /account/photo-sync/messages/1?popreceipt=x&visibilitytimeout=600", "host"),
        ("DELETE /account/photo-sync/messages/1?popreceipt=x", "host"),
        ("GET /account/photo-sync/messages?numofmessages=8&visibilitytimeout=600", "polls"),
        ("GET /account/photo-sync?comp=metadata", ""),
        ("GET /account/marker-1?comp=metadata", ""),
    ],
)
def test_who_asked_storage(request_line: str, kind: str):
    """The app, the host, the host's polling and a spectator are told apart by what they ask."""
    assert list(storage_calls([line(request_line)])) == [kind]


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
    "fields",
    [{"clientId": OTHER}, {"batch": True}, {"service": "delivery"}, {"userId": "b"}],
    ids=["another app", "inside a batch", "delivery", "another user"],
)
def test_what_is_not_counted(fields: dict[str, Any]):
    """What others asked, parts of a batch, deliveries, and other users where one is meant."""
    assert counted([{**entry("graph"), **fields}], APP, USER) == {}
