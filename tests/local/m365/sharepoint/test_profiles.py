"""The simulated profile service and `userphoto.aspx`."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from local.m365.sharepoint.photo import placeholder
from local.m365.tenant.records import User
from tests.local.m365.picture_library import upload
from tests.local.m365.simulator import POOR_APP, Cloud, HostSession, refusal

PEOPLE = "/_api/SP.UserProfiles.PeopleManager"
WRITE = f"{PEOPLE}/SetSingleValueProfileProperty"
LOCKED = "-1, Microsoft.Office.Server.UserProfiles.PropertyNotEditableException"
ELSEWHERE = "https://pictures.example/anne_MThumb.jpg"


def account(user: User) -> str:
    return f"i:0#.f|membership|{user.user_principal_name}"


def read(session: HostSession, name: str) -> requests.Response:
    literal = name.replace("'", "''")
    path = f"{PEOPLE}/GetPropertiesFor(accountName=@v)"
    return session.get(path, params={"@v": f"'{literal}'"})


def write(session: HostSession, user: User, key: str, value: str) -> requests.Response:
    body = {"accountName": account(user), "propertyName": key, "propertyValue": value}
    return session.post(WRITE, json=body)


def properties(answer: requests.Response) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in answer.json()["UserProfileProperties"]}


def test_written_property_is_read_back(office: Cloud, admin: HostSession):
    """A write sets one property and is answered with null; unset properties are empty."""
    anne = office.add_user("anne.o'brien+x")

    answer = write(admin, anne, "SPS-PicturePlaceholderState", "0")
    found = properties(read(admin, account(anne)))

    assert (answer.status_code, answer.json()) == (200, {"odata.null": True})
    assert found["SPS-PicturePlaceholderState"] == "0"
    assert found["SPS-PictureTimestamp"] == ""
    assert found["AccountName"] == account(anne)


def test_picture_url_has_the_timestamp(admin: HostSession, anne: User):
    """The top-level PictureUrl is the stored one plus the timestamp, or null if it is emptied."""
    write(admin, anne, "PictureURL", ELSEWHERE)
    write(admin, anne, "SPS-PictureTimestamp", "63783110969")

    answer = read(admin, account(anne))

    assert answer.json()["PictureUrl"] == f"{ELSEWHERE}?t=63783110969"
    assert properties(answer)["PictureURL"] == ELSEWHERE
    assert write(admin, anne, "PictureURL", "").status_code == 200
    assert read(admin, account(anne)).json()["PictureUrl"] is None


@pytest.mark.parametrize("late", [False, True])
def test_account_of_a_renamed_user(office: Cloud, admin: HostSession, anne: User, late: bool):
    """Only the new account finds the profile; if SharePoint learns the UPN late, only the old."""
    write(admin, anne, "Office", "Room 7")
    old = account(anne)
    office.tenant.roster.rename(anne, "anne.smith@contoso.com")
    if late:
        office.tenant.roster.name_in_sharepoint(anne, "anne@contoso.com")
    known, other = (old, account(anne)) if late else (account(anne), old)

    found = properties(read(admin, known))
    assert (found["Office"], found["AccountName"]) == ("Room 7", known)
    assert found["msOnline-ObjectId"] == anne.id
    assert read(admin, other).json() == {"odata.null": True}
    assert write(admin, anne, "Office", "Room 8").status_code == (500 if late else 200)


@pytest.mark.parametrize("elsewhere", ["", "https://contosoeur-my.sharepoint.com/"])
def test_host_of_the_personal_site(office: Cloud, admin: HostSession, anne: User, elsewhere: str):
    """The simulated host or the user's own; in the latter case the profile is not written here."""
    anne.personal_host = elsewhere
    answer = read(admin, account(anne)).json()
    host = elsewhere or f"{office.tenant.urls.my}/"

    assert answer["PersonalSiteHostUrl"] == host
    assert answer["PersonalUrl"] == f"{host}personal/anne_contoso_com/"
    assert write(admin, anne, "Office", "7").status_code == (500 if elsewhere else 200)


@pytest.mark.parametrize(
    ("switch", "read_status", "write_status"),
    [("odata.null", 200, 500), ("404", 404, 404), ("500", 500, 500)],
)
def test_user_without_profile(
    office: Cloud, admin: HostSession, switch: str, read_status: int, write_status: int
):
    """The switch selects the answer to reads; a write is refused."""
    office.tenant.switches.missing_profile = switch
    user = office.add_user("nobody", profile=False)

    answer = read(admin, account(user))
    refused = write(admin, user, "Office", "Room 7")

    assert (answer.status_code, refused.status_code) == (read_status, write_status)
    assert read_status != 200 or answer.json() == {"odata.null": True}
    message = refused.json()["odata.error"]["message"]["value"]
    assert message.startswith("User Profile Error 1000: User Not Found")


@pytest.mark.parametrize(
    ("name", "code"),
    [("AccountName", LOCKED), ("PictureURL", LOCKED), ("PictureUri", "-1, ")],
    ids=["derived", "locked", "unknown"],
)
def test_property_that_cannot_be_written(
    office: Cloud, admin: HostSession, anne: User, name: str, code: str
):
    """A derived property, one that the switch locks, or an unknown one is 500."""
    office.tenant.switches.locked_properties = frozenset({"PictureURL"})

    status, found = refusal(write(admin, anne, name, "x"))

    assert status == 500
    assert found.startswith(code)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"accountName": "x"}', b"{"])
