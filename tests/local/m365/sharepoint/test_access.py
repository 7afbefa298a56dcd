"""Who reaches the simulated picture library, and from where."""

from __future__ import annotations

import pytest
import requests

from tests.local.m365.picture_library import DENIED, FOLDER, NO_FOLDER, file_url, upload, web
from tests.local.m365.simulator import PHOTOSYNC_APP, POOR_APP, Cloud


def test_library_is_on_the_my_host_only(office: Cloud):
    """The root site has no User Photos."""
    root = office.tenant.urls.root
    with office.session(root) as session:
        answer = session.get(
            f"{root}/_api/web/GetFolderByServerRelativePath(decodedurl='{FOLDER}')"
        )

    assert answer.status_code == 404
    assert answer.json()["odata.error"]["code"] == NO_FOLDER


def test_sites_selected_works_by_its_grant(office: Cloud):
    """Sites.Selected with `write` uploads; with `read` it only reads."""
    urls = office.tenant.urls
    with office.session(urls.my, PHOTOSYNC_APP) as session:
        written = upload(office, session, "x.jpg", b"x")
    with office.session(urls.my, POOR_APP) as session:
        read = session.get(file_url(office, "x.jpg") + "/$value")
        refused = upload(office, session, "x.jpg", b"y")

    assert written.status_code == 200
    assert read.content == b"x"
    assert refused.status_code == 403
    assert refused.json()["odata.error"]["code"] == DENIED


@pytest.mark.parametrize("other", ["admin", "root", "graph"])
def test_token_of_another_host_is_refused(office: Cloud, other: str):
    """Each host takes only its own audience."""
    with office.session(getattr(office.tenant.urls, other)) as session:
        answer = session.get(web(office, ""))

    assert answer.status_code == 401
    assert "AudienceUriValidationFailed" in answer.json()["error_description"]


def test_no_token_is_refused(office: Cloud):
    """Without a token there is a challenge and nothing else."""
    answer = requests.get(f"{office.tenant.urls.my}/_api/web", timeout=10)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer realm=")
