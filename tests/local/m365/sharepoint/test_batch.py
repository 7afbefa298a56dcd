"""The simulated SharePoint's `$batch`."""

from __future__ import annotations

import json
from email import message_from_bytes

import pytest
import requests

from tests.local.m365.picture_library import NO_FILE, PICTURES, upload
from tests.local.m365.simulator import POOR_APP, Cloud, HostSession

FILES = f"{PICTURES}/Files".replace(" ", "%20")
BOUNDARY = "multipart/mixed; boundary=b"
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
    """*items*, then *writes* in a change set."""
    text = "".join(part(item, "b") for item in items)
    if writes:
        text += "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
        text += "".join(part(item, "c") for item in writes) + "--c--\r\n\r\n"
    return f"{text}--b--\r\n"


def post(session: HostSession, text: str, kind: str = BOUNDARY) -> requests.Response:
    return session.post("/_api/$batch", data=text.encode(), headers={"Content-Type": kind})


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
def test_items_are_answered_in_order(office: Cloud, my: HostSession, newline: str):
    """Each as if sent separately, those of a change set among the others."""
    upload(my, "x.jpg", b"x")
    anne = office.add_user("anne")
    write = f"{my.base}/_api/SP.UserProfiles.PeopleManager/SetSingleValueProfileProperty"
    account = "i:0#.f|membership|anne@contoso.com"
    order = {"accountName": account, "propertyName": "Office", "propertyValue": "7"}
    items = [("GET", f"{my.base}{FILES}?$select=Name", ""), ("GET", f"{FILES}('no.jpg')", "")]
    writes = [("POST", write, json.dumps(order)), ("DELETE", f"{my.base}{FILES}('x.jpg')", "")]

    text = body_of(items, writes).replace("\r\n", newline)
    listed, missing, written, deleted = answers(post(my, text))

    assert (listed[0], json.loads(listed[1])) == (200, {"value": [{"Name": "x.jpg"}]})
    assert (missing[0], json.loads(missing[1])["odata.error"]["code"]) == (404, NO_FILE)
    assert (written[0], deleted[0]) == (200, 200)
    assert anne.profile
    assert anne.profile.properties == {"Office": "7"}
    assert office.tenant.picture_folder.files == {}
    inner = [one for one in office.tenant.journal.after(0) if one.get("batch")]
    assert [one["status"] for one in inner[-4:]] == [200, 404, 200, 200]


def test_rights_apply_to_items(office: Cloud):
    """An item in a batch needs the same rights as a separate request."""
    items = [("GET", "/_api/web/lists", "")]
    writes = [("POST", "/_api/web/folders", json.dumps({"ServerRelativeUrl": "/User Photos/x"}))]
    with office.session(office.tenant.urls.my, POOR_APP) as session:
        found = answers(post(session, body_of(items, writes)))

    assert [status for status, _ in found] == [200, 403]


GET: Item = ("GET", "/_api/web", "")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (body_of([], []), BOUNDARY),
        (body_of([GET], []), "application/json"),
        (body_of([GET], []), "multipart/mixed"),
        (body_of([GET], []), "multipart/mixed; boundary=other"),
        (body_of([GET], []).removesuffix("--b--\r\n"), BOUNDARY),
        (body_of([], [GET]), BOUNDARY),
        (body_of([GET] * 101, []), BOUNDARY),
        (body_of([("GET", "https://contoso.sharepoint.com/_api/web", "")], []), BOUNDARY),
        (body_of([("GET", "/_layouts/15/userphoto.aspx", "")], []), BOUNDARY),
        (body_of([("POST", "/_api/$batch", "")], []), BOUNDARY),
        (body_of([("FETCH", "/_api/web", "")], []), BOUNDARY),
        (body_of([("GET", "https://[/_api/web", "")], []), BOUNDARY),
        (body_of([("GET", "//evil.example/_api/web", "")], []), BOUNDARY),
        ("--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--", BOUNDARY),
        ("--b\r\nhello\r\n--b--", BOUNDARY),
        ("", BOUNDARY),
    ],
)
def test_malformed_batches(my: HostSession, text: str, kind: str):
    """400 for the whole batch."""
    answer = post(my, text, kind)

    assert answer.status_code == 400
    assert "odata.error" in answer.json()