def test_malformed_write(admin: HostSession, body: bytes):
    """A body without the three members is refused."""
    answer = admin.post(WRITE, data=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert "accountName" in answer.text


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_write_needs_the_json_content_type(admin: HostSession, anne: User, kind: str | None):
    """The body is read as JSON only with that content type."""
    body = {"accountName": account(anne), "propertyName": "Office", "propertyValue": "Room 7"}

    headers = {"Content-Type": kind} if kind else {}
    answer = admin.post(WRITE, data=json.dumps(body).encode(), headers=headers)

    assert answer.status_code == 400
    assert properties(read(admin, account(anne)))["Office"] == ""


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("PictureURL", "https://x/".ljust(2048, "a"), 200),
        ("PictureURL", "https://x/".ljust(2049, "a"), 500),
        ("SPS-PictureTimestamp", "63783110969", 200),
        ("SPS-PictureTimestamp", "", 200),
        ("SPS-PictureTimestamp", "2026-01-01", 500),
        ("SPS-PictureTimestamp", "-1", 500),
        ("SPS-PictureTimestamp", "٣", 500),
    ],
)
def test_values_of_picture_properties(
    admin: HostSession, anne: User, name: str, value: str, status: int
):
    """A URL has a maximum length, a timestamp is whole seconds or empty."""
    assert write(admin, anne, name, value).status_code == status
    expected = value if status == 200 else ""
    assert properties(read(admin, account(anne)))[name] == expected


def test_reading_role_does_not_write(office: Cloud, anne: User):
    """User.Read.All reads profiles; writing needs User.ReadWrite.All."""
    with office.session(office.tenant.urls.admin, POOR_APP) as session:
        assert read(session, account(anne)).status_code == 200
        assert write(session, anne, "Office", "Room 7").status_code == 403


@pytest.mark.parametrize("host", ["root", "my"])
def test_other_hosts_serve_profiles_too(office: Cloud, anne: User, host: str):
    """The people manager answers on every host, each with its own token."""
    path = f"{PEOPLE}/GetUserProfilePropertyFor(propertyName='workemail',accountName=@v)"
    with office.session(getattr(office.tenant.urls, host)) as session:
        answer = session.post(path, params={"@v": f"'{account(anne)}'"})
    assert answer.json() == {"value": "anne@contoso.com"}


def photo(office: Cloud, user: User, size: str) -> requests.Response:
    query = {"size": size, "accountname": account(user)}
    with office.session(office.tenant.urls.my) as session:
        return session.get("/_layouts/15/userphoto.aspx", params=query, allow_redirects=False)


def set_picture_url(user: User, url: str) -> None:
    assert user.profile is not None
    user.profile.properties["PictureURL"] = url


def give_picture(office: Cloud, user: User, *sizes: str) -> None:
    base = office.tenant.urls.my
    with office.session(base) as session:
        for size in sizes:
            upload(session, f"x_{size}Thumb.jpg", f"picture {size}".encode())
    set_picture_url(user, f"{base}/User%20Photos/Profile%20Pictures/x_MThumb.jpg")


def test_userphoto_swaps_the_suffix(office: Cloud, anne: User):
    """Every size is the file next to the one that PictureURL names."""
    give_picture(office, anne, "S", "M", "L")

    found = [photo(office, anne, size).content for size in "SML"]
    assert found == [b"picture S", b"picture M", b"picture L"]


@pytest.mark.parametrize(
    "case", ["no picture", "placeholder state", "file missing", "no profile", "no URL"]
)
def test_userphoto_placeholder(office: Cloud, anne: User, case: str):
    """Without a picture to show, the answer is 200 with the placeholder, a JPEG."""
    if case in ("placeholder state", "file missing"):
        give_picture(office, anne, "M")
    assert anne.profile is not None
    if case == "placeholder state":
        anne.profile.properties["SPS-PicturePlaceholderState"] = "1"
    if case == "no URL":
        set_picture_url(anne, "https://pictures.example:port/anne.jpg")
    if case == "no profile":
        anne.profile = None

    answer = photo(office, anne, "L" if case == "file missing" else "M")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert answer.content == placeholder()


def test_userphoto_redirects_to_other_hosts(office: Cloud, anne: User):
    """A picture on another host is a redirect."""
    set_picture_url(anne, ELSEWHERE)

    answer = photo(office, anne, "M")

    assert (answer.status_code, answer.headers["Location"]) == (302, ELSEWHERE)


@pytest.mark.parametrize("form", ["kept", "gone"])
def test_profile_of_a_deleted_user(office: Cloud, admin: HostSession, anne: User, form: str):
    """A switch: it stays until the permanent deletion, or a restored user has an empty one."""
    office.tenant.switches.deleted_profile = form
    write(admin, anne, "SPS-PicturePlaceholderState", "0")
    deleted = f"/directory/deletedItems/{anne.id}"

    def found() -> Any:
        return read(admin, account(anne))

    with office.session(office.tenant.urls.graph) as session:
        session.delete(f"/users/{anne.id}")
        after_deletion = found().json()
        session.post(f"{deleted}/restore")
        restored = properties(found())["SPS-PicturePlaceholderState"]
        session.delete(f"/users/{anne.id}")
        session.delete(deleted)

    assert ("UserProfileProperties" in after_deletion) is (form == "kept")
    assert restored == ("0" if form == "kept" else "")
    assert "UserProfileProperties" not in found().json()
