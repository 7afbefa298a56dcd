"""
Graph and storage for a sweep, in process.

They are functions of a user's number, so that the tenant itself takes no memory and any growth is
the product's.
"""

from __future__ import annotations

import io
import json
import re
import threading
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from urllib3 import HTTPResponse

from local.bench.measuring.conditions import PICTURE_SIZES
from shared.errors import Conflict
from shared.storage import cover, roster_entry
from shared.storage.documents import Document
from shared.storage.roster_entry import Entry, Leaf
from shared.storage.user_state import SYNCED, Stored, UserState

GRAPH = "https://graph.example"
# One user in ONE_CHANGED_IN has another photo than our state says.
ONE_CHANGED_IN = 100
SIZES, RECIPE = ",".join(map(str, PICTURE_SIZES)), 1
# Graph's own limits (graph.md section 5, documented), so that the product cannot change the goals.
USERS_A_PAGE, USERS_A_BATCH = 999, 20
_NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)

_PHOTO = re.compile(r"/users/([0-9a-f-]{36})/photo")
_USER = re.compile(r"/users/([0-9a-f-]{36})\?.*")


def user_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def has_changed(user_id: str) -> bool:
    """Whether Graph has another photo of this user than our state says."""
    return int(user_id[-12:], 16) % ONE_CHANGED_IN == 0


class Answers(requests.Session):
    """Graph, for a tenant of *users* users: pages of users, and batches of photo metadata."""

    def __init__(self, users: int) -> None:
        super().__init__()
        self.users = users
        self.calls = 0
        self._lock = threading.Lock()

    def request(self, method: object, url: object, *_: Any, **more: Any) -> requests.Response:
        with self._lock:
            self.calls += 1
        body = _batch(more["data"]) if str(url).endswith("$batch") else self._page(str(url))
        response = requests.Response()
        response.status_code = 200
        content = io.BytesIO(json.dumps(body).encode())
        response.raw = HTTPResponse(content, status=200, preload_content=False)
        return response

    def _page(self, url: str) -> dict[str, Any]:
        query = dict(parse_qsl(urlsplit(url).query))
        size = min(int(query["$top"]), USERS_A_PAGE)
        start = int(query.get("$skiptoken", 0))
        end = min(start + size, self.users)
        value = [_user(user_id(number)) for number in range(start, end)]
        if end == self.users:
            return {"value": value}
        return {
            "value": value,
            "@odata.nextLink": f"{GRAPH}/v1.0/users?$top={size}&$skiptoken={end}",
        }


def _user(user_id: str) -> dict[str, Any]:
    number = int(user_id[-12:], 16)
    return {
        "id": user_id,
        "userPrincipalName": f"user{number:06}@contoso.com",
        "displayName": f"User {number}",
        "accountEnabled": True,
        "userType": "Member",
    }


def _batch(data: bytes) -> dict[str, Any]:
    requests = json.loads(data)["requests"]
    assert len(requests) <= USERS_A_BATCH
    return {"responses": [_metadata(item) for item in requests]}


def _metadata(item: dict[str, Any]) -> dict[str, Any]:
    asked = _USER.fullmatch(item["url"])
    if asked:
        return {"id": item["id"], "status": 200, "headers": {}, "body": _user(asked[1])}
    found = _PHOTO.fullmatch(item["url"])
    assert found, item
    body = {
        "id": "648X648",
        "height": 648,
        "width": 648,
        "@odata.mediaContentType": "image/jpeg",
        "@odata.mediaEtag": f'W/"{found[1]}"',
    }
    return {"id": item["id"], "status": 200, "headers": {}, "body": body}


