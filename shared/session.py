"""The `requests` session for every outgoing call, including those of third-party clients."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter


class OneHostSession(requests.Session):
    """
    Sends each request only to the host that it names.

    It follows no redirects, so no token or assertion reaches another host. It ignores .netrc, whose
    password would replace the token or key (requests, Authentication, documented).
    It uses the proxy that the machine is set to, but never for this machine itself, where a proxy
    would find itself, nor for link-local addresses, such as the one that gives a managed identity
    its tokens (Azure Instance Metadata Service, Proxies, documented).
    """

    def __init__(self, *, connections: int = 10) -> None:
        """Keep up to *connections* open per host; a call that finds none free opens another."""
        super().__init__()
        for scheme in ("https://", "http://"):
            self.mount(scheme, HTTPAdapter(pool_maxsize=connections))
        # requests reads .netrc only if a request has no auth. Not trust_env=False: that would also
        # ignore the proxy and the certificate authority configured for the process.
        self.auth = _as_it_is

    # With allow_redirects=False, requests still reads the whole body of a redirect, however long.
    # If it cannot parse the target, it raises an error that is not a RequestException.

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
