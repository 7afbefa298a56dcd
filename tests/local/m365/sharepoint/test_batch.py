"""The simulated SharePoint's `$batch`."""

from __future__ import annotations

import json
from email import message_from_bytes

import pytest
import requests

from tests.local.m365.picture_library import FOLDER, NO_FILE, upload, web
from tests.local.m365.simulator import POOR_APP, Cloud

FILES = f"GetFolderByServerRelativePath(decodedurl='{FOLDER}')/Files"
Item = tuple[str, str, str]


def part(item: Item, boundary: str) -> str:
    method, url, body = item
    return (
        f"--{boundary}\r\nContent-Type: application/http\r\n"
        f"Content-Transfer-Encoding: binary\r\n\r\n{method} {url} HTTP/1.1\r\n"
        "Accept: application/json;odata=nometadata\r\n"
        f"Content-Type: application/json\r\n\r\n{body}\r\n"
    )


def body_of(items: list[Item], writes: list[Item]) -> str:
    """*items* by themselves, then *writes* in a change set."""
    text = "".join(part(item, "b") for item in items)
    if writes:
        text += "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
        text += "".join(part(item, "c") for item in writes) + "--c--\r\n\r\n"
    return f"{text}--b--\r\n"


def post(
    office: Cloud, session: requests.Session, text: str, kind: str = "multipart/mixed; boundary=b"
) -> requests.Response:
    url = f"{office.tenant.urls.my}/_api/$batch"
    return session.post(url, data=text.encode(), headers={"Content-Type": kind}, timeout=10)


def answers(response: requests.Response) -> list[tuple[int, bytes]]:
    """Status and body of each answer, in their order."""
    assert response.status_code == 200, response.text
    head = f"Content-Type: {response.headers['Content-Type']}\r\n\r\n".encode()
    found = []
    for one in message_from_bytes(head + response.content).walk():
        content = one.get_payload(decode=True)
        if not isinstance(content, bytes):
            continue
        first, _, rest = content.partition(b"\r\n")
        found.append((int(first.split()[1]), rest.partition(b"\r\n\r\n")[2]))
    return found


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_each_is_answered_in_its_place(office: Cloud, my: requests.Session, newline: str):
    """As if it had come alone, in the order of the batch, a change set's among the others."""
    upload(office, my, "x.jpg", b"x")
    anne = office.add_user("anne")
    people = f"{office.tenant.urls.my}/_api/SP.UserProfiles.PeopleManager"
    account = "i:0#.f|membership|anne@contoso.com"
    order = {"accountName": account, "propertyName": "Office", "propertyValue": "7"}
    items = [
        ("GET", web(office, f"{FILES}?$select=Name").replace(" ", "%20"), ""),
        ("GET", f"/_api/web/{FILES}('no.jpg')".replace(" ", "%20"), ""),
    ]
    writes = [
        ("POST", f"{people}/SetSingleValueProfileProperty", json.dumps(order)),
        ("DELETE", web(office, f"{FILES}('x.jpg')").replace(" ", "%20"), ""),
    ]

    listed, missing, written, deleted = answers(
        post(office, my, body_of(items, writes).replace("\r\n", newline))
    )

    assert (listed[0], json.loads(listed[1])) == (200, {"value": [{"Name": "x.jpg"}]})
    assert (missing[0], json.loads(missing[1])["odata.error"]["code"]) == (404, NO_FILE)
    assert (written[0], deleted[0]) == (200, 200)
    assert anne.profile
    assert anne.profile.properties == {"Office": "7"}
    assert office.tenant.picture_folder.files == {}
    inner = [one for one in office.tenant.journal.after(0) if one.get("batch")]
    assert [one["status"] for one in inner[-4:]] == [200, 404, 200, 200]


def test_rights_count_inside(office: Cloud):
    """A batch opens nothing that its items would not."""
    items = [("GET", "/_api/web/lists", "")]
    writes = [("POST", "/_api/web/folders", json.dumps({"ServerRelativeUrl": "/User Photos/x"}))]
    with office.session(office.tenant.urls.my, POOR_APP) as session:
        found = answers(post(office, session, body_of(items, writes)))

    assert [status for status, _ in found] == [200, 403]


GET: Item = ("GET", "/_api/web", "")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (body_of([], []), "multipart/mixed; boundary=b"),
        (body_of([GET], []), "application/json"),
        (body_of([GET], []), "multipart/mixed"),
        (body_of([GET], []), "multipart/mixed; boundary=other"),
        (body_of([GET], []).removesuffix("--b--\r\n"), "multipart/mixed; boundary=b"),
        (body_of([], [GET]), "multipart/mixed; boundary=b"),
        (body_of([GET] * 101, []), "multipart/mixed; boundary=b"),
        (body_of([("GET", "https://contoso.sharepoint.com/_api/web", "")], []), ""),
        (body_of([("GET", "/_layouts/15/userphoto.aspx", "")], []), ""),
        (body_of([("POST", "/_api/$batch", "")], []), ""),
        (body_of([("FETCH", "/_api/web", "")], []), ""),
        (body_of([("GET", "https://[/_api/web", "")], []), ""),
        (body_of([("GET", "//evil.example/_api/web", "")], []), ""),
        ("--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--", ""),
        ("--b\r\nhello\r\n--b--", ""),
        ("", ""),
    ],
)
def test_a_batch_that_is_none(office: Cloud, my: requests.Session, text: str, kind: str):
    """400 as a whole, and nothing of it is done."""
    answer = post(office, my, text, kind or "multipart/mixed; boundary=b")

    assert answer.status_code == 400
    assert "odata.error" in answer.json()
