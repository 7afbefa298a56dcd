"""Whether our clock agrees with Graph's, and how long the certificate is valid."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from shared.doctor.examination import Finding
from shared.errors import Refused
from shared.microsoft365.certificates import ends_at
from shared.microsoft365.http import Http

# Entra tolerates five minutes (assumed). Below this nothing can go wrong: only storage's clock
# judges claims, and it does not matter if second checks are this much closer together.
MOST_SKEW = timedelta(seconds=60)
RENEW_BEFORE = timedelta(days=14)


def probe(graph: Http, clock: Callable[[], datetime]) -> Finding:
    """Compare our time with the time at which *graph* says that it answered."""
    reply = graph.send("GET", "/v1.0/users?$top=1")
    try:
        theirs = parsedate_to_datetime(reply.headers["Date"])
    except (KeyError, ValueError) as error:
        sentence = "The response has no valid Date header, unlike those of Microsoft Graph."
        raise Refused(sentence) from error
    skew = clock() - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))
    seconds = round(skew.total_seconds())
    if abs(skew) <= MOST_SKEW:
        return Finding(f"The clock is within {MOST_SKEW.seconds} seconds of Graph's.")
    direction = "fast" if seconds > 0 else "slow"
    return Finding(
        f"The clock of this machine is {abs(seconds):,} seconds {direction}, compared with "
        "Graph's.",
        "Set the clock of this machine. In Azure, restart the app to move it to another one.",
    )


def certificate(pem: str, now: datetime) -> Finding:
    """How long the certificate *pem* is still valid."""
    end = ends_at(pem)
    day = f"{end:%Y-%m-%d}"
    if now < end - RENEW_BEFORE:
        return Finding(f"The certificate is valid until {day}.")
    return Finding(
        f"The certificate {'expired' if now >= end else 'expires'} on {day}.",
        "Create a new certificate, upload its public part to the app registration, and set "
        "CLIENT_CERTIFICATE to the certificate with its private key.",
    )
