"""Folders of the simulated picture library: addressed by name, created, deleted."""

from __future__ import annotations

import pytest

from tests.local.m365.picture_library import FOLDER, LIBRARY, PICTURES, WEB, file_path, upload
from tests.local.m365.simulator import POOR_APP, Cloud, HostSession


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (f"{PICTURES}/Files('o''brien.jpg')", "o'brien.jpg"),
        (f"{PICTURES}/files/getByUrl('o''brien.jpg')/", "o'brien.jpg"),
        (f"{LIBRARY}/Folders('profile pictures')/Files(url='O''Brien.jpg')", "o'brien.jpg"),
        (f"{LIBRARY}/Folders('Profile Pictures')", "Profile Pictures"),
        (f"{WEB}folders('User Photos')/folders/getbyurl('Forms')", "Forms"),
        (f"{WEB}lists/GetByTitle('User Photos')/RootFolder", "User Photos"),
        (f"{WEB}Lists/getbytitle('user photos')/rootfolder/folders('Forms')", "Forms"),
    ],
)
def test_entity_by_name(my: HostSession, path: str, name: str):
    """A name in parentheses addresses one entity, not its collection."""
    upload(my, "o''brien.jpg", b"x")
    upload(my, "another.jpg", b"y")

    assert my.get(path).json()["Name"] == name


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"{WEB}folders", {"ServerRelativeUrl": "/User Photos/Old"}, 201),
        (
            f"{WEB}folders/",
            {"__metadata": {"type": "SP.Folder"}, "ServerRelativeUrl": "User Photos/Old"},
            201,
        ),
        (f"{LIBRARY}/folders/add('Old')", None, 200),
        (f"{WEB}folders/addUsingPath(DecodedUrl='/User Photos/Old',overwrite=false)", None, 200),
        (f"{LIBRARY}/AddSubFolderUsingPath(decodedurl='Old')", None, 200),
    ],
)
def test_folder_is_created(office: Cloud, my: HostSession, path: str, body, status: int):
    """By each of the documented calls; the second time it is the same folder."""
    made, again = my.post(path, json=body), my.post(path, json=body)

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
def test_folder_is_refused(my: HostSession, path: str, status: int):
    """Below a missing folder, with an invalid name, in another web, or below Forms."""
    assert my.post(f"{WEB}folders", json={"ServerRelativeUrl": path}).status_code == status


def test_folder_is_deleted_with_its_files(office: Cloud, my: HostSession):
    """Its pictures are deleted too, and a new folder of that name has another id."""
    upload(my, "x.jpg", b"x")
    before = my.get(PICTURES).json()["UniqueId"]
    headers = {"X-HTTP-Method": "DELETE", "If-Match": "*"}

    deleted = my.post(PICTURES, headers=headers)
    assert (deleted.status_code, deleted.content) == (200, b"")
    assert my.get(PICTURES).status_code == 404
    assert my.get(file_path("x.jpg")).status_code == 404
    assert upload(my, "x.jpg", b"x").status_code == 404
    made = my.post("/_api/web/folders", json={"ServerRelativeUrl": FOLDER}).json()
    assert made["UniqueId"] != before
    assert upload(my, "x.jpg", b"x").status_code == 200
    assert [*office.tenant.picture_folder.files] == ["x.jpg"]


def test_the_library_stays(office: Cloud, my: HostSession):
    """Neither the library nor Forms can be deleted; recycling answers with the id in the bin."""
    upload(my, "x.jpg", b"x")
    assert my.delete(LIBRARY).status_code == 400
    assert my.delete(f"{LIBRARY}/Folders('Forms')").status_code == 400
    for path in (file_path("x.jpg"), PICTURES):
        assert len(my.post(f"{path}/recycle()").json()["value"]) == 36


def test_reading_rights_do_not_write(office: Cloud):
    """They do not allow creating or deleting a folder, or replacing a file."""
    with office.session(office.tenant.urls.my, POOR_APP) as session:
        order = {"ServerRelativeUrl": "/User Photos/Old"}
        assert session.get("/_api/web/folders").status_code == 200
        assert session.post("/_api/web/folders", json=order).status_code == 403
        assert session.delete(PICTURES).status_code == 403
        url = f"{PICTURES}/Files('x.jpg')/$value"
        assert session.put(url, data=b"x").status_code == 403
