"""The simulated `ProcessQuery`, and pictures that `userphoto.aspx` serves instead of the file."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from local.m365.sharepoint import digests
from local.m365.tenant.records import User
from tests.local.m365.sharepoint.test_profiles import account, give_picture, photo
from tests.local.m365.simulator import POOR_APP, Cloud, HostSession

PEOPLE = "{cf560d69-0fdb-4489-a216-b6b47adf8ef8}"
XML = '<?xml version="1.0" encoding="{}"?>'
ENTITY = '<!DOCTYPE Request [<!ENTITY x "1">]>'
OPEN = '<ObjectPath Id="2" ObjectPathId="1" />'
FORGED = f"0x{'A' * 128},"


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
    session: HostSession, text: str, encoding: str = "utf-8", **headers: Any
) -> requests.Response:
    context = session.post("/_api/contextinfo").json()
    sent: dict[str, Any] = {
        "Content-Type": "text/xml",
        "X-RequestDigest": context["FormDigestValue"],
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return session.post(
        "/_vti_bin/client.svc/ProcessQuery", data=text.encode(encoding), headers=sent
    )


def error(answer: requests.Response) -> Any:
    return answer.json()[0]["ErrorInfo"]


def written(user: User) -> dict[str, str]:
    assert user.profile is not None
    return user.profile.properties


def test_several_properties_in_one_request(admin: HostSession, anne: User):
    """All are written in order; the first element has no error."""
    actions = method(3, anne, "Office", "1"), method(4, anne, "AboutMe", "x")
    answer = post(admin, body(OPEN, *actions))

    assert (answer.status_code, error(answer)) == (200, None)
    assert written(anne) == {"Office": "1", "AboutMe": "x"}


def test_first_error_stops_the_request(office: Cloud, admin: HostSession, anne: User):
    """The status is 200; earlier writes stay, later ones are not made."""
    office.tenant.switches.locked_properties = frozenset({"AboutMe"})
    names = ((3, "Office"), (4, "AboutMe"), (5, "Title"))
    answer = post(admin, body(OPEN, *(method(n, anne, name, "x") for n, name in names)))

    assert answer.status_code == 200
    assert error(answer)["ErrorTypeName"].endswith("PropertyNotEditableException")
    assert written(anne) == {"Office": "x"}


@pytest.mark.parametrize(
    ("case", "status"),
    [
        *(("no digest", 403), ("old digest", 403), ("forged", 403), ("another host's", 403)),
        *(("not ASCII", 403), ("JSON", 400), ("no role", 403), ("refused", 200)),
    ],
)
def test_refused(office: Cloud, admin: HostSession, anne: User, case: str, status: int):
    """Writing needs a fresh digest, text/xml, the role, and a tenant that allows apps to write."""
    urls, now = office.tenant.urls, office.tenant.now()
    cases: dict[str, dict[str, Any]] = {
        "no digest": {"X_RequestDigest": ""},
        "old digest": {"X_RequestDigest": digests.made(urls.admin, now - timedelta(seconds=1_802))},
        "forged": {"X_RequestDigest": f"{FORGED}{now:%d %b %Y %H:%M:%S} -0000"},
        "another host's": {"X_RequestDigest": digests.made(urls.my, now)},
        "not ASCII": {"X_RequestDigest": f"{FORGED}01 Fév 2026 12:00:00 -0000".encode("latin-1")},
        "JSON": {"Content_Type": "application/json"},
    }
    office.tenant.switches.csom = "refused" if case == "refused" else "served"
    with office.session(urls.admin, POOR_APP) as poor:
        session = poor if case == "no role" else admin
        text = body(OPEN, method(3, anne, "Office", "1"))
        answer = post(session, text, **cases.get(case, {}))

    assert answer.status_code == status
    assert case == "JSON" or error(answer)["ErrorTypeName"]
    assert written(anne) == {}


@pytest.mark.parametrize(
    "case",
    [
        *("order", "object", "path", "method", "parameters", "ids", "long id", "doctype"),
        *("doctype in UTF-16", "unknown encoding", "another encoding", "cut", "other"),
    ],
)
def test_malformed(admin: HostSession, anne: User, case: str):
    """A method follows the ObjectPath of a PeopleManager, is complete, and has the known name."""
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
        "unknown encoding": f"{XML.format('nonsense')}{body(OPEN, write)}",
        "another encoding": f"{XML.format('euc-jp')}{body(OPEN, write)}",
        "doctype": f"<!DOCTYPE Request>{body(OPEN, write)}",
        "cut": body(OPEN, write)[:-9],
        "other": "<Request />",
    }[case]

    answer = post(admin, text, encoding="utf-16" if "UTF-16" in case else "utf-8")

    assert answer.status_code == 200
    assert error(answer)["ErrorTypeName"].endswith("InvalidClientQueryException")
    assert written(anne) == {}


def test_old_picture_is_served_for_a_while(office: Cloud, anne: User):
    """The last picture served stays until the new file is as old as the switch says."""
    give_picture(office, anne, "M")
    office.tenant.switches.picture_cache_seconds = 60.0
    first = photo(office, anne, "M").content
    file = office.tenant.picture_folder.files["x_mthumb.jpg"]
    file.content, file.modified = b"new", office.tenant.now()

    assert photo(office, anne, "M").content == first
    office.tenant.switches.picture_cache_seconds = 0.0
    assert photo(office, anne, "M").content == b"new"


def test_people_service_shows_the_mailbox_photo(office: Cloud, anne: User):
    """Pages then do not show the picture in SharePoint."""
    give_picture(office, anne, "M")
    office.tenant.switches.pictures_from = "people service"

    assert photo(office, anne, "M").content != b"picture M"
