"""The digest: asked for once, kept as long as it is good, and no longer."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from shared.errors import AccessDenied, Refused, ServiceDown
from shared.sharepoint.form_digest import FormDigest
from tests.doubles.web import Answer, Clock, answer, http, in_turn


class Host:
    """Hands out 0x1, 0x2 and so on, each for so many seconds."""

    def __init__(self, seconds: Any = 1_800) -> None:
        self.clock = Clock()
        self.asked = 0
        self._seconds = seconds
        self.digest = FormDigest(http(self, clock=self.clock), self.clock.ticks)

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        assert (request.method, request.path_url) == ("POST", "/_api/contextinfo")
        self.asked += 1
        fields = {"FormDigestValue": f"0x{self.asked}"}
        if self._seconds is not None:
            fields["FormDigestTimeoutSeconds"] = self._seconds
        return answer(fields)

    def get_after(self, seconds: float) -> str:
        self.clock.sleep(seconds)
        return self.digest.get()


def test_one_is_good_for_many_requests():
    """It is asked for again only a minute before it ends: a request may be under way so long."""
    host = Host()

    assert [host.get_after(seconds) for seconds in (0, 1_739, 1)] == ["0x1", "0x1", "0x2"]


@pytest.mark.parametrize(("said", "kept"), [(600, 539), (86_400, 1_739), (10**400, 1_739)])
def test_length_of_its_life(said, kept):
    """The shorter of what SharePoint says and half an hour counts."""
    host = Host(said)
    host.digest.get()

    assert host.get_after(kept) == "0x1"
    assert host.get_after(1) == "0x2"


@pytest.mark.parametrize("said", [None, 0, -1, True, "1800", 1e9, [], 60])
def test_life_that_is_none(said):
    """One whose life is nonsense, or over in a minute, is good for this once."""
    host = Host(said)

    assert [host.digest.get(), host.digest.get()] == ["0x1", "0x2"]


def test_one_that_was_refused():
    """A digest that SharePoint refused is not used again; another thread's new one is."""
    host = Host()
    first = host.digest.get()

    assert host.digest.get(refused=first) == "0x2"
    assert host.digest.get(refused=first) == "0x2"


@pytest.mark.parametrize("value", [None, 7, "", "Ж", "a\nb", " a", "a" * 4_097])
def test_digest_that_no_header_can_hold(value):
    """It is refused, and nothing is sent with it."""
    host = http(in_turn(answer({"FormDigestValue": value, "FormDigestTimeoutSeconds": 1_800})))

    with pytest.raises(Refused):
        FormDigest(host, Clock().ticks).get()


@pytest.mark.parametrize(
    ("said", "kind"),
    [(Answer(429), ServiceDown), (Answer(500), ServiceDown), (Answer(403), AccessDenied)],
)
def test_no_digest(said, kind):
    """Nobody goes on without one; who has to wait is told so by SharePoint, not by our own gate."""
    with pytest.raises(kind):
        FormDigest(http(in_turn(said)), Clock().ticks).get()
