"""The deployed app's entry points: a chunked body to the webhook, sign-in, and open paths."""

from __future__ import annotations

from collections.abc import Iterator

import requests

from admin.acceptance.finding import NotRun, Seen
from admin.acceptance.scene import Scene
from admin.acceptance.step import Step
from admin.acceptance.wording import host_in

# Valid, but about nobody: it is accepted, and nothing is done.
_NOBODY = b'{"value": []}'
_TAKEN, _EMPTY = 202, 400
_CLOSED = {301, 302, 303, 307, 401, 403}
_CHALLENGE = ("authorization_uri", "resource_id", "client_id", "realm")


def _chunked(scene: Scene) -> Seen:
    if not scene.app.key:
        raise NotRun("it needs a function key: set PHOTOSYNC_KEY")
    headers = {"x-functions-key": scene.app.key, "Content-Type": "application/json"}
    whole, pieces = (
        scene.app.send("POST", "api/notifications", headers=headers, body=body).status_code
        for body in (_NOBODY, _pieces())
    )
    came = {_TAKEN: "the body arrived", _EMPTY: "the body was lost"}.get(pieces, "unexpected")
    told = f"with a length {whole}; in chunks {pieces}: {came}"
    return Seen(told, whole == _TAKEN and pieces in {_TAKEN, _EMPTY})


def _pieces() -> Iterator[bytes]:
    yield _NOBODY[:6]
    yield _NOBODY[6:]


def _without_a_key(scene: Scene) -> Seen:
    # Like a page whose session has expired.
    of_a_page = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Accept": "application/json"}
    program, page = (
        scene.app.send("GET", "api/console/overview", headers=headers)
        for headers in ({}, of_a_page)
    )
    told = f"to a program {_described(program)}; to a page's script {_described(page)}"
    return Seen(told, {program.status_code, page.status_code} <= _CLOSED)


def _described(answer: requests.Response) -> str:
    told = str(answer.status_code)
    if 300 <= answer.status_code < 400:
        where = answer.headers.get("Location", "")
        path = "/.auth/login" if where.startswith("/.auth/login") else "another address"
        told += " to a sign-in host" if host_in(where) else f" to {path}"
    if challenge := answer.headers.get("WWW-Authenticate", ""):
        named = ", ".join(name for name in _CHALLENGE if name in challenge)
        told += f", challenge with {named or 'no name'}"
    return told


def _signed_in(scene: Scene) -> Seen:
    if scene.app.key:
        raise NotRun("it needs a sign-in: leave PHOTOSYNC_KEY out, and set PHOTOSYNC_CLIENT_ID")
    me = scene.app.console.me()
    role = me.text("role")
    told = f"role {role if role.isalpha() else 'none'}, {'a' if me.text('name') else 'no'} name"
    return Seen(told, me.text("via") == "person" and bool(me.text("name")))


def _open_paths(scene: Scene) -> Seen:
    paths = ("api/health", "API/HEALTH", "api%2Fhealth", "api/health/")
    answers = {path: scene.app.send("GET", path).status_code for path in paths}
    told = ", ".join(f"{path}: {status}" for path, status in answers.items())
    return Seen(told, answers["api/health"] == 200)


STEPS = (
    Step(
        "webhook-chunked",
        "Does a notification with a chunked body reach the webhook?",
        "with a length always; in chunks it arrives whole, or is lost and refused as empty",
        _chunked,
    ),
    Step(
        "without-a-key",
        "What is the answer to a program, and to a page, without key or sign-in?",
        "401, 403 or a redirect to the sign-in, and nothing else",
        _without_a_key,
    ),
    Step(
        "signed-in",
        "Does the app recognise the user that App Service signed in?",
        "a person with a name, and the role from the token",
        _signed_in,
    ),
    Step(
        "open-paths",
        "Which spellings of a path that needs no sign-in are accepted?",
        "the one that infra names; no other is needed",
        _open_paths,
    ),
)
