"""Formats of the simulated SharePoint's answers and errors."""

from __future__ import annotations

import pytest

from tests.local.m365.picture_library import (
    DENIED,
    LIBRARY,
    NO_FILE,
    NO_FOLDER,
    OUTSIDE,
    PICTURES,
    WEB,
    file_path,
    upload,
)
from tests.local.m365.simulator import POOR_APP, Cloud, HostSession

MISSING = file_path("no.jpg")
AT = f"{WEB}GetFolderByServerRelativePath(decodedurl"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", MISSING, 404, NO_FILE),
        ("GET", f"{MISSING}/$value", 404, NO_FILE),
        ("POST", f"{MISSING}/recycle", 404, NO_FILE),
        ("GET", f"{PICTURES}/Files('no.jpg')", 404, NO_FILE),
        ("GET", f"{PICTURES}/Files('no.jpg')/$value", 404, NO_FILE),
        ("GET", f"{LIBRARY}/Folders('No')/Files('x.jpg')", 404, NO_FILE),
        ("GET", f"{LIBRARY}/Folders('No')", 404, NO_FOLDER),
        ("GET", f"{AT}='/User Photos/No')", 404, NO_FOLDER),
        ("POST", f"{AT}='/No')/Files/AddUsingPath(decodedurl='x.jpg')", 404, NO_FOLDER),
        ("GET", f"{WEB}lists/getbytitle('X')", 404, "-2130575322, Microsoft.SharePoint."),
        ("GET", f"{AT}='/personal/a')", 400, OUTSIDE),
        ("GET", f"{AT}=@v)?@v='/a/../b'", 400, OUTSIDE),
        ("GET", f"{AT}='User Photos')", 400, OUTSIDE),
        ("GET", f"{LIBRARY}/Folders('../Shared')", 400, "-1, "),
        ("GET", f"{LIBRARY}(1,2)/Folders", 400, "-1, "),
        ("GET", f"{WEB}lists(7,8)/items", 404, "-1, "),
        ("GET", "/_api/web(1,2)", 400, "-1, "),
    ],
)
def test_recorded_errors(my: HostSession, method: str, path: str, status: int, code: str):
    """
    The recorded status and code. A missing entity, a path outside the web or unexpected arguments
    never address a collection or another entity.
    """
    answer = my.request(method, path)

    error = answer.json()["odata.error"]
    assert (answer.status_code, error["message"]["lang"]) == (status, "en-US")
    assert error["code"].startswith(code)


def test_errors_follow_accept(my: HostSession):
    """Verbose errors are under `error`; without JSON in Accept they are XML."""
    verbose = my.get(MISSING, headers={"Accept": "application/json;odata=verbose"})
    xml = my.get(MISSING, headers={"Accept": "*/*"})

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
    office: Cloud, my: HostSession, style: str, media: str | None, body: str
):
    """The switch selects another form in which errors were seen."""
    office.tenant.switches.sharepoint_errors = style

    answer = my.get(MISSING)

    assert answer.status_code == 404
    assert (answer.headers.get("Content-Type") or "").startswith(media or "")
    assert body in answer.text
    assert bool(answer.content) == bool(body)


@pytest.mark.parametrize(
    ("language", "words"),
    [("en-US", "Access denied."), ("de-DE", "Zugriff verweigert."), ("nl-NL", "Toegang geweigerd")],
)
def test_language_of_the_sentences(office: Cloud, language: str, words: str):
    """A refusal in another language has the same type and HRESULT as in English."""
    office.tenant.switches.language = language
    with office.session(office.tenant.urls.my, POOR_APP) as session:
        denied = upload(session, "x.jpg", b"x")
        missing = session.get(MISSING, headers={"Accept": "*/*"})
    error = denied.json()["odata.error"]

    assert (denied.status_code, error["code"]) == (403, DENIED)
    assert error["message"]["lang"] == language
    assert error["message"]["value"].startswith(words)
    assert f'<m:message xml:lang="{language}">' in missing.text


def test_verbose_answers(my: HostSession):
    """Verbose answers are wrapped in `d`, collections in `results`, contexts in their name."""
    my.headers["Accept"] = "application/json;odata=verbose"
    upload(my, "x.jpg", b"x")

    context = my.post("/_api/contextinfo").json()["d"]["GetContextWebInformation"]
    files = my.get(f"{PICTURES}/Files").json()

    assert (context["FormDigestTimeoutSeconds"], context["WebFullUrl"]) == (1800, my.base)
    assert [each["Name"] for each in files["d"]["results"]] == ["x.jpg"]
    assert files["d"]["results"][0]["__metadata"]["type"] == "SP.File"
