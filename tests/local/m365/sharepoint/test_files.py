"""The simulated picture library: uploads, downloads, lists, deletion."""

from __future__ import annotations

import pytest

from tests.local.m365.picture_library import ADD, FOLDER, PICTURES, file_path, upload
from tests.local.m365.simulator import Cloud, HostSession

FILE = file_path("x.jpg")


@pytest.mark.parametrize("content", [b"", b"\x00\xff'not a picture'\r\n", bytes(300_000)])
def test_upload_is_kept_byte_for_byte(office: Cloud, my: HostSession, content: bytes):
    """The same bytes are read back, whether or not they are a picture."""
    answer = upload(my, "x_MThumb.jpg", content)

    assert answer.status_code == 200
    assert answer.json()["Length"] == str(len(content))
    assert answer.json()["ServerRelativeUrl"] == f"{FOLDER}/x_MThumb.jpg"
    assert my.get(file_path("x_MThumb.jpg") + "/$value").content == content


def test_writing_again_keeps_the_file_and_raises_its_version(office: Cloud, my: HostSession):
    """A second upload, with the name in another case, has the same unique id and a new ETag."""
    first = upload(my, "x_MThumb.jpg", b"1").json()
    second = upload(my, "X_mthumb.jpg", b"2").json()

    assert second["UniqueId"] == first["UniqueId"]
    assert second["ETag"] != first["ETag"]
    assert len(office.tenant.picture_folder.files) == 1


def test_etag_that_changes_after_the_upload(office: Cloud, my: HostSession):
    """By a switch, the ETag soon differs from the upload's answer, and then stays."""
    office.tenant.switches.etags_move = True
    uploaded = upload(my, "x.jpg", b"1").json()
    found = my.get(FILE + "?$select=ETag,Length").json()

    assert found == {"ETag": my.get(FILE).json()["ETag"], "Length": "1"}
    assert found["ETag"] != uploaded["ETag"]
    assert my.get(FILE + "/$value").content == b"1"


def test_large_folder_lists_no_files(office: Cloud, my: HostSession):
    """A folder of more than 5,000 files cannot be listed; each file is found by its path."""
    upload(my, "x.jpg", b"1")
    [file] = office.tenant.picture_folder.files.values()
    office.tenant.picture_folder.files.update({str(n): file for n in range(4999)})
    files = f"{PICTURES}/Files"
    assert len(my.get(files).json()["value"]) == 5000

    office.tenant.picture_folder.files["one more"] = file

    answer = my.get(files)
    assert answer.status_code == 500
    assert answer.json()["odata.error"]["code"].startswith("-2147024860,")
    assert my.get(FILE).ok


def test_existing_file_without_overwrite_is_kept(office: Cloud, my: HostSession):
    """Without overwrite, an existing name is refused and the file stays."""
    upload(my, "x.jpg", b"first")

    answer = my.post(f"{ADD}(decodedurl='x.jpg')", data=b"second")

    assert answer.status_code == 400
    assert my.get(FILE + "/$value").content == b"first"


def test_delete_of_another_version_is_refused(office: Cloud, my: HostSession):
    """An If-Match with an older ETag deletes nothing."""
    old = upload(my, "x.jpg", b"1").json()["ETag"]
    upload(my, "x.jpg", b"2")

    answer = my.delete(FILE, headers={"If-Match": old})

    assert answer.status_code == 412
    assert len(office.tenant.picture_folder.files) == 1


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_content_is_replaced_by_put(office: Cloud, my: HostSession, method: str):
    """PUT of `$value` replaces an existing file, and does not create one."""
    first = upload(my, "x.jpg", b"1").json()
    headers = {"X-HTTP-Method": "PUT"} if method == "POST" else {}

    answer = my.request(method, FILE + "/$value", data=b"2", headers=headers)
    none = my.request(method, file_path("y.jpg") + "/$value", data=b"2", headers=headers)
    stale = {**headers, "If-Match": first["ETag"]}
    late = my.request(method, FILE + "/$value", data=b"3", headers=stale)

    assert (answer.status_code, none.status_code, late.status_code) == (204, 404, 412)
    assert my.get(FILE + "/$value").content == b"2"
    assert my.get(FILE).json()["UniqueId"] == first["UniqueId"]


def test_files_cannot_be_added_to_forms(office: Cloud, my: HostSession):
    """Forms contains only the views of the library."""
    assert upload(my, "x.jpg", b"x", "Forms").status_code == 400
    assert office.tenant.folders["/user photos/forms"].files == {}
