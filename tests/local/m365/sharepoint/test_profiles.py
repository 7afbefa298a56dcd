"""The simulated profile service and `userphoto.aspx`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.m365.sharepoint.photo import placeholder
from local.m365.tenant.records import User
from tests.local.m365.simulator import POOR_APP, Cloud

PEOPLE = "_api/SP.UserProfiles.PeopleManager"
LOCKED = "-1, Microsoft.Office.Server.UserProfiles.PropertyNotEditableException"


@pytest.fixture
def admin(office: Cloud) -> Iterator[requests.Session]:
    with office.session(office.tenant.urls.admin) as session:
        yield session


def account(user: User) -> str:
    return f"i:0#.f|membership|{user.user_principal_name}"


def read(office: Cloud, admin: requests.Session, name: str) -> requests.Response:
    literal = name.replace("'", "''")
    return admin.get(
        f"{office.tenant.urls.admin}/{PEOPLE}/GetPropertiesFor(accountName=@v)",
        params={"@v": f"'{literal}'"},
    )


def write(office: Cloud, admin: requests.Session, user: User, key: str, value: str) -> Any:
    body = {"accountName": account(user), "propertyName": key, "propertyValue": value}
    url = f"{office.tenant.urls.admin}/{PEOPLE}/SetSingleValueProfileProperty"
    return admin.post(url, json=body)


def listed(answer: requests.Response) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in answer.json()["UserProfileProperties"]}


def test_written_property_is_read_back(office: Cloud, admin: requests.Session):
    """One write sets one property, answered by a null; unset ones are empty."""
    anne = office.add_user("anne.o'brien+x")

    answer = write(office, admin, anne, "SPS-PicturePlaceholderState", "0")
    properties = listed(read(office, admin, account(anne)))

    assert answer.status_code == 200
    assert answer.json() == {"odata.null": True}
    assert properties["SPS-PicturePlaceholderState"] == "0"
    assert properties["SPS-PictureTimestamp"] == ""
    assert properties["AccountName"] == account(anne)


def test_property_can_be_emptied(office: Cloud, admin: requests.Session):
    """An empty value is allowed."""
    anne = office.add_user("anne")
    write(office, admin, anne, "PictureURL", "https://pictures.example/anne.jpg")

    assert write(office, admin, anne, "PictureURL", "").status_code == 200
    assert read(office, admin, account(anne)).json()["PictureUrl"] is None


def test_picture_url_carries_the_timestamp(office: Cloud, admin: requests.Session):
    """The top-level PictureUrl is the stored one plus the timestamp."""
    anne = office.add_user("anne")
    write(office, admin, anne, "PictureURL", "https://pictures.example/anne_MThumb.jpg")
    write(office, admin, anne, "SPS-PictureTimestamp", "63783110969")

    answer = read(office, admin, account(anne))

    assert answer.json()["PictureUrl"] == ("https://pictures.example/anne_MThumb.jpg?t=63783110969")
    assert listed(answer)["PictureURL"] == "https://pictures.example/anne_MThumb.jpg"


def test_renamed_user_has_a_renamed_account(office: Cloud, admin: requests.Session):
    """After a new UPN the profile is found by the new account only, with its properties."""
    anne = office.add_user("anne")
    write(office, admin, anne, "Office", "Room 7")
    old = account(anne)
    office.tenant.roster.rename(anne, "anne.smith@contoso.com")

    assert listed(read(office, admin, account(anne)))["Office"] == "Room 7"
    assert read(office, admin, old).json() == {"odata.null": True}


def test_sharepoint_learns_a_new_upn_late(office: Cloud, admin: requests.Session):
    """Until it does the profile is found by the old account only, with the old names in it."""
    anne = office.add_user("anne")
    old = account(anne)
    office.tenant.roster.rename(anne, "anne.smith@contoso.com")
    office.tenant.roster.name_in_sharepoint(anne, "anne@contoso.com")

    known = listed(read(office, admin, old))
    assert (known["AccountName"], known["msOnline-ObjectId"]) == (old, anne.id)
    assert read(office, admin, account(anne)).json() == {"odata.null": True}
    assert write(office, admin, anne, "Office", "Room 7").status_code == 500


@pytest.mark.parametrize("elsewhere", ["", "https://contosoeur-my.sharepoint.com/"])
def test_host_of_the_personal_site(office: Cloud, admin: requests.Session, elsewhere: str):
    """It is the one played here or the user's own, and then the profile is not written here."""
    anne = office.add_user("anne")
    anne.personal_host = elsewhere
    answer = read(office, admin, account(anne)).json()
    host = elsewhere or f"{office.tenant.urls.my}/"

    assert answer["PersonalSiteHostUrl"] == host
    assert answer["PersonalUrl"] == f"{host}personal/anne_contoso_com/"
    assert write(office, admin, anne, "Office", "7").status_code == (500 if elsewhere else 200)


