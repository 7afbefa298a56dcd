"""The simulated picture library: paths, uploads, reading back, recycling, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests

from tests.local.cloud import PHOTOSYNC_APP, POOR_APP, Cloud

FOLDER = "/User Photos/Profile Pictures"
ADD = f"GetFolderByServerRelativePath(decodedurl='{FOLDER}')/Files/AddUsingPath"
NO_FILE = "-2130575338, Microsoft.SharePoint.SPException"
NO_FOLDER = "-2147024894, System.IO.FileNotFoundException"
OUTSIDE = "-2147024809, System.ArgumentException"
DENIED = "-2147024891, System.UnauthorizedAccessException"


@pytest.fixture
def my(office: Cloud) -> Iterator[requests.Session]:
    with office.session(office.tenant.urls.my) as session:
        yield session


def web(office: Cloud, path: str) -> str:
    return f"{office.tenant.urls.my}/_api/web/{path}"


def file_url(office: Cloud, name: str) -> str:
    return web(office, f"GetFileByServerRelativePath(decodedurl='{FOLDER}/{name}')")


def upload(office: Cloud, my: requests.Session, name: str, content: bytes) -> requests.Response:
    return my.post(web(office, f"{ADD}(decodedurl='{name}',overwrite=true)"), data=content)


@pytest.mark.parametrize("content", [b"", b"\x00\xff'not a picture'\r\n", bytes(300_000)])
def test_upload_is_kept_byte_for_byte(office: Cloud, my: requests.Session, content: bytes):
    """What is uploaded is what is read back; nobody checks that it is a picture."""
    answer = upload(office, my, "x_MThumb.jpg", content)

    assert answer.status_code == 200
    assert answer.json()["Length"] == str(len(content))
    assert answer.json()["ServerRelativeUrl"] == f"{FOLDER}/x_MThumb.jpg"
    assert my.get(file_url(office, "x_MThumb.jpg") + "/$value").content == content


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


def test_writing_again_keeps_the_file_and_raises_its_version(office: Cloud, my: requests.Session):
    """A second upload has the same unique id, in any case of the name, and another ETag."""
    first = upload(office, my, "x_MThumb.jpg", b"1").json()
    second = upload(office, my, "X_mthumb.jpg", b"2").json()

    assert second["UniqueId"] == first["UniqueId"]
    assert second["ETag"] != first["ETag"]
    assert len(office.tenant.picture_folder.files) == 1


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


def test_select_leaves_the_rest_out(office: Cloud, my: requests.Session):
    """Only selected members come, and options that nobody plays are refused."""
    folders = web(office, "GetFolderByServerRelativePath(decodedurl='/User Photos')/Folders")

    assert my.get(f"{folders}?$select=Name").json()["value"] == [
        {"Name": "Forms"},
        {"Name": "Profile Pictures"},
    ]
    assert my.get(f"{folders}?$filter=Name eq 'x'").status_code == 400


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


def test_recycle_answers_with_an_id(office: Cloud, my: requests.Session):
    """Recycling removes the file and names the item in the bin."""
    upload(office, my, "x.jpg", b"x")

    answer = my.post(file_url(office, "x.jpg") + "/recycle()")

    assert answer.status_code == 200
    assert len(answer.json()["value"]) == 36
    assert office.tenant.picture_folder.files == {}


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


def test_nothing_is_put_into_forms(office: Cloud, my: requests.Session):
    """Forms holds the views of the library, no pictures."""
    path = "GetFolderByServerRelativePath(decodedurl='/User Photos/Forms')/Files/AddUsingPath"

    answer = my.post(web(office, f"{path}(decodedurl='x.jpg',overwrite=true)"), data=b"x")

    assert answer.status_code == 400
    assert office.tenant.folders["/user photos/forms"].files == {}


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
