"""The simulated `ProcessQuery`, and what `userphoto.aspx` serves in place of the file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from local.m365.sharepoint import digests
from local.m365.tenant.records import User
from tests.local.m365.sharepoint.test_profiles import account, give_picture, photo
from tests.local.m365.simulator import POOR_APP, Cloud

PEOPLE = "{cf560d69-0fdb-4489-a216-b6b47adf8ef8}"
XML = '<?xml version="1.0" encoding="{}"?>'
ENTITY = '<!DOCTYPE Request [<!ENTITY x "1">]>'
OPEN = '<ObjectPath Id="2" ObjectPathId="1" />'
Change = tuple[str, str]


@pytest.fixture
def anne(office: Cloud) -> User:
    return office.add_user("anne")


@pytest.fixture
def admin(office: Cloud) -> Iterator[requests.Session]:
    with office.session(office.tenant.urls.admin) as session:
        yield session


def method(number: int, user: User, name: str, value: str) -> str:
    given = "".join(
        f'<Parameter Type="String">{text}</Parameter>' for text in (account(user), name, value)
    )
    return (
        f'<Method Name="SetSingleValueProfileProperty" Id="{number}" ObjectPathId="1">'
        f"<Parameters>{given}</Parameters></Method>"
    )


def body(*actions: str, path: str = f'<Constructor Id="1" TypeId="{PEOPLE}" />') -> str:
    return (
        '<Request SchemaVersion="15.0.0.0" LibraryVersion="16.0.0.0" '
        'xmlns="http://schemas.microsoft.com/sharepoint/clientquery/2009">'
        f"<Actions>{''.join(actions)}</Actions><ObjectPaths>{path}</ObjectPaths></Request>"
    )


def post(
    office: Cloud, session: requests.Session, text: str, encoding: str = "utf-8", **headers: Any
) -> requests.Response:
    base = office.tenant.urls.admin
    context = session.post(f"{base}/_api/contextinfo").json()
    sent = {"Content-Type": "text/xml", "X-RequestDigest": context["FormDigestValue"]}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"{base}/_vti_bin/client.svc/ProcessQuery"
    return session.post(url, data=text.encode(encoding), headers=sent)


def error(answer: requests.Response) -> Any:
    return answer.json()[0]["ErrorInfo"]


def test_several_properties_in_one_request(office: Cloud, admin: requests.Session, anne: User):
    """All are written, in their order; the first element says that nothing is wrong."""
    answer = post(
        office, admin, body(OPEN, method(3, anne, "Office", "1"), method(4, anne, "AboutMe", "x"))
    )

    assert (answer.status_code, error(answer)) == (200, None)
    assert anne.profile is not None
    assert anne.profile.properties == {"Office": "1", "AboutMe": "x"}


def test_first_error_ends_it(office: Cloud, admin: requests.Session, anne: User):
    """It comes with 200; what was written before it stays, what follows is not written."""
    office.tenant.switches.locked_properties = frozenset({"AboutMe"})
    actions = [method(n, anne, name, "x") for n, name in ((3, "Office"), (4, "AboutMe"))]

    answer = post(office, admin, body(OPEN, *actions, method(5, anne, "Title", "x")))

    assert answer.status_code == 200
    assert error(answer)["ErrorTypeName"].endswith("PropertyNotEditableException")
    assert anne.profile is not None
    assert anne.profile.properties == {"Office": "x"}


@pytest.mark.parametrize(
    ("case", "status"),
    [
        *(("no digest", 403), ("old digest", 403), ("made up", 403), ("another host's", 403)),
        ("no ASCII", 403),
        ("JSON", 400),
        *(("no role", 403), ("refused", 200)),
    ],
)
def test_refused(office: Cloud, admin: requests.Session, anne: User, case: str, status: int):
    """Nothing is written without a fresh digest, text/xml and the role, nor where apps may not."""
    text = body(OPEN, method(3, anne, "Office", "1"))
    headers: dict[str, Any] = {}
    if case == "no digest":
        headers = {"X_RequestDigest": ""}
    if case == "made up":
        stamp = office.tenant.now()
        headers = {"X_RequestDigest": f"0x{'A' * 128},{stamp:%d %b %Y %H:%M:%S} -0000"}
    if case == "no ASCII":
        headers = {"X_RequestDigest": f"0x{'A' * 128},01 Fév 2026 12:00:00 -0000".encode("latin-1")}
    base, now = office.tenant.urls.admin, office.tenant.now()
    if case == "old digest":
        headers = {"X_RequestDigest": digests.made(base, now - timedelta(seconds=1_802))}
    if case == "another host's":
        headers = {"X_RequestDigest": digests.made(office.tenant.urls.my, now)}
    if case == "JSON":
        headers = {"Content_Type": "application/json"}
    if case == "refused":
        office.tenant.switches.csom = "refused"
    with office.session(office.tenant.urls.admin, POOR_APP) as poor:
        answer = post(office, poor if case == "no role" else admin, text, **headers)

    assert answer.status_code == status
    assert case == "JSON" or error(answer)["ErrorTypeName"]
    assert anne.profile is not None
    assert anne.profile.properties == {}


@pytest.mark.parametrize(
    "case",
    [
        *("order", "object", "path", "method", "parameters", "ids", "long id", "doctype"),
        *("doctype in UTF-16", "no encoding", "another encoding", "cut", "other"),
    ],
)
def test_malformed(office: Cloud, admin: requests.Session, anne: User, case: str):
    """A method comes after the ObjectPath of a PeopleManager, whole and of the one known name."""
    write, of_an_entity = (method(3, anne, "Office", value) for value in ("1", "&x;"))
    text = {
        "order": body(write, OPEN),
        "object": body(OPEN, write, path='<Constructor Id="1" TypeId="{0}" />'),
        "path": body(OPEN, write.replace('ObjectPathId="1"', 'ObjectPathId="7"')),
        "method": body(OPEN, write.replace("SetSingleValue", "SetMultiValue")),
        "parameters": body(OPEN, write.replace('Type="String"', 'Type="Int32"')),
        "ids": body(OPEN, write, method(3, anne, "Office", "2")),
        "long id": body(OPEN.replace('"2"', f'"{"2" * 5000}"'), write),
        "doctype in UTF-16": f"{XML.format('utf-16')}{ENTITY}{body(OPEN, of_an_entity)}",
        "no encoding": f"{XML.format('nonsense')}{body(OPEN, write)}",
        "another encoding": f"{XML.format('euc-jp')}{body(OPEN, write)}",
        "doctype": f"<!DOCTYPE Request>{body(OPEN, write)}",
        "cut": body(OPEN, write)[:-9],
        "other": "<Request />",
    }[case]

    answer = post(office, admin, text, encoding="utf-16" if "UTF-16" in case else "utf-8")

    assert answer.status_code == 200
    assert error(answer)["ErrorTypeName"].endswith("InvalidClientQueryException")
    assert anne.profile is not None
    assert anne.profile.properties == {}


def test_old_picture_is_served_for_a_while(office: Cloud, anne: User):
    """What a page has got goes on until the file is as old as the switch says."""
    give_picture(office, anne, "M")
    office.tenant.switches.picture_cache_seconds = 60.0
    first = photo(office, anne, "M").content
    file = office.tenant.picture_folder.files["x_mthumb.jpg"]
    file.content, file.modified = b"new", office.tenant.now()

    assert photo(office, anne, "M").content == first
    office.tenant.switches.picture_cache_seconds = 0.0
    assert photo(office, anne, "M").content == b"new"


def test_people_service_shows_the_mailbox(office: Cloud, anne: User):
    """Then no page shows what was written."""
    give_picture(office, anne, "M")
    office.tenant.switches.pictures_from = "people service"

    assert photo(office, anne, "M").content != b"picture M"