class States:
    """States of *users* users, all synced, some of an older photo; reads and listings count."""

    def __init__(self, users: int = 0) -> None:
        self._users = users
        self._lock = threading.Lock()
        self.calls = 0

    def leaf(self, token: str, size: int) -> Leaf:
        """Storage's listing of the states, in order of their names."""
        self.calls += 1
        start = int(token or 0)
        end = min(start + size, self._users)
        found = [_entry(user_id(number)) for number in range(start, end)]
        return Leaf(found, str(end) if end < self._users else "")

    def replace(self, state: UserState, *, version: str) -> str:
        raise NotImplementedError("Every blob here has its state in its metadata.")

    def read(self, user_id: str) -> Stored | None:
        with self._lock:
            self.calls += 1
        state = UserState(
            user_id,
            status=SYNCED,
            sha256="0" * 64,
            source_etag=_etag_in_state(user_id),
            picture_url=f"https://contoso-my.sharepoint.com/{user_id}_MThumb.jpg",
            sizes=SIZES,
            recipe=RECIPE,
            synced_at=_NOW,
        )
        return Stored(state, "1")


def _etag_in_state(user_id: str) -> str:
    return 'W/"older"' if has_changed(user_id) else f'W/"{user_id}"'


def _entry(user_id: str) -> Entry:
    # As `cover.describe` and `roster_entry.describe` write it, without the content of each blob.
    metadata = {
        "upn": f"user{user_id[-6:]}@contoso.com",
        "name": f"User {user_id[-6:]}",
        "status": SYNCED,
        "checked": _NOW.isoformat(),
        "synced": _NOW.isoformat(),
        "content": "0" * 32,
        "made": f"{SIZES}/{RECIPE}",
        "etag": cover.mark(_etag_in_state(user_id)),
        "picture": "1",
    }
    return roster_entry.entry(user_id, metadata, "0" * 32)


class MemoryDocuments:
    """
    Conditionally written documents, as text, and parts; each call counts.

    Parts are stored in *folder*: the content of storage must not count as our memory.
    """

    def __init__(self, folder: Path) -> None:
        self._kept: dict[str, tuple[str, int]] = {}
        self._parts: dict[str, Path] = {}
        self._folder = folder
        self.calls = 0

    def put_part(self, name: str, content: bytes) -> None:
        self.calls += 1
        self._parts[name] = self._folder / name.rpartition("/")[2]
        self._parts[name].write_bytes(content)

    def part(self, name: str) -> bytes | None:
        self.calls += 1
        return self._parts[name].read_bytes()

    def drop_part(self, name: str) -> None:
        self.calls += 1
        self._parts.pop(name).unlink()

    def read(self, name: str) -> Document | None:
        self.calls += 1
        if name not in self._kept:
            return None
        text, version = self._kept[name]
        return Document(json.loads(text), str(version))

    def write(self, name: str, fields: Mapping[str, Any], *, after: Document | None) -> Document:
        self.calls += 1
        version = self._kept.get(name, ("", 0))[1]
        if str(version) != (after.version if after else "0"):
            raise Conflict("Another run wrote this document first.")
        self._kept[name] = (json.dumps(fields), version + 1)
        return Document(dict(fields), str(version + 1))

    def delete(self, name: str, *, after: Document) -> None:
        raise NotImplementedError("A sweep deletes no document.")


class Pages(deque[str]):
    """Queue `photo-upkeep`: the sweep's messages, one at a time, and their number."""

    sent = 0

    def send(self, text: str, *, delay_seconds: float) -> None:
        self.sent += 1
        self.append(text)


class Counted:
    """Queue `photo-sync`: the number of sent messages, and which of the changed users they name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed: set[str] = set()
        self.messages = 0

    def send(self, text: str, *, delay_seconds: float) -> None:
        user = json.loads(text)["userId"]
        with self._lock:
            self.messages += 1
            if has_changed(user):
                self._changed.add(user)

    def wrongly(self, expected: int) -> int:
        """The number of extra messages, plus the number of *expected* users that are missing."""
        right = len(self._changed)
        return self.messages - right + expected - right


class NoTokens:
    """For services that need no login."""

    def bearer(self, audience: str, *, refused: str = "") -> str:
        return "token"
