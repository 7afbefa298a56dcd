"""Access to the simulated picture library."""

from __future__ import annotations

import pytest
import requests

from tests.local.m365.picture_library import DENIED, NO_FOLDER, PICTURES, WEB, file_path, upload
from tests.local.m365.simulator import PHOTOSYNC_APP, POOR_APP, TIMEOUT, Cloud, HostSession


def test_library_is_on_the_my_host_only(office: Cloud):
    """The root site has no User Photos."""
    with office.session(office.tenant.urls.root) as session:
        answer = session.get(PICTURES)

    assert answer.status_code == 404
    assert answer.json()["odata.error"]["code"] == NO_FOLDER


def test_sites_selected_works_by_its_grant(office: Cloud):
    """Sites.Selected with `write` uploads; with `read` it only reads."""
    urls = office.tenant.urls
    with office.session(urls.my, PHOTOSYNC_APP) as session:
        written = upload(session, "x.jpg", b"x")
    with office.session(urls.my, POOR_APP) as session:
        read = session.get(file_path("x.jpg") + "/$value")
        refused = upload(session, "x.jpg", b"y")

    assert (written.status_code, read.content, refused.status_code) == (200, b"x", 403)
    assert refused.json()["odata.error"]["code"] == DENIED


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
