"""Paths and names in the simulated picture library: spellings and refusals."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.local.m365.picture_library import ADD, FOLDER, WEB
from tests.local.m365.simulator import Cloud, HostSession

NAMED = f"{ADD}(decodedurl=@n,overwrite=true)"


@pytest.mark.parametrize(
    "path",
    [
        f"GetFolderByServerRelativePath(decodedurl='{FOLDER}')/Files/AddUsingPath"
        "(decodedurl='a''b+c_MThumb.jpg',overwrite=true)",
        f"getfolderbyserverrelativepath(DecodedUrl='{quote(FOLDER, safe='')}')/files/addusingpath"
        "(OVERWRITE=TRUE,DecodedUrl=%27a%27%27b%2Bc_MThumb.jpg%27)",
        f"GetFolderByServerRelativeUrl('{FOLDER}')/Files/add"
        "(overwrite=true, url='a''b%252Bc_MThumb.jpg')",
        f"GetFolderByServerRelativePath(decodedurl=@f)/Files/AddUsingPath(decodedurl=@n,overwrite"
        f"=true)?@f='{FOLDER}'&@n='a''b%2Bc_MThumb.jpg'",
    ],
    ids=["plain", "encoded, other case and order", "url forms", "aliases"],
)
def test_spellings_of_a_path(office: Cloud, my: HostSession, path: str):
    """Case, order, aliases, encoding and the older forms address the same file."""
    answer = my.post(WEB + path, data=b"same")

    assert answer.status_code == 200, answer.text
    assert answer.json()["Name"] == "a'b+c_MThumb.jpg"
    assert office.tenant.picture_folder.files["a'b+c_mthumb.jpg"].content == b"same"


def test_only_url_forms_decode_percent_again(office: Cloud, my: HostSession):
    """`decodedurl` takes `%41` literally; the `url` form decodes it to `A`."""
    my.post(f"{ADD}(decodedurl='x%2541.jpg',overwrite=true)", data=b"1")
    older = f"GetFolderByServerRelativeUrl('{FOLDER}')/Files/add(url='x%2541.jpg',overwrite=true)"
    my.post(WEB + older, data=b"2")

    assert sorted(office.tenant.picture_folder.files) == ["x%41.jpg", "xa.jpg"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{WEB}GetFileByServerRelativePath(decodedurl='/User Photos/o'b.jpg')", 400),
        ("GET", f"{WEB}GetFileByServerRelativePath(decodedurl=@v)", 400),
        ("GET", f"{WEB}GetFileByServerRelativePath()", 400),
        ("GET", f"{WEB}GetFileByServerRelativePath(decodedurl='/x')trailing", 400),
        ("POST", f"{ADD}(decodedurl='a:b.jpg',overwrite=true)", 400),
        ("POST", f"{ADD}(decodedurl='a.jpg',overwrite=perhaps)", 400),
        ("GET", f"{ADD}(decodedurl='x.jpg',overwrite=true)", 405),
        ("GET", f"{WEB}NoSuchThing", 404),
    ],
)
def test_malformed_requests_are_refused(my: HostSession, method: str, path: str, status: int):
    """A quote that is not doubled, a missing parameter, a wrong method, an unknown resource."""
    answer = my.request(method, path)

    assert answer.status_code == status
    assert "code" in answer.json()["odata.error"]


@pytest.mark.parametrize(
    "name",
    [
        *(f"a{each}b.jpg" for each in '"*:<>?\\|/'),
        *(" x.jpg", "x.jpg ", ".x.jpg", "x.jpg."),
        *("x\n.jpg", "x\x7f.jpg", "\u0085x.jpg"),
        *("CON", "lpt9", "desktop.ini", "~$x.jpg", "a_vti_b.jpg", ".lock"),
        "x" * (400 - len(FOLDER)),
    ],
)
def test_names_that_sharepoint_does_not_allow(office: Cloud, my: HostSession, name: str):
    """Such a file is refused, not stored under another name."""
    assert my.post(NAMED, params={"@n": f"'{name}'"}, data=b"x").status_code == 400
    assert office.tenant.picture_folder.files == {}


@pytest.mark.parametrize("name", ["a%b#c.jpg", "ä ö.x..jpg", "x" * (399 - len(FOLDER))])
def test_names_that_sharepoint_allows(my: HostSession, name: str):
    """Percent, hash, letters of any language, and a path of 400 characters."""
    assert my.post(NAMED, params={"@n": f"'{name}'"}, data=b"x").json()["Name"] == name
