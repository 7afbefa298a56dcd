"""How a response that the caller cannot use becomes an error."""

from __future__ import annotations

import pytest

from shared.errors import AccessDenied, Conflict, Refused, ServiceDown, Throttled, Unanswered
from shared.microsoft365.reply import Reply, fault


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"cut": ', b"\xff", b"[" * 200_000])
def test_broken_body(body):
    """Invalid JSON where JSON is expected is a temporary fault."""
    with pytest.raises(ServiceDown, match="graph answered 200 with invalid JSON"):
        Reply("graph", 200, {}, body).json()


FAULTS = {
    400: Refused,
    401: AccessDenied,
    403: AccessDenied,
    404: Refused,
    408: ServiceDown,
    409: Conflict,
    412: Conflict,
    423: Conflict,
    429: Throttled,
    302: Refused,
    500: ServiceDown,
    502: Unanswered,
    503: Throttled,
    504: Unanswered,
}


@pytest.mark.parametrize(("status", "kind"), FAULTS.items(), ids=map(str, FAULTS))
def test_fault_of_a_status(status, kind):
    """Each unusable status becomes the error that decides what happens to the message."""
    error = fault(Reply("graph", status, {}, b"", retry_after=7.0))

    assert type(error) is kind
    assert str(error) == f"graph answered {status}."
    assert getattr(error, "retry_after", 7.0) == (None if kind is Conflict else 7.0)


def test_fault_says_what_the_service_said():
    """The sentence quotes the service on one line, shortened."""
    reply = Reply("graph", 403, {}, b"")

    assert str(fault(reply, "Denied", "No\n consent.")) == "graph answered 403: Denied No consent."
    assert len(str(fault(reply, "x" * 1000))) < 350
