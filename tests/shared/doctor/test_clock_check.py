"""Our clock compared with Graph's, and the certificate's end."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest

from shared.doctor import clock_check
from shared.errors import Refused
from shared.microsoft365.http import Http
from shared.microsoft365.tokens import PlaceholderTokens
from tests.doubles.web import NOON, Answer, http
from tests.shared.microsoft365.test_certificates import OURS

DATE = format_datetime(NOON, usegmt=True)


def graph(**headers: str) -> Http:
    return http(lambda request: Answer(401, headers=headers))


@pytest.mark.parametrize(
    ("seconds", "detail", "action"),
    [
        *((seconds, "within 60 seconds", "") for seconds in (-60, 0, 60)),
        (-61, "61 seconds slow", "Set the clock"),
        (7200, "7,200 seconds fast", "Set the clock"),
    ],
)
def test_clock(seconds: int, detail: str, action: str):
    """More than a minute is reported with its direction; even a refusal carries the time."""
    found = clock_check.probe(graph(Date=DATE), lambda: NOON + timedelta(seconds=seconds))

    assert detail in found.detail
    assert found.action[: len("Set the clock")] == action


def test_date_without_zone():
    """A time without a zone is UTC."""
    date = format_datetime(NOON.replace(tzinfo=None))

    assert clock_check.probe(graph(Date=date), lambda: NOON).action == ""


@pytest.mark.parametrize("headers", [{}, {"Date": "yesterday"}])
def test_no_date(headers: dict[str, str]):
    """A response without a valid Date is not from Graph."""
    with pytest.raises(Refused, match="has no valid Date header"):
        clock_check.probe(graph(**headers), lambda: NOON)


def test_anybody_has_no_token():
    """The clock is checked without a token, so that a token problem cannot hide it."""
    assert PlaceholderTokens().bearer("https://graph.contoso.com", refused="none") == "none"


@pytest.mark.parametrize(
    ("left", "detail", "well"),
    [
        (timedelta(days=15), "is valid until", True),
        (timedelta(days=14), "expires on", False),
        (timedelta(), "expired on", False),
    ],
)
def test_certificate(left: timedelta, detail: str, well: bool):
    """A certificate must be renewed two weeks before it expires."""
    end = OURS.certificate.not_valid_after_utc
    found = clock_check.certificate(OURS.pem, end - left)

    assert detail in found.detail
    assert (found.action == "") is well
