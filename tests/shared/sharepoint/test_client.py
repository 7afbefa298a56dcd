"""What is sent to SharePoint: URLs, bodies, and nothing that the claim does not cover."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shared.errors import AccessDenied, ClaimLost, EndlessList, NoProfile, ServiceDown
from shared.sharepoint.client import SharePointClient
from shared.user import User
from shared.written_file import WrittenFile
from tests.doubles.claims import covered, lost
from tests.doubles.web import Answer, Recorded, Web, answer, http, in_turn
from tests.shared.sharepoint.publishing_desk import ID

UPN = "anne.o'neil+x@contoso.com"
ANNE = User(ID, UPN, account_enabled=True, is_guest=False)
ACCOUNT = "i:0#.f|membership|anne.o'neil+x@contoso.com"
IN_ADDRESS = "'i%3A0%23.f%7Cmembership%7Canne.o%27%27neil%2Bx%40contoso.com'"
PEOPLE = "https://admin.contoso.com/_api/SP.UserProfiles.PeopleManager"


def client(web: Web) -> SharePointClient:
    return SharePointClient(
        files=http(web, audience="https://my.contoso.com"),
        profiles=http(web, audience="https://admin.contoso.com"),
    )


def test_profile_is_read():
    """All properties are read by name, as text; one without a value is empty."""
    web = Recorded(
        answer(
            {
                "AccountName": ACCOUNT,
                "UserProfileProperties": [
                    {"Key": "PictureURL", "Value": "https://x", "ValueType": "Edm.String"},
                    {"Key": "AboutMe", "Value": None, "ValueType": "Edm.String"},
                    {"Key": "Office", "Value": ["x"]},
                    {"Key": "msOnline-ObjectId", "Value": ID.upper(), "ValueType": "Edm.String"},
                ],
                "PersonalSiteHostUrl": 7,
            }
        )
    )

    assert client(web).profile(ANNE) == {
        "PictureURL": "https://x",
        "AboutMe": "",
        "Office": "['x']",
        "msOnline-ObjectId": ID.upper(),
        "PersonalSiteHostUrl": "7",
    }
    assert web.request.url == f"{PEOPLE}/GetPropertiesFor(accountName=@v)?@v={IN_ADDRESS}"
    assert web.request.headers["Accept"] == "application/json;odata=nometadata"


@pytest.mark.parametrize(
    "upn", ["", "half \ud800@contoso.com", "x" * 5000], ids=["none", "half", "long"]
)
def test_profile_of_an_invalid_name(upn):
    """A name typed into a state that no URL can contain has no profile."""

    web = Recorded(answer({}))

    with pytest.raises(NoProfile):
        client(web).profile(replace(ANNE, user_principal_name=upn))
    assert web.requests == []


def test_property_is_written():
    """A property is written on the admin host, by account name, as JSON."""
    web = Recorded(answer({"odata.null": True}))
    client(web).set_property(UPN, "PictureURL", "", before_write=covered)

    assert (web.request.method, web.request.url) == (
        "POST",
        f"{PEOPLE}/SetSingleValueProfileProperty",
    )
    assert json.loads(web.request.body or b"") == {
        "accountName": ACCOUNT,
        "propertyName": "PictureURL",
        "propertyValue": "",
    }


@pytest.mark.parametrize(
    "response", [answer({"value": "a-guid"}), Answer(404)], ids=["there", "gone"]
)
def test_file_is_recycled(response):
    """A file is moved to the recycle bin, by its path with quotes doubled, unless it is gone."""
    web = Recorded(response)
    client(web).recycle("Profile Pictures", "o'neil_MThumb.jpg", before_write=covered)

    assert (web.request.method, web.request.url) == (
        "POST",
        "https://my.contoso.com/_api/web/GetFileByServerRelativePath(decodedurl="
        "'%2FUser%20Photos%2FProfile%20Pictures%2Fo%27%27neil_MThumb.jpg')/recycle()",
    )


def test_truncated_upload():
    """If SharePoint stored only a part of the file, the upload has failed for now."""
    with pytest.raises(ServiceDown, match="stored only 3 of 7 bytes"):
        client(in_turn(answer({"Length": "3"}))).upload(
            "P", "x.jpg", b"picture", before_write=covered
        )


def test_file_is_uploaded():
    """A file goes to the My Site host as raw bytes, its names quoted and encoded."""
    web = Recorded(answer({"Exists": True}))
    client(web).upload("Anne's #1", "a+b_MThumb.jpg", b"\xff\xd8", before_write=covered)

    assert web.request.url == (
        "https://my.contoso.com/_api/web/GetFolderByServerRelativePath"
        "(decodedurl='%2FUser%20Photos%2FAnne%27%27s%20%231')"
        "/Files/AddUsingPath(decodedurl='a%2Bb_MThumb.jpg',overwrite=true)"
    )
    assert web.request.body == b"\xff\xd8"


def test_upload_returns_the_etag():
    """The file's ETag in SharePoint is returned: later checks compare it."""
    stored = answer({"ETag": '"{A},1"', "Length": "7"})

    assert client(in_turn(stored)).upload(
        "P", "x.jpg", b"picture", before_write=covered
    ) == WrittenFile.of(b"picture", '"{A},1"')


def test_metadata_of_a_file():
    """ETag and length of one file are requested, and no byte of it."""
    web = Recorded(answer({"ETag": '"{A},2"', "Length": "7"}))

    assert client(web).file("P", "x.jpg") == ('"{A},2"', 7)
    assert str(web.request.url).endswith(
        "/GetFileByServerRelativePath(decodedurl='%2FUser%20Photos%2FP%2Fx.jpg')"
        "?$select=ETag,Length"
    )


def test_metadata_of_a_missing_file():
    """A missing file is None; a refusal is an error all the same."""
    assert client(in_turn(Answer(404))).file("P", "x.jpg") is None
    with pytest.raises(AccessDenied):
        client(in_turn(Answer(403))).file("P", "x.jpg")


def test_folders_are_listed():
    """The picture library's folders are listed by name, without its own Forms."""
    web = Recorded(
        answer({"value": [{"Name": "Forms"}, {"Name": "FORMS"}, {"Name": "Profilbilder"}]})
    )

    assert client(web).picture_folders() == ["Profilbilder"]
    assert str(web.request.url).startswith(
        "https://my.contoso.com/_api/web/GetFolderByServerRelativePath"
        "(decodedurl='%2FUser%20Photos')/Folders"
    )


def test_folders_come_in_pages():
    """The picture folder may be on a later page; pages that repeat raise an error."""
    link = "https://my.contoso.com/_api/web/Folders?$skiptoken=1"
    first = answer({"value": [], "odata.nextLink": link})

    found = client(in_turn(first, answer({"value": [{"Name": "Profilbilder"}]}))).picture_folders()

    assert found == ["Profilbilder"]
    with pytest.raises(EndlessList):
        client(in_turn(first)).picture_folders()


@pytest.mark.parametrize(
    "write",
    [
        lambda sharepoint: sharepoint.set_property(UPN, "a", "b", before_write=lost),
        lambda sharepoint: sharepoint.upload("P", "x.jpg", b"x", before_write=lost),
    ],
    ids=["property", "upload"],
)
def test_no_write_without_a_claim(write):
    """A write that the claim does not cover is not sent."""
    web = Recorded(answer({}))

    with pytest.raises(ClaimLost):
        write(client(web))
    assert web.requests == []