@pytest.mark.parametrize(
    ("switch", "read_status", "write_status"),
    [("odata.null", 200, 500), ("404", 404, 404), ("500", 500, 500)],
)
def test_user_without_profile(
    office: Cloud, admin: requests.Session, switch: str, read_status: int, write_status: int
):
    """A missing profile reads as the switch says, and cannot be written."""
    office.tenant.switches.missing_profile = switch
    nobody = office.add_user("nobody", profile=False)

    answer = read(office, admin, account(nobody))
    refused = write(office, admin, nobody, "Office", "Room 7")

    assert answer.status_code == read_status
    if read_status == 200:
        assert answer.json() == {"odata.null": True}
    assert refused.status_code == write_status
    message = refused.json()["odata.error"]["message"]["value"]
    assert message.startswith("User Profile Error 1000: User Not Found")


@pytest.mark.parametrize("name", ["AccountName", "PictureURL"])
def test_locked_property(office: Cloud, admin: requests.Session, name: str):
    """A property that is locked, always or by the switch, is refused by name."""
    office.tenant.switches.locked_properties = frozenset({"PictureURL"})

    answer = write(office, admin, office.add_user("anne"), name, "x")

    assert answer.status_code == 500
    assert answer.json()["odata.error"]["code"] == LOCKED


def test_unknown_property_is_refused(office: Cloud, admin: requests.Session):
    """A misspelt property name does not pass silently."""
    answer = write(office, admin, office.add_user("anne"), "PictureUri", "x")

    assert answer.status_code == 500


