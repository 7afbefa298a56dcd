"""The etags of many photos at once, as a sweep reads them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests

from shared.errors import AccessDenied, NoPhoto, Refused, ServiceDown, Throttled, Unanswered
from shared.graph.client import GraphClient
from tests.doubles.web import NOON, Answer, Clock, http
from tests.shared.graph.graph_answers import Batches, error_body, inner

Inner = Callable[[str, int], dict[str, Any]]


class Photos(Batches):
    """*inner* returns the answer about a user's photo at the nth request."""

    def __init__(self, inner: Inner) -> None:
        super().__init__(self._one)
        self.requested: Counter[str] = Counter()
        self._photo = inner

    def _one(self, each: dict[str, str]) -> dict[str, Any]:
        user = each["url"].removeprefix("/users/").removesuffix("/photo")
        self.requested[user] += 1
        return {"headers": {}, **self._photo(user, self.requested[user])}


def photo(user: str, _: int = 1) -> dict[str, Any]:
    return {"status": 200, "body": {"id": "48X48", "@odata.mediaEtag": f"etag of {user}"}}


def refused(status: int, code: str = "X", **headers: str) -> dict[str, Any]:
    return inner("", error_body(code), status, **headers)


def client(photos: Photos, clock: Clock | None = None) -> GraphClient:
    return GraphClient(http(photos, clock=clock))


@pytest.mark.parametrize("users", [0, 1, 20, 21, 99])
def test_batches(users):
    """Any number of users is read in batches of at most twenty, each user once."""
    photos = Photos(photo)
    names = [f"user-{number}" for number in range(users)]

    assert client(photos).photo_etags(names) == {name: f"etag of {name}" for name in names}
    assert set(photos.requested.values()) <= {1}
    assert sum(photos.sizes) == users
    assert len(photos.sizes) == -(-users // 20)


def test_four_batches_at_once():
    """As many batches are under way together as Graph takes photo requests, and no more."""
    meeting, under_way = threading.Barrier(4, timeout=60), threading.Semaphore(4)

    class Meeting(Photos):
        def __call__(self, request: requests.PreparedRequest) -> Answer:
            assert under_way.acquire(blocking=False)
            meeting.wait()
            try:
                return super().__call__(request)
            finally:
                under_way.release()

    names = [f"user-{number}" for number in range(8 * 20)]
    assert len(client(Meeting(photo)).photo_etags(names)) == len(names)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (refused(404, "ErrorEntityNotFound"), NoPhoto),
        ({"status": 200, "body": {"id": "1x1", "@odata.mediaEtag": ""}}, NoPhoto),
        ({"status": 200, "body": [1]}, Refused),
        (refused(403, "ErrorAccessDenied"), AccessDenied),
    ],
    ids=["404", "one pixel", "unknown shape", "403"],
)
def test_one_without_a_photo(response, kind):
    """An error of one user is returned for that user, and the others have their etags."""
    photos = Photos(lambda user, _: response if user == "b" else photo(user))

    found = client(photos).photo_etags(["a", "b", "c"])

    assert isinstance(found["b"], kind)
    assert (found["a"], found["c"]) == ("etag of a", "etag of c")


@pytest.mark.parametrize(
    ("response", "wait", "kind"),
    [
        (refused(429, Retry_After="3.5"), 3.5, Throttled),
        (refused(429), 1.0, Throttled),
        (refused(503, Retry_After="600"), 10.0, Throttled),
        (refused(500), 1.0, ServiceDown),
        (refused(504), 1.0, Unanswered),
        ({"status": 200, "body": None}, 1.0, ServiceDown),
    ],
    ids=["time named", "no time", "time too long", "broken", "gateway", "no body"],
)
@pytest.mark.parametrize("times", [1, 9], ids=["once", "always"])
def test_only_failures_are_repeated(response, wait, kind, times):
    """Only failed users are requested again, after short waits; an error is final after three."""
    clock = Clock()
    photos = Photos(lambda user, time: response if user == "b" and time <= times else photo(user))

    found = client(photos, clock).photo_etags(["a", "b"])

    assert found["a"] == "etag of a"
    assert found["b"] == "etag of b" if times == 1 else isinstance(found["b"], kind)
    # There is no wait after the last round.
    waits = min(times, 2)
    assert photos.requested == {"a": 1, "b": waits + 1}
    assert clock.now == NOON + timedelta(seconds=wait * waits)
