"""The `requests` session for every outgoing call, including those of third-party clients."""

from __future__ import annotations

import requests
from requests.adapters import HTTPAdapter


class OneHostSession(requests.Session):
    """
    Sends each request only to the host that it names.

    It follows no redirects, so no token or assertion reaches another host. It ignores .netrc, whose
    password would replace the token or key (requests, Authentication, documented).
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


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
