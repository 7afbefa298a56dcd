"""The simulated picture library: uploads, reading back, listing, recycling."""

from __future__ import annotations

import pytest
import requests

from tests.local.m365.picture_library import ADD, FOLDER, file_url, upload, web
from tests.local.m365.simulator import Cloud


@pytest.mark.parametrize("content", [b"", b"\x00\xff'not a picture'\r\n", bytes(300_000)])
def test_upload_is_kept_byte_for_byte(office: Cloud, my: requests.Session, content: bytes):
    """What is uploaded is what is read back; nobody checks that it is a picture."""
    answer = upload(office, my, "x_MThumb.jpg", content)

    assert answer.status_code == 200
    assert answer.json()["Length"] == str(len(content))
    assert answer.json()["ServerRelativeUrl"] == f"{FOLDER}/x_MThumb.jpg"
    assert my.get(file_url(office, "x_MThumb.jpg") + "/$value").content == content


def test_writing_again_keeps_the_file_and_raises_its_version(office: Cloud, my: requests.Session):
    """A second upload has the same unique id, in any case of the name, and another ETag."""
    first = upload(office, my, "x_MThumb.jpg", b"1").json()
    second = upload(office, my, "X_mthumb.jpg", b"2").json()

    assert second["UniqueId"] == first["UniqueId"]
    assert second["ETag"] != first["ETag"]
    assert len(office.tenant.picture_folder.files) == 1


def test_etag_that_moves_by_itself(office: Cloud, my: requests.Session):
    """By switch the ETag is soon another one than the upload told, and then stays."""
    office.tenant.switches.etags_move = True
    told = upload(office, my, "x.jpg", b"1").json()
    found = my.get(file_url(office, "x.jpg") + "?$select=ETag,Length").json()

    assert found == {"ETag": my.get(file_url(office, "x.jpg")).json()["ETag"], "Length": "1"}
    assert found["ETag"] != told["ETag"]
    assert my.get(file_url(office, "x.jpg") + "/$value").content == b"1"


def test_large_folder_lists_no_files(office: Cloud, my: requests.Session):
    """A folder of more than 5,000 files lists none of them; each is found by its path."""
    upload(office, my, "x.jpg", b"1")
    [file] = office.tenant.picture_folder.files.values()
    office.tenant.picture_folder.files.update({str(n): file for n in range(4999)})
    files = web(office, f"GetFolderByServerRelativePath(decodedurl='{FOLDER}')/Files")
    assert len(my.get(files).json()["value"]) == 5000

    office.tenant.picture_folder.files["one more"] = file

    answer = my.get(files)
    assert answer.status_code == 500
    assert answer.json()["odata.error"]["code"].startswith("-2147024860,")
    assert my.get(file_url(office, "x.jpg")).ok


def test_existing_file_without_overwrite_is_kept(office: Cloud, my: requests.Session):
    """Without overwrite an existing name is refused and the file stays."""
    upload(office, my, "x.jpg", b"first")

    answer = my.post(web(office, f"{ADD}(decodedurl='x.jpg')"), data=b"second")

    assert answer.status_code == 400
    assert my.get(file_url(office, "x.jpg") + "/$value").content == b"first"


def test_folders_are_listed_with_forms(office: Cloud, my: requests.Session):
    """The library lists its picture folder, under whatever name it has, and Forms."""
    office.tenant.name_picture_folder("Profilbilder")

    path = "GetFolderByServerRelativePath(decodedurl='/User Photos')/Folders"
    listed = my.get(web(office, path)).json()["value"]

    assert [(each["Name"], each["ServerRelativeUrl"]) for each in listed] == [
        ("Forms", "/User Photos/Forms"),
        ("Profilbilder", "/User Photos/Profilbilder"),
    ]


def test_delete_by_override(office: Cloud, my: requests.Session):
    """POST with X-HTTP-Method DELETE removes the file and answers with nothing."""
    upload(office, my, "x.jpg", b"x")

    headers = {"X-HTTP-Method": "DELETE", "If-Match": "*"}
    answer = my.post(file_url(office, "x.jpg"), headers=headers)

    assert (answer.status_code, answer.content) == (200, b"")
    assert office.tenant.picture_folder.files == {}


def test_delete_of_another_version_is_refused(office: Cloud, my: requests.Session):
    """An If-Match that names an older version deletes nothing."""
    old = upload(office, my, "x.jpg", b"1").json()["ETag"]
    upload(office, my, "x.jpg", b"2")

    answer = my.delete(file_url(office, "x.jpg"), headers={"If-Match": old})

    assert answer.status_code == 412
    assert len(office.tenant.picture_folder.files) == 1


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_content_is_replaced_by_put(office: Cloud, my: requests.Session, method: str):
    """PUT of `$value` writes a file that is there, and makes none."""
    first = upload(office, my, "x.jpg", b"1").json()
    headers = {"X-HTTP-Method": "PUT"} if method == "POST" else {}

    answer = my.request(method, file_url(office, "x.jpg") + "/$value", data=b"2", headers=headers)
    none = my.request(method, file_url(office, "y.jpg") + "/$value", data=b"2", headers=headers)
    stale = {**headers, "If-Match": first["ETag"]}
    late = my.request(method, file_url(office, "x.jpg") + "/$value", data=b"3", headers=stale)

    assert (answer.status_code, none.status_code, late.status_code) == (204, 404, 412)
    assert my.get(file_url(office, "x.jpg") + "/$value").content == b"2"
    assert my.get(file_url(office, "x.jpg")).json()["UniqueId"] == first["UniqueId"]


def test_recycle_answers_with_an_id(office: Cloud, my: requests.Session):
    """Recycling removes the file and names the item in the bin."""
    upload(office, my, "x.jpg", b"x")

    answer = my.post(file_url(office, "x.jpg") + "/recycle()")

    assert answer.status_code == 200
    assert len(answer.json()["value"]) == 36
    assert office.tenant.picture_folder.files == {}


def test_nothing_is_put_into_forms(office: Cloud, my: requests.Session):
    """Forms holds the views of the library, no pictures."""
    path = "GetFolderByServerRelativePath(decodedurl='/User Photos/Forms')/Files/AddUsingPath"

    answer = my.post(web(office, f"{path}(decodedurl='x.jpg',overwrite=true)"), data=b"x")

    assert answer.status_code == 400
    assert office.tenant.folders["/user photos/forms"].files == {}
