"""What the console returns: JSON, pictures, and each error as one sentence with its status."""

from __future__ import annotations

import json

import pytest

from shared.console import answers, dismissals
from shared.errors import (
    AccessDenied,
    BadRequest,
    Conflict,
    GiveUp,
    KeyInAddress,
    NoPhoto,
    PhotoSyncError,
    Refused,
    ServiceDown,
    SettingsError,
    Throttled,
    UnknownUser,
)
from tests.doubles.office import failing


def test_answer():
    """The result is JSON, with status 200 or the given one; so is a refusal."""
    answer = answers.as_json(lambda: {"name": "Zoë"}, status=202)

    assert (answer.status, answer.media_type) == (202, "application/json")
    assert json.loads(answer.body) == {"name": "Zoë"}
    assert answers.as_json(dict).status == 200
    assert answers.refuse(BadRequest("No."), 405).status == 405


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (KeyInAddress, 403),
        (BadRequest, 400),
        (UnknownUser, 404),
        (NoPhoto, 404),
        (ServiceDown, 503),
        (Conflict, 503),
        (AccessDenied, 502),
        (Refused, 502),
        (SettingsError, 500),
        (GiveUp, 500),
    ],
)
def test_errors(kind: type[PhotoSyncError], status: int):
    """An error is JSON with its code and sentence, for a query and for a picture."""
    error = kind("Do this.")
    expected = {"error": {"code": error.code, "message": "Do this."}}

    for answer in (answers.as_json(failing(error)), answers.as_picture(failing(error))):
        assert (answer.status, answer.media_type) == (status, "application/json")
        assert json.loads(answer.body) == expected


def test_bug_is_not_hidden():
    """Any other exception is raised: the host logs it and answers 500."""
    with pytest.raises(KeyError):
        answers.as_json(failing(KeyError("a bug")))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n", "image/png"),
        (b"GIF89a", "image/gif"),
        (b"<script>", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_picture(content: bytes, kind: str):
    """A picture's type is that of its bytes; browsers must not run anything else."""
    assert answers.as_picture(lambda: content) == (200, content, kind, None)


def test_headers():
    """An answer may not be cached, sniffed or run."""
    assert answers.HEADERS["Cache-Control"] == "no-store"
    assert answers.HEADERS["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answers.HEADERS["Content-Security-Policy"]


def test_retry_after():
    """The wait that a service asked for is in whole seconds, rounded up; other errors name none."""
    throttled = answers.refuse(Throttled("Later.", retry_after=2.128, service="graph"))

    assert (throttled.status, throttled.headers["Retry-After"]) == (503, "3")
    assert "Retry-After" not in answers.refuse(BadRequest("No.")).headers
    assert answers.HEADERS.items() <= throttled.headers.items()


@pytest.mark.parametrize("body", [b"", b"{}", b' {"force": true}'])
def test_order(body: bytes):
    """An order is a JSON object; an empty body is an empty one."""
    assert answers.order({}, body) == json.loads(body or b"{}")


@pytest.mark.parametrize("body", [b"{", b"[]", b"1", b"null", b"\xff", b"[" * 100_000])
def test_bad_order(body: bytes):
    """Anything else is refused in one sentence."""
    with pytest.raises(BadRequest, match="must be a JSON object"):
        answers.order({}, body)


def test_longest_order():
    """A body is limited to the longest order: the most users, each with Entra's longest name."""
    users = [f"{n:02}{'x' * 111}" for n in range(dismissals.MOST_AT_ONCE)]
    until = "2026-01-31T12:00:00+00:00"
    order = {"users": users, "unreadableTo": until}

    assert answers.order({}, json.dumps(order).encode()) == order
    with pytest.raises(BadRequest, match="at most"):
        answers.order({}, b'{"force": true, "padding": "' + b"x" * 10_000 + b'"}')


@pytest.mark.parametrize("name", ["code", "CODE"])
def test_key_in_the_address(name: str):
    """A link has its key in the address, and must not give an order."""
    with pytest.raises(KeyInAddress, match="x-functions-key"):
        answers.order({name: "a-key"}, b"{}")
