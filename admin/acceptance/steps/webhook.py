"""The deployed app's doors: the webhook with a body in chunks, and the console without a key."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from admin.acceptance.scene import Scene
from admin.acceptance.step import NotAsked, Seen, Step

# Genuine in its form, and about nobody: it is taken and nothing is done.
_NOBODY = b'{"value": []}'
_TAKEN, _EMPTY = 202, 400


def _chunked(scene: Scene) -> Seen:
    if not scene.app.key:
        raise NotAsked("it takes a function key: set PHOTOSYNC_KEY")
    headers = {"x-functions-key": scene.app.key, "Content-Type": "application/json"}
    whole, pieces = (
        scene.app.send("POST", "api/notifications", headers=headers, body=body).status_code
        for body in (_NOBODY, _pieces())
    )
    came = {_TAKEN: "the body came", _EMPTY: "the body was lost"}.get(pieces, "neither")
    told = f"with a length {whole}; in chunks {pieces}: {came}"
    return Seen(told, whole == _TAKEN and pieces in {_TAKEN, _EMPTY})


def _pieces() -> Iterator[bytes]:
    yield _NOBODY[:6]
    yield _NOBODY[6:]


def _without_a_key(scene: Scene) -> Seen:
    answer = scene.app.send("GET", "api/console/overview")
    told = str(answer.status_code)
    if 300 <= answer.status_code < 400:
        where = urlsplit(answer.headers.get("Location", ""))
        path = "/.auth/login" if where.path.startswith("/.auth/login") else "another address"
        told += f" to {path}" if not where.hostname else " to a sign-in host"
    if challenge := answer.headers.get("WWW-Authenticate", ""):
        names = ("authorization_uri", "resource_id", "client_id", "realm")
        told += f", challenge with {', '.join(n for n in names if n in challenge) or 'no name'}"
    return Seen(told, answer.status_code in {301, 302, 303, 307, 401, 403})


STEPS = (
    Step(
        "webhook-chunked",
        "Does the body of a notification reach the webhook that comes in chunks?",
        "with a length always; in chunks it comes whole, or is lost and refused as empty",
        _chunked,
    ),
    Step(
        "without-a-key",
        "What is answered to a program that brings neither key nor sign-in?",
        "401, 403 or a redirect to the sign-in, and nothing else",
        _without_a_key,
    ),
)
