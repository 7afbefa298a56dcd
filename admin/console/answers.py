"""Reads and validates the app's answers; turns every foreign error into a Problem."""

from __future__ import annotations

import json
import time
from typing import Any

import requests

from admin.console import challenge
from admin.terminal.fields import Fields
from admin.terminal.problems import Busy, NotFound, Problem, Unreachable, Unsound, Unusable
from admin.terminal.unanswered import too_slow, unanswered

# A page of users is a tenth of a megabyte. A wrong address may return anything.
_LARGEST_ANSWER = 16 * 1024 * 1024
LONGEST_SENTENCE = 500
_JPEG = b"\xff\xd8\xff"


def no_answer(error: requests.exceptions.RequestException, host: str) -> Problem:
    """The Problem for a request that got no answer."""
    if told := unanswered(error, host):
        return told
    match error:
        case requests.exceptions.SSLError():
            return Unreachable(f"{host} does not use HTTPS: check PHOTOSYNC_URL and its port.")
        case requests.exceptions.ConnectionError():
            return Unreachable(
                f"No connection to {host}: check PHOTOSYNC_URL and whether the app is running."
            )
        case requests.exceptions.InvalidURL() | requests.exceptions.InvalidSchema():
            return Unusable("PHOTOSYNC_URL is not a valid URL: check its spelling.")
        case _:
            return broken(host)


def broken(host: str) -> Problem:
    """The Problem for an incomplete answer."""
    return Unsound(f"The answer from {host} is incomplete or not valid HTTP: try again.")


def content_of(answer: requests.Response, host: str, *, seconds: float) -> bytes:
    """The body; raises Problem if it is too large or takes too long."""
    ends, content = time.monotonic() + seconds, bytearray()
    # read1 returns what has arrived; the session's timeout applies to each piece.
    while piece := answer.raw.read1(64 * 1024, decode_content=True):
        content += piece
        if len(content) > _LARGEST_ANSWER:
            raise Unsound(
                f"The answer from {host} is too large: check that PHOTOSYNC_URL is PhotoSync's."
            )
        if time.monotonic() > ends:
            raise too_slow(host)
    return bytes(content)


def fields(content: bytes, host: str, key: str) -> Fields:
    """The JSON object in the answer, which must have a field *key*. Raises Unsound."""
    found = document(content)
    if not isinstance(found, dict):
        raise Unsound(
            f"{host} did not answer in JSON: check that PHOTOSYNC_URL is PhotoSync's address."
        )
    if key not in found:
        raise Unsound(
            f"The answer from {host} is not one of PhotoSync's: check PHOTOSYNC_URL, and that "
            "manage.py is as new as the app."
        )
    return Fields(found)


def picture(content: bytes, host: str) -> bytes:
    """The JPEG in the answer. Raises Unsound."""
    if not content.startswith(_JPEG):
        raise Unsound(f"{host} did not send a JPEG: check that manage.py is as new as the app.")
    return content


def document(content: bytes) -> Any:
    """*content* read as JSON; None if it is not JSON."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def refusal(answer: requests.Response, error: Fields, host: str) -> Problem:
    """The Problem for an error status, with the app's own sentence if it sent one."""
    told = error.text("message")[:LONGEST_SENTENCE]
    match answer.status_code:
        case 401 | 403:
            return Unreachable(told or f"{host} denied access: check its access restrictions.")
        case 400:
            return Unusable(
                told
                or f"{host} does not understand this request: use the manage.py of its version."
            )
        case 404 if told:
            return NotFound(told, error.text("code"))
        case 404:
            return Unreachable(f"{host} has no PhotoSync console: check PHOTOSYNC_URL.")
        case 429 | 503:
            sentence = told or f"{host} is busy or starting: try again in a minute."
            return Busy(sentence, _seconds(answer.headers.get("Retry-After", "")))
        case status if 300 <= status < 400:
            elsewhere = challenge.host_of(answer.headers.get("Location", "")) or "elsewhere"
            return Unreachable(
                f"{host} redirects to {elsewhere}: check PHOTOSYNC_URL, and that no other sign-in "
                "page protects the app."
            )
        case status:
            return Unsound(
                told or f"{host} answered with an error ({status}): check the app's log."
            )


def _seconds(retry_after: str) -> float | None:
    """The seconds that Retry-After asks for; the app never sends the other form, a date."""
    is_number = retry_after.isascii() and retry_after.isdecimal() and len(retry_after) < 6
    return float(retry_after) if is_number else None
