"""The etags of many photos at once, as a sweep asks for them."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests

from shared.errors import (
    AccessDenied,
    Conflict,
    NoMailbox,
    NoPhoto,
    Refused,
    ServiceDown,
    Throttled,
    Unanswered,
)
from shared.graph.client import GraphClient
from tests.doubles.web import NOON, Answer, Clock, answer, http

Inner = Callable[[str, int], dict[str, Any]]


class Photos:
    """Answers batches; *inner* says what one user's photo is at its nth time."""

    def __init__(self, inner: Inner) -> None:
        self.asked: Counter[str] = Counter()
        self.sizes: list[int] = []
        self._inner = inner
        self._lock = threading.Lock()

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        asked = json.loads(request.body or b"")["requests"]
        with self._lock:
            self.sizes.append(len(asked))
            return answer({"responses": [self._one(each) for each in reversed(asked)]})

    def _one(self, each: dict[str, str]) -> dict[str, Any]:
        user = each["url"].removeprefix("/users/").removesuffix("/photo")
        self.asked[user] += 1
        return {"id": each["id"], "headers": {}, **self._inner(user, self.asked[user])}


def photo(user: str, _: int = 1) -> dict[str, Any]:
    return {"status": 200, "body": {"id": "48X48", "@odata.mediaEtag": f"etag of {user}"}}


def refused(status: int, code: str = "X", **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"status": status, "headers": named, "body": {"error": {"code": code}}}


def client(photos: Photos, clock: Clock | None = None) -> GraphClient:
    return GraphClient(http(photos, clock=clock))


@pytest.mark.parametrize("users", [0, 1, 20, 21, 99])
def test_everybody_is_asked_about_once(users):
    """Any number of users is asked about in batches of at most twenty, each user once."""
    photos = Photos(photo)
    names = [f"user-{number}" for number in range(users)]

    assert client(photos).photo_etags(names) == {name: f"etag of {name}" for name in names}
    assert set(photos.asked.values()) <= {1}
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
    ("said", "kind"),
    [
        (refused(404, "ErrorEntityNotFound"), NoPhoto),
        ({"status": 200, "body": {"id": "1x1", "@odata.mediaEtag": ""}}, NoPhoto),
        (refused(404, "ErrorNonExistentMailbox"), NoMailbox),
        (refused(400, "BadRequest"), Refused),
        ({"status": 200, "body": [1]}, Refused),
    ],
    ids=["404", "one pixel", "no mailbox", "refused", "unknown shape"],
)
def test_one_without_a_photo(said, kind):
    """What befell one user is said of that user, and the others have their etags."""
    photos = Photos(lambda user, _: said if user == "b" else photo(user))

    found = client(photos).photo_etags(["a", "b", "c"])

    assert isinstance(found["b"], kind)
    assert (found["a"], found["c"]) == ("etag of a", "etag of c")


def test_photo_without_etag():
    """A photo whose etag is not told has an empty one."""
    photos = Photos(lambda *_: {"status": 200, "body": {"id": "48X48"}})

    assert client(photos).photo_etags(["a"]) == {"a": ""}


@pytest.mark.parametrize(
    ("said", "waited"),
    [
        (refused(429, Retry_After="3.5"), 3.5),
        (refused(429), 1.0),
        (refused(503, Retry_After="600"), 10.0),
        (refused(500), 1.0),
        ({"status": 200, "body": None}, 1.0),
    ],
    ids=["asked", "not asked", "asked too much", "broken", "no body"],
)
def test_only_those_who_failed_are_asked_about_again(said, waited):
    """After a short wait those whose answers failed are asked about again, and nobody else."""
    clock = Clock()
    photos = Photos(lambda user, time: said if (user, time) == ("b", 1) else photo(user))

    found = client(photos, clock).photo_etags(["a", "b"])

    assert found == {"a": "etag of a", "b": "etag of b"}
    assert photos.asked == {"a": 1, "b": 2}
    assert clock.now == NOON + timedelta(seconds=waited)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (refused(429, Retry_After="1"), Throttled),
        (refused(500), ServiceDown),
        (refused(504), Unanswered),
        (refused(409), Conflict),
        ({"status": 200, "body": None}, ServiceDown),
    ],
    ids=["throttled", "down", "gateway", "conflict", "no body"],
)
def test_what_does_not_pass_is_told_of_that_user(said, kind):
    """After three rounds the error stands in the place of the etag, and others have theirs."""
    clock = Clock()
    photos = Photos(lambda user, _: said if user == "b" else photo(user))

    found = client(photos, clock).photo_etags(["a", "b"])

    assert found["a"] == "etag of a"
    assert isinstance(found["b"], kind)
    assert photos.asked == {"a": 1, "b": 3}
    # Nobody waits after the last round.
    assert clock.now == NOON + timedelta(seconds=2)


@pytest.mark.parametrize("status", [401, 403])
def test_refusal_of_one_user(status: int):
    """A 403 about one mailbox says nothing about the others: whose it is, the caller judges."""
    photos = Photos(
        lambda user, _: refused(status, "ErrorAccessDenied") if user == "b" else photo(user)
    )

    found = client(photos).photo_etags(["a", "b"])

    assert found["a"] == "etag of a"
    assert isinstance(found["b"], AccessDenied)
