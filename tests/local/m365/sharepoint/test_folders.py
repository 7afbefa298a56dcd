"""Folders of the simulated picture library: by name, made, and taken away."""

from __future__ import annotations

import pytest
import requests

from tests.local.m365.picture_library import FOLDER, NO_FILE, NO_FOLDER, file_url, upload, web
from tests.local.m365.simulator import POOR_APP, Cloud

LIBRARY = "GetFolderByServerRelativePath(decodedurl='/User Photos')"
PICTURES = f"GetFolderByServerRelativePath(decodedurl='{FOLDER}')"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (f"{PICTURES}/Files('o''brien.jpg')", "o'brien.jpg"),
        (f"{PICTURES}/files/getByUrl('o''brien.jpg')/", "o'brien.jpg"),
        (f"{LIBRARY}/Folders('profile pictures')/Files(url='O''Brien.jpg')", "o'brien.jpg"),
        (f"{LIBRARY}/Folders('Profile Pictures')", "Profile Pictures"),
        ("folders('User Photos')/folders/getbyurl('Forms')", "Forms"),
        ("lists/GetByTitle('User Photos')/RootFolder", "User Photos"),
        ("Lists/getbytitle('user photos')/rootfolder/folders('Forms')", "Forms"),
    ],
)
def test_one_by_its_name(office: Cloud, my: requests.Session, path: str, name: str):
    """A name in parentheses is one entity, not the collection that it stands in."""
    upload(office, my, "o''brien.jpg", b"x")
    upload(office, my, "another.jpg", b"y")

    answer = my.get(web(office, path))

    assert answer.json()["Name"] == name


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"{PICTURES}/Files('no.jpg')", 404, NO_FILE),
        (f"{PICTURES}/Files('no.jpg')/$value", 404, NO_FILE),
        (f"{LIBRARY}/Folders('No')", 404, NO_FOLDER),
        (f"{LIBRARY}/Folders('No')/Files('x.jpg')", 404, NO_FILE),
        ("lists/getbytitle('Pictures')", 404, "-2130575322, Microsoft.SharePoint.SPException"),
        (f"{LIBRARY}/Folders('../Shared')", 400, "-1, "),
        (f"{LIBRARY}(1,2)/Folders", 400, "-1, "),
        ("lists(7,8)/items", 404, "-1, "),
    ],
)
def test_what_is_not_there(office: Cloud, my: requests.Session, path: str, status: int, code: str):
    """No name leads to everything, and none to somewhere else."""
    answer = my.get(web(office, path))

    assert answer.status_code == status
    assert answer.json()["odata.error"]["code"].startswith(code)


def test_the_web_takes_no_parameters(office: Cloud, my: requests.Session):
    """`web(1,2)` is no web."""
    assert my.get(f"{office.tenant.urls.my}/_api/web(1,2)").status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("folders", {"ServerRelativeUrl": "/User Photos/Old"}, 201),
        (
            "folders/",
            {"__metadata": {"type": "SP.Folder"}, "ServerRelativeUrl": "User Photos/Old"},
            201,
        ),
        (f"{LIBRARY}/folders/add('Old')", None, 200),
        ("folders/addUsingPath(DecodedUrl='/User Photos/Old',overwrite=false)", None, 200),
        (f"{LIBRARY}/AddSubFolderUsingPath(decodedurl='Old')", None, 200),
    ],
)
def test_a_folder_is_made(office: Cloud, my: requests.Session, path: str, body, status: int):
    """By each of the documented ways; a second time it is the same folder."""
    made = my.post(web(office, path), json=body)
    again = my.post(web(office, path), json=body)

    assert (made.status_code, again.status_code) == (status, status)
    assert made.json()["ServerRelativeUrl"] == "/User Photos/Old"
    assert again.json()["UniqueId"] == made.json()["UniqueId"]
    assert office.tenant.folder("/user photos/old")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/No/Old", 404),
        ("/User Photos/a:b", 400),
        ("/personal/x", 400),
        ("/User Photos/Forms/x", 400),
    ],
)
def test_a_folder_is_refused(office: Cloud, my: requests.Session, path: str, status: int):
    """Where nothing is, under a name that is not allowed, in another web, among the views."""
    answer = my.post(web(office, "folders"), json={"ServerRelativeUrl": path})

    assert answer.status_code == status


def test_a_folder_goes_with_all_in_it(office: Cloud, my: requests.Session):
    """The pictures are gone with their folder, and what is made anew is another one."""
    upload(office, my, "x.jpg", b"x")
    before = my.get(web(office, PICTURES)).json()["UniqueId"]
    headers = {"X-HTTP-Method": "DELETE", "If-Match": "*"}

    assert my.post(web(office, PICTURES), headers=headers).status_code == 200
    assert my.get(web(office, PICTURES)).status_code == 404
    assert my.get(file_url(office, "x.jpg")).status_code == 404
    assert upload(office, my, "x.jpg", b"x").status_code == 404
    made = my.post(web(office, "folders"), json={"ServerRelativeUrl": FOLDER}).json()
    assert made["UniqueId"] != before
    assert upload(office, my, "x.jpg", b"x").status_code == 200
    assert [*office.tenant.picture_folder.files] == ["x.jpg"]


def test_the_library_stays(office: Cloud, my: requests.Session):
    """Neither the library nor its views can be deleted; a folder can be recycled."""
    assert my.delete(web(office, LIBRARY)).status_code == 400
    assert my.delete(web(office, f"{LIBRARY}/Folders('Forms')")).status_code == 400
    assert len(my.post(web(office, f"{PICTURES}/recycle()")).json()["value"]) == 36


def test_who_may_only_read(office: Cloud):
    """Whoever may only read makes no folder, deletes none and replaces nothing."""
    with office.session(office.tenant.urls.my, POOR_APP) as session:
        order = {"ServerRelativeUrl": "/User Photos/Old"}
        assert session.get(web(office, "folders")).status_code == 200
        assert session.post(web(office, "folders"), json=order).status_code == 403
        assert session.delete(web(office, PICTURES)).status_code == 403
        url = f"{web(office, PICTURES)}/Files('x.jpg')/$value"
        assert session.put(url, data=b"x").status_code == 403
