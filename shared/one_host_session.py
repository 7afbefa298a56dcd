"""A session of `requests` that a bearer token can be given to."""

from __future__ import annotations

import requests


class OneHostSession(requests.Session):
    """Follows no redirect: a token goes to the host it was made for and no further."""

    # With allow_redirects=False requests would still read the whole body of a redirect, however
    # long, and fail with an error that is none of its own on an address it cannot parse.

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None
