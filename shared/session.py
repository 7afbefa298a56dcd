"""The session of `requests` behind every call out, also those of the clients of others."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter


class OneHostSession(requests.Session):
    """
    Sends what it is given to the host it names, and to no other.

    It follows no redirect, so a token or an assertion goes no further; and it reads no .netrc,
    whose password would take the place of the token or key (requests, Authentication, documented).
    A proxy of the surroundings is used, but never for this machine, where it would find itself, nor
    for what has no address beyond it, such as where a managed identity gets its tokens (Azure
    Instance Metadata Service, Proxies, documented).
    """

    def __init__(self, *, connections: int = 10) -> None:
        """So many *connections* are kept open; whoever finds none free opens another."""
        super().__init__()
        for scheme in ("https://", "http://"):
            self.mount(scheme, HTTPAdapter(pool_maxsize=connections))
        # requests looks into .netrc only where nothing is to sign the request. Not trust_env: that
        # would shut out the proxy and the certificate authority of the surroundings as well.
        self.auth = _as_it_is

    # With allow_redirects=False requests would still read the whole body of a redirect, however
    # long, and fail with an error that is none of its own on an address it cannot parse.

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None

    def send(self, request: requests.PreparedRequest, **given: Any) -> requests.Response:
        host = urlsplit(request.url or "").hostname or ""
        if is_this_machine(host) or _is_next_to_it(host):
            given["proxies"] = {}
        try:
            return super().send(request, **given)
        except requests.RequestException:
            raise
        except OSError as error:
            # REQUESTS_CA_BUNDLE may name a file that is gone, for which requests has no error.
            raise requests.exceptions.SSLError(error, request=request) from error


def is_this_machine(host: str) -> bool:
    """Whether *host* leads to this machine without a network: localhost and its addresses."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_next_to_it(host: str) -> bool:
    try:
        return ip_address(host).is_link_local
    except ValueError:
        return False


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
