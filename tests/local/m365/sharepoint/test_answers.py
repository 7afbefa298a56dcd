"""The forms of the simulated SharePoint's answers and errors."""

from __future__ import annotations

import pytest
import requests

from tests.local.m365.picture_library import (
    DENIED,
    FOLDER,
    NO_FILE,
    NO_FOLDER,
    OUTSIDE,
    file_url,
    upload,
    web,
)
from tests.local.m365.simulator import POOR_APP, Cloud


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"GetFileByServerRelativePath(decodedurl='{FOLDER}/no.jpg')", 404, NO_FILE),
        ("GET", f"GetFileByServerRelativePath(decodedurl='{FOLDER}/no.jpg')/$value", 404, NO_FILE),
        (
            "POST",
            f"GetFileByServerRelativePath(decodedurl='{FOLDER}/no.jpg')/recycle",
            404,
            NO_FILE,
        ),
        ("GET", "GetFolderByServerRelativePath(decodedurl='/User Photos/No')", 404, NO_FOLDER),
        (
            "POST",
            "GetFolderByServerRelativePath(decodedurl='/No')/Files/AddUsingPath(decodedurl='x.jpg')",
            404,
            NO_FOLDER,
        ),
        ("GET", "GetFolderByServerRelativePath(decodedurl='/personal/a')", 400, OUTSIDE),
        ("GET", "GetFolderByServerRelativePath(decodedurl=@v)?@v='/a/../b'", 400, OUTSIDE),
        ("GET", "GetFolderByServerRelativePath(decodedurl='User Photos')", 400, OUTSIDE),
    ],
)
def test_recorded_errors(
    office: Cloud, my: requests.Session, method: str, path: str, status: int, code: str
):
    """What is missing or outside is refused with the recorded status and code."""
    answer = my.request(method, web(office, path))

    assert answer.status_code == status
    assert answer.json()["odata.error"]["code"] == code
    assert answer.json()["odata.error"]["message"]["lang"] == "en-US"


def test_errors_honour_accept(office: Cloud, my: requests.Session):
    """Verbose errors sit under `error`; who asks for no JSON gets XML."""
    url = file_url(office, "no.jpg")

    verbose = my.get(url, headers={"Accept": "application/json;odata=verbose"})
    xml = my.get(url, headers={"Accept": "*/*"})

    assert verbose.json()["error"]["code"] == NO_FILE
    assert xml.headers["Content-Type"].startswith("application/xml")
    assert f"<m:code>{NO_FILE}</m:code>" in xml.text


@pytest.mark.parametrize(
    ("style", "media", "body"),
    [
        ("xml", "application/xml", "<m:code>-2130575338, "),
        ("text", "text/plain", "The file /User Photos"),
        ("empty", None, ""),
    ],
)
def test_switch_answers_errors_in_other_forms(
    office: Cloud, my: requests.Session, style: str, media: str | None, body: str
):
    """The switch makes errors come as they sometimes do in reality."""
    office.tenant.switches.sharepoint_errors = style

    answer = my.get(file_url(office, "no.jpg"))

    assert answer.status_code == 404
    assert (answer.headers.get("Content-Type") or "").startswith(media or "")
    assert body in answer.text
    assert bool(answer.content) == bool(body)


@pytest.mark.parametrize(
    ("language", "words"),
    [("en-US", "Access denied."), ("de-DE", "Zugriff verweigert."), ("nl-NL", "Toegang geweigerd")],
)
def test_language_of_the_sentences(office: Cloud, language: str, words: str):
    """A refusal in another language has the type and the HRESULT that it has in English."""
    office.tenant.switches.language = language
    with office.session(office.tenant.urls.my, POOR_APP) as session:
        denied = upload(office, session, "x.jpg", b"x")
        gone = session.get(file_url(office, "no.jpg"), headers={"Accept": "*/*"})
    error = denied.json()["odata.error"]

    assert (denied.status_code, error["code"]) == (403, DENIED)
    assert error["message"]["lang"] == language
    assert error["message"]["value"].startswith(words)
    assert f'<m:message xml:lang="{language}">' in gone.text


def test_verbose_answers(office: Cloud, my: requests.Session):
    """Verbose answers are wrapped in `d`, collections in `results`, contexts in their name."""
    my.headers["Accept"] = "application/json;odata=verbose"
    upload(office, my, "x.jpg", b"x")

    context = my.post(f"{office.tenant.urls.my}/_api/contextinfo").json()
    files = my.get(
        web(office, f"GetFolderByServerRelativePath(decodedurl='{FOLDER}')/Files")
    ).json()

    information = context["d"]["GetContextWebInformation"]
    assert information["FormDigestTimeoutSeconds"] == 1800
    assert information["WebFullUrl"] == office.tenant.urls.my
    assert [each["Name"] for each in files["d"]["results"]] == ["x.jpg"]
    assert files["d"]["results"][0]["__metadata"]["type"] == "SP.File"
