"""Access to the simulated picture library."""

from __future__ import annotations

import pytest
import requests

from tests.local.m365.picture_library import NO_FOLDER, PICTURES, WEB
from tests.local.m365.simulator import TIMEOUT, Cloud, HostSession, refusal


def test_library_is_on_the_my_host_only(office: Cloud):
    """The root site has no User Photos."""
    with office.session(office.tenant.urls.root) as session:
        assert refusal(session.get(PICTURES)) == (404, NO_FOLDER)


@pytest.mark.parametrize("other", ["admin", "root", "graph"])
def test_token_of_another_host_is_refused(office: Cloud, other: str):
    """Each host accepts only its own audience."""
    token = office.token(getattr(office.tenant.urls, other))
    with HostSession(office.tenant.urls.my, token) as session:
        answer = session.get(WEB)

    assert answer.status_code == 401
    assert "AudienceUriValidationFailed" in answer.json()["error_description"]


def test_no_token_is_refused(office: Cloud):
    """Without a token the answer is a challenge."""
    answer = requests.get(f"{office.tenant.urls.my}/_api/web", timeout=TIMEOUT)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer realm=")
