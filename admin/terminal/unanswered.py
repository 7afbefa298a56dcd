"""The sentence for a request that got no answer, from any service."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies

from requests.exceptions import (
    InvalidSchema,
    InvalidURL,
    ProxyError,
    ReadTimeout,
    RequestException,
    SSLError,
)

from admin.terminal.problems import Problem, Unreachable, Unusable


def unanswered(error: RequestException, host: str) -> Problem | None:
    """The Problem for a request to *host*; None if the advice depends on the service."""
    match error:
        case SSLError() if "X509" in str(error):
            return Unusable("The --ca file contains no certificates: give a PEM file.")
        case SSLError() if "VERIFY_FAILED" in str(error):
            return Unreachable(
                f"The certificate of {host} is not trusted: if a private CA issued it, "
                "give that CA's PEM file with --ca or PHOTOSYNC_CA."
            )
        case ProxyError():
            return Unreachable(f"The proxy refused the connection to {host}: check HTTPS_PROXY.")
        # With a proxy, its URL is the invalid one. NO_PROXY alone, which is `no` here, is none.
        case InvalidURL() | InvalidSchema() if getproxies().keys() - {"no"}:
            return Unusable(
                f"Cannot reach {host}: HTTPS_PROXY or ALL_PROXY must be the http://HOST:PORT of an "
                "HTTP proxy."
            )
        case ReadTimeout():
            return too_slow(host)
        case _:
            return None


def no_connection(error: RequestException, url: str) -> Problem:
    """The Problem for a request to Entra or Graph at *url* that got no answer."""
    host = urlsplit(url).hostname or ""
    return unanswered(error, host) or Unreachable(
        f"No connection to {host}: check the network and M365_CLOUD."
    )


def too_slow(host: str) -> Problem:
    return Unreachable(f"{host} took too long to answer: try again in a minute.")
