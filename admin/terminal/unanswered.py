"""The sentence for a request that got no answer, from any service."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies

from requests import PreparedRequest
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
            return Unusable(
                "The file of --ca or REQUESTS_CA_BUNDLE holds no certificates: give a PEM file."
            )
        case SSLError() if "CA certificate bundle" in str(error):
            return Unusable(
                "REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names a file that is not there: correct it, "
                "or give --ca."
            )
        case SSLError() if "VERIFY_FAILED" in str(error):
            return Unreachable(
                f"The certificate of {host} is not trusted: if a private CA issued it, "
                "give that CA's PEM file with --ca or PHOTOSYNC_CA."
            )
        case ProxyError():
            return Unreachable(f"The proxy refused the connection to {host}: check HTTPS_PROXY.")
        # NO_PROXY alone, which is `no` here, is no proxy.
        case InvalidURL() | InvalidSchema() if getproxies().keys() - {"no"} and _is_sound(host):
            return Unusable(
                f"Cannot reach {host}: HTTPS_PROXY or ALL_PROXY must be the http://HOST:PORT of an "
                "HTTP proxy."
            )
        case ReadTimeout():
            return too_slow(host)
        case _:
            return None


def _is_sound(host: str) -> bool:
    """Whether *host* can stand in an address, so that what is wrong is the proxy's."""
    try:
        PreparedRequest().prepare_url(f"https://{host}/", None)
    except RequestException:
        return False
    return True


def no_connection(error: RequestException, url: str) -> Problem:
    """The Problem for a request to Entra or Graph at *url* that got no answer."""
    host = urlsplit(url).hostname or ""
    return unanswered(error, host) or Unreachable(
        f"No connection to {host}: check the network and M365_CLOUD."
    )


def too_slow(host: str) -> Problem:
    return Unreachable(f"{host} took too long to answer: try again in a minute.")
