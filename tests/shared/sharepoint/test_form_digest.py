"""The form digest: requested once, used while it is valid, and no longer."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from shared.errors import AccessDenied, Refused, ServiceDown
from shared.sharepoint.form_digest import FormDigest
from tests.doubles.web import Answer, Clock, answer, http, in_turn


class Host:
    """Returns 0x1, 0x2 and so on, each valid for the same number of seconds."""

    def __init__(self, seconds: Any = 1_800) -> None:
        self.clock = Clock()
        self.requests_made = 0
        self._seconds = seconds
        self.digest = FormDigest(http(self, clock=self.clock), self.clock.ticks)

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        assert (request.method, request.path_url) == ("POST", "/_api/contextinfo")
        self.requests_made += 1
        fields = {"FormDigestValue": f"0x{self.requests_made}"}
        if self._seconds is not None:
            fields["FormDigestTimeoutSeconds"] = self._seconds
        return answer(fields)

    def get_after(self, seconds: float) -> str:
        self.clock.sleep(seconds)
        return self.digest.get()


def test_many_requests():
    """It is requested again a minute before it expires: a request may be in flight that long."""
    host = Host()

    assert [host.get_after(seconds) for seconds in (0, 1_739, 1)] == ["0x1", "0x1", "0x2"]


@pytest.mark.parametrize(("lifetime", "kept"), [(600, 539), (86_400, 1_739), (10**400, 1_739)])
def test_lifetime(lifetime, kept):
    """The shorter of SharePoint's lifetime and half an hour counts."""
    host = Host(lifetime)
    host.digest.get()

    assert host.get_after(kept) == "0x1"
    assert host.get_after(1) == "0x2"


@pytest.mark.parametrize("lifetime", [None, 0, -1, True, "1800", 1e9, [], 60])
def test_invalid_lifetime(lifetime):
    """A digest with an invalid lifetime, or one of at most a minute, is used once."""
    host = Host(lifetime)

    assert [host.digest.get(), host.digest.get()] == ["0x1", "0x2"]


def test_refused_digest():
    """A digest that SharePoint refused is not used again; another thread's new one is."""
    host = Host()
    first = host.digest.get()

    assert host.digest.get(refused=first) == "0x2"
    assert host.digest.get(refused=first) == "0x2"


@pytest.mark.parametrize("value", [None, 7, "", "Ж", "a\nb", " a", "a" * 4_097])
def test_invalid_digest(value):
    """A digest that no header can contain is refused, and nothing is sent with it."""
    host = http(in_turn(answer({"FormDigestValue": value, "FormDigestTimeoutSeconds": 1_800})))

    with pytest.raises(Refused):
        FormDigest(host, Clock().ticks).get()


@pytest.mark.parametrize(
    ("response", "kind"),
    [(Answer(429), ServiceDown), (Answer(500), ServiceDown), (Answer(403), AccessDenied)],
)
def test_no_digest(response, kind):
    """Without one, no request is sent; a required wait is SharePoint's, not our own throttle's."""
    with pytest.raises(kind):
        FormDigest(http(in_turn(response)), Clock().ticks).get()
