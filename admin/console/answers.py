"""What the app answers, read with suspicion; every foreign error becomes a Problem here."""

from __future__ import annotations

import json
import time
from typing import Any

import requests

from admin.console import challenge
from admin.terminal.fields import Fields
from admin.terminal.problems import Busy, NotThere, Problem, Unreachable, Unsound, Unusable
from admin.terminal.unanswered import too_slow, unanswered

# A page of users is a tenth of a megabyte. A wrong address may be that of anything.
_LARGEST_ANSWER = 16 * 1024 * 1024
LONGEST_SENTENCE = 500
_JPEG = b"\xff\xd8\xff"


def untold(error: requests.exceptions.RequestException, host: str) -> Problem:
    """What to tell of a request that got no answer."""
    if told := unanswered(error, host):
        return told
    match error:
        case requests.exceptions.SSLError():
            return Unreachable(f"{host} does not speak https: check PHOTOSYNC_URL and its port.")
        case requests.exceptions.ConnectionError():
            return Unreachable(
                f"No connection to {host}: check PHOTOSYNC_URL and whether the app runs."
            )
        case requests.exceptions.InvalidURL() | requests.exceptions.InvalidSchema():
            return Unusable("PHOTOSYNC_URL cannot be called: check how it is spelled.")
        case _:
            return broken(host)


def broken(host: str) -> Problem:
    """What to tell of an answer that is not whole."""
    return Unsound(f"The answer of {host} broke off or is none: try again.")


def content_of(answer: requests.Response, host: str, *, seconds: float) -> bytes:
    """The body, which may neither be endless nor come too slowly."""
    ends, content = time.monotonic() + seconds, bytearray()
    # read1 hands out what has come; the time-out of the session is for each piece of it.
    while piece := answer.raw.read1(64 * 1024, decode_content=True):
        content += piece
        if len(content) > _LARGEST_ANSWER:
            raise Unsound(f"{host} sends far too much: check that PHOTOSYNC_URL is PhotoSync's.")
        if time.monotonic() > ends:
            raise too_slow(host)
    return bytes(content)


def fields(content: bytes, host: str, told: str) -> Fields:
    """The object that the app answers with, which has a field *told*. Raises Unsound."""
    found = document(content)
    if not isinstance(found, dict):
        raise Unsound(
            f"{host} did not answer in JSON: check that PHOTOSYNC_URL is PhotoSync's address."
        )
    if told not in found:
        raise Unsound(
            f"{host} answered something else than PhotoSync does: check PHOTOSYNC_URL, and "
            "that manage.py is as new as the app."
        )
    return Fields(found)


def picture(content: bytes, host: str) -> bytes:
    """The JPEG that the app answers with. Raises Unsound."""
    if not content.startswith(_JPEG):
        raise Unsound(f"{host} sent something else than a picture: is manage.py as new as the app?")
    return content


def document(content: bytes) -> Any:
    """What *content* says in JSON; None where it is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def refusal(answer: requests.Response, error: Fields, host: str) -> Problem:
    """What to tell of an answer that is none, with the app's own sentence where it has one."""
    told = error.text("message")[:LONGEST_SENTENCE]
    match answer.status_code:
        case 401 | 403:
            return Unreachable(told or f"{host} refuses this: check its access restrictions.")
        case 400:
            return Unusable(told or f"{host} does not understand this request.")
        case 404 if told:
            return NotThere(told, error.text("code"))
        case 404:
            return Unreachable(f"{host} has no PhotoSync console: check PHOTOSYNC_URL.")
        case 429 | 503:
            sentence = told or f"{host} is busy or starting: try again in a minute."
            return Busy(sentence, _seconds(answer.headers.get("Retry-After", "")))
        case status if 300 <= status < 400:
            elsewhere = challenge.host_of(answer.headers.get("Location", "")) or "elsewhere"
            return Unreachable(
                f"{host} sends us to {elsewhere}: check PHOTOSYNC_URL, and that no sign-in page "
                "stands before the app."
            )
        case status:
            return Unsound(
                told or f"{host} answered with an error ({status}): look into the app's log."
            )


def _seconds(retry_after: str) -> float | None:
    """So many as the header asks for; the other form, a date, is none of the app's."""
    is_number = retry_after.isascii() and retry_after.isdecimal() and len(retry_after) < 6
    return float(retry_after) if is_number else None
