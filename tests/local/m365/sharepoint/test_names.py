"""Paths and names in the simulated picture library: every spelling, and what is refused."""

from __future__ import annotations

from urllib.parse import quote

import pytest
import requests

from tests.local.m365.picture_library import ADD, FOLDER, web
from tests.local.m365.simulator import Cloud


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
def test_every_spelling_of_a_path_means_the_same(office: Cloud, my: requests.Session, path: str):
    """Case, order, aliases, encoding and the older forms lead to one file."""
    answer = my.post(web(office, path), data=b"same")

    assert answer.status_code == 200, answer.text
    assert answer.json()["Name"] == "a'b+c_MThumb.jpg"
    assert office.tenant.picture_folder.files["a'b+c_mthumb.jpg"].content == b"same"


def test_percent_is_decoded_once_more_in_url_forms_only(office: Cloud, my: requests.Session):
    """`decodedurl` takes `%41` as it is; the `url` form reads it as `A`."""
    my.post(web(office, f"{ADD}(decodedurl='x%2541.jpg',overwrite=true)"), data=b"1")
    older = f"GetFolderByServerRelativeUrl('{FOLDER}')/Files/add(url='x%2541.jpg',overwrite=true)"
    my.post(web(office, older), data=b"2")

    assert sorted(office.tenant.picture_folder.files) == ["x%41.jpg", "xa.jpg"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "GetFileByServerRelativePath(decodedurl='/User Photos/o'brien.jpg')", 400),
        ("GET", "GetFileByServerRelativePath(decodedurl=@v)", 400),
        ("GET", "GetFileByServerRelativePath()", 400),
        ("GET", "GetFileByServerRelativePath(decodedurl='/x')trailing", 400),
        ("POST", f"{ADD}(decodedurl='a:b.jpg',overwrite=true)", 400),
        ("POST", f"{ADD}(decodedurl='a.jpg',overwrite=perhaps)", 400),
        ("GET", f"{ADD}(decodedurl='x.jpg',overwrite=true)", 405),
        ("GET", "NoSuchThing", 404),
    ],
)
def test_malformed_requests_are_refused(
    office: Cloud, my: requests.Session, method: str, path: str, status: int
):
    """An undoubled quote, a missing parameter or a wrong method never half-works."""
    answer = my.request(method, web(office, path))

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
def test_names_that_sharepoint_does_not_allow(office: Cloud, my: requests.Session, name: str):
    """Such a file is refused, not stored under another name."""
    url = web(office, f"{ADD}(decodedurl=@n,overwrite=true)")

    answer = my.post(url, params={"@n": f"'{name}'"}, data=b"x")

    assert answer.status_code == 400
    assert office.tenant.picture_folder.files == {}


@pytest.mark.parametrize("name", ["a%b#c.jpg", "ä ö.x..jpg", "x" * (399 - len(FOLDER))])
def test_names_that_sharepoint_allows(office: Cloud, my: requests.Session, name: str):
    """Percent, hash, letters of any language, and 400 characters of path."""
    url = web(office, f"{ADD}(decodedurl=@n,overwrite=true)")

    assert my.post(url, params={"@n": f"'{name}'"}, data=b"x").json()["Name"] == name
