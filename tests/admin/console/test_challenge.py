"""What is read from an answer that asks for a sign-in."""

from __future__ import annotations

import requests

from admin.console import challenge
from admin.console.challenge import Challenge

CLIENT = "0a1c9a3e-6f0e-4a60-9d51-1f5e0b3ad0ff"


def test_very_long_header():
    """A wrong address may send anything: of a header that is far too long only so much is read."""
    answer = requests.Response()
    answer.status_code = 401
    answer.headers["WWW-Authenticate"] = f'Bearer {"a" * 60_000} resource_id="{CLIENT}"'
    assert challenge.read(answer, "localhost", "") == Challenge()

    answer.headers["WWW-Authenticate"] = f'Bearer realm="x" resource_id="{CLIENT}"'
    assert challenge.read(answer, "localhost", "") == Challenge(client_id=CLIENT)