@pytest.mark.parametrize("body", [b"", b"[]", b'{"accountName": "x"}', b"{"])
def test_malformed_write(office: Cloud, admin: requests.Session, body: bytes):
    """A body without the three members is refused."""
    url = f"{office.tenant.urls.admin}/{PEOPLE}/SetSingleValueProfileProperty"

    answer = admin.post(url, data=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert "accountName" in answer.text


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_write_says_that_it_is_json(office: Cloud, admin: requests.Session, kind: str | None):
    """The body is read as JSON only if the content type says so."""
    anne = office.add_user("anne")
    body = {"accountName": account(anne), "propertyName": "Office", "propertyValue": "Room 7"}
    url = f"{office.tenant.urls.admin}/{PEOPLE}/SetSingleValueProfileProperty"

    headers = {"Content-Type": kind} if kind else {}
    answer = admin.post(url, data=json.dumps(body).encode(), headers=headers)

    assert answer.status_code == 400
    assert listed(read(office, admin, account(anne)))["Office"] == ""


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
def test_picture_properties_have_their_forms(
    office: Cloud, admin: requests.Session, name: str, value: str, status: int
):
    """An address has a length, a timestamp is whole seconds or empty."""
    anne = office.add_user("anne")

    assert write(office, admin, anne, name, value).status_code == status
    assert listed(read(office, admin, account(anne)))[name] == (value if status == 200 else "")


def test_reading_role_does_not_write(office: Cloud):
    """User.Read.All reads profiles; writing them takes User.ReadWrite.All."""
    anne = office.add_user("anne")
    with office.session(office.tenant.urls.admin, POOR_APP) as session:
        allowed = read(office, session, account(anne))
        refused = write(office, session, anne, "Office", "Room 7")

    assert allowed.status_code == 200
    assert refused.status_code == 403


def test_root_and_my_hosts_serve_profiles_too(office: Cloud):
    """The people manager answers on every host, each with its own token."""
    anne = office.add_user("anne")
    literal = f"'{account(anne)}'"
    for base in (office.tenant.urls.root, office.tenant.urls.my):
        with office.session(base) as session:
            answer = session.post(
                f"{base}/{PEOPLE}/GetUserProfilePropertyFor(propertyName='workemail',accountName=@v)",
                params={"@v": literal},
            )
        assert answer.json() == {"value": "anne@contoso.com"}


def photo(office: Cloud, user: User, size: str) -> requests.Response:
    my = office.tenant.urls.my
    with office.session(my) as session:
        return session.get(
            f"{my}/_layouts/15/userphoto.aspx",
            params={"size": size, "accountname": account(user)},
            allow_redirects=False,
        )


def give_picture(office: Cloud, user: User, *sizes: str) -> None:
    base = office.tenant.urls.my
    with office.session(base) as session:
        for size in sizes:
            session.post(
                f"{base}/_api/web/GetFolderByServerRelativePath(decodedurl='/User Photos/Profile "
                f"Pictures')/Files/AddUsingPath(decodedurl='x_{size}Thumb.jpg',overwrite=true)",
                data=f"picture {size}".encode(),
            )
    assert user.profile is not None
    user.profile.properties["PictureURL"] = f"{base}/User%20Photos/Profile%20Pictures/x_MThumb.jpg"


def test_userphoto_swaps_the_suffix(office: Cloud):
    """Every size is the file beside the one that PictureURL names."""
    anne = office.add_user("anne")
    give_picture(office, anne, "S", "M", "L")

    assert [photo(office, anne, size).content for size in "SML"] == [
        b"picture S",
        b"picture M",
        b"picture L",
    ]


@pytest.mark.parametrize(
    "case", ["no picture", "placeholder state", "file missing", "no profile", "no URL"]
)
def test_userphoto_answers_with_a_placeholder(office: Cloud, case: str):
    """Without a picture to show the answer is 200 and the placeholder, a JPEG."""
    anne = office.add_user("anne")
    if case in ("placeholder state", "file missing"):
        give_picture(office, anne, "M")
    assert anne.profile is not None
    if case == "placeholder state":
        anne.profile.properties["SPS-PicturePlaceholderState"] = "1"
    if case == "no URL":
        anne.profile.properties["PictureURL"] = "https://pictures.example:port/anne.jpg"
    if case == "no profile":
        anne.profile = None

    answer = photo(office, anne, "L" if case == "file missing" else "M")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.content == placeholder()


def test_userphoto_sends_on_to_pictures_elsewhere(office: Cloud):
    """A picture outside this host is a redirect."""
    anne = office.add_user("anne")
    assert anne.profile is not None
    anne.profile.properties["PictureURL"] = "https://pictures.example/anne.jpg"

    answer = photo(office, anne, "M")

    assert answer.status_code == 302
    assert answer.headers["Location"] == "https://pictures.example/anne.jpg"


@pytest.mark.parametrize("form", ["kept", "gone"])
def test_profile_of_a_deleted_user(office: Cloud, admin: requests.Session, form: str):
    """It outlives its user for a while, or not; the restored user has it, or an empty one."""
    office.tenant.switches.deleted_profile = form
    anne = office.add_user("anne")
    write(office, admin, anne, "SPS-PicturePlaceholderState", "0")
    graph = f"{office.tenant.urls.graph}/v1.0"
    with office.session(office.tenant.urls.graph) as session:
        session.delete(f"{graph}/users/{anne.id}")
        found = read(office, admin, account(anne)).json()
        session.post(f"{graph}/directory/deletedItems/{anne.id}/restore")
        restored = listed(read(office, admin, account(anne)))["SPS-PicturePlaceholderState"]
        session.delete(f"{graph}/users/{anne.id}")
        session.delete(f"{graph}/directory/deletedItems/{anne.id}")

    assert ("UserProfileProperties" in found) is (form == "kept")
    assert restored == ("0" if form == "kept" else "")
    assert "UserProfileProperties" not in read(office, admin, account(anne)).json()
