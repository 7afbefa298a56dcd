"""What is sent to SharePoint, and what its answers mean."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import requests

from shared.errors import (
    AccessDenied,
    ClaimLost,
    Conflict,
    NoProfile,
    PhotoSyncError,
    Refused,
    ServiceDown,
    Throttled,
)
from shared.sharepoint import SharePointClient
from tests.web import NOON, Answer, Web, answer, http, in_turn

UPN = "anne.o'neil+x@contoso.com"
ACCOUNT = "i:0#.f|membership|anne.o'neil+x@contoso.com"
IN_ADDRESS = "'i%3A0%23.f%7Cmembership%7Canne.o%27%27neil%2Bx%40contoso.com'"
PEOPLE = "https://admin.contoso.com/_api/SP.UserProfiles.PeopleManager"


def client(web: Web) -> SharePointClient:
    return SharePointClient(
        files=http(web, audience="https://my.contoso.com"),
        profiles=http(web, audience="https://admin.contoso.com"),
    )


def sharepoint_error(status: int, code: str, text: str) -> Answer:
    return answer({"odata.error": {"code": code, "message": {"value": text}}}, status)


class Listener:
    """Keeps the last request and gives one answer."""

    def __init__(self, said: Answer) -> None:
        self._said = said
        self.request = requests.PreparedRequest()

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        self.request = request
        return self._said


# Time enough for some waits in place.
LATER = NOON + timedelta(minutes=1)
CALLS: dict[str, Any] = {
    "read a profile": lambda sharepoint: sharepoint.profile(UPN),
    "write a property": lambda sharepoint: sharepoint.set_property(
        UPN, "PictureURL", "x", not_after=LATER
    ),
    "upload": lambda sharepoint: sharepoint.upload("P", "x.jpg", b"x", not_after=LATER),
    "recycle": lambda sharepoint: sharepoint.recycle("P", "x.jpg", not_after=LATER),
    "list folders": lambda sharepoint: sharepoint.picture_folders(),
}
PROFILE_CALLS = {name: CALLS[name] for name in ("read a profile", "write a property")}
FILE_CALLS = {name: CALLS[name] for name in ("upload", "recycle", "list folders")}


def refusal(call: Any, said: Answer) -> PhotoSyncError:
    with pytest.raises(PhotoSyncError) as caught:
        call(client(in_turn(said)))
    return caught.value


# What is sent


def test_profile_is_read():
    """All properties come by name; one without a value is empty."""
    web = Listener(
        answer(
            {
                "AccountName": ACCOUNT,
                "UserProfileProperties": [
                    {"Key": "PictureURL", "Value": "https://x", "ValueType": "Edm.String"},
                    {"Key": "AboutMe", "Value": None, "ValueType": "Edm.String"},
                ],
            }
        )
    )

    assert client(web).profile(UPN) == {"PictureURL": "https://x", "AboutMe": ""}
    assert web.request.url == f"{PEOPLE}/GetPropertiesFor(accountName=@v)?@v={IN_ADDRESS}"
    assert web.request.headers["Accept"] == "application/json;odata=nometadata"


def test_property_is_written():
    """A property is written on the admin host, by account name, as JSON."""
    web = Listener(answer({"odata.null": True}))
    client(web).set_property(UPN, "PictureURL", "", not_after=NOON)

    assert (web.request.method, web.request.url) == (
        "POST",
        f"{PEOPLE}/SetSingleValueProfileProperty",
    )
    assert json.loads(web.request.body or b"") == {
        "accountName": ACCOUNT,
        "propertyName": "PictureURL",
        "propertyValue": "",
    }


def test_file_is_recycled():
    """A file goes to the recycle bin, by its path with quotes doubled."""
    web = Listener(answer({"value": "a-guid"}))
    client(web).recycle("Profile Pictures", "o'neil_MThumb.jpg", not_after=NOON)

    assert (web.request.method, web.request.url) == (
        "POST",
        "https://my.contoso.com/_api/web/GetFileByServerRelativePath(decodedurl="
        "'%2FUser%20Photos%2FProfile%20Pictures%2Fo%27%27neil_MThumb.jpg')/recycle()",
    )


def test_file_that_arrived_in_part():
    """A file that SharePoint kept only a part of is not there yet."""
    with pytest.raises(ServiceDown, match="kept 3 of 7 bytes"):
        client(in_turn(answer({"Length": "3"}))).upload("P", "x.jpg", b"picture", not_after=NOON)


def test_file_that_is_gone_already():
    """Recycling a file that is not there is no error: somebody was faster."""
    client(in_turn(Answer(404))).recycle("P", "x.jpg", not_after=NOON)


def test_file_is_uploaded():
    """A file goes to the My Site host as raw bytes, its names quoted and encoded."""
    web = Listener(answer({"Exists": True}))
    client(web).upload("Anne's #1", "a+b_MThumb.jpg", b"\xff\xd8", not_after=NOON)

    assert web.request.url == (
        "https://my.contoso.com/_api/web/GetFolderByServerRelativePath"
        "(decodedurl='%2FUser%20Photos%2FAnne%27%27s%20%231')"
        "/Files/AddUsingPath(decodedurl='a%2Bb_MThumb.jpg',overwrite=true)"
    )
    assert web.request.body == b"\xff\xd8"


def test_folders_are_listed():
    """The picture library's folders come by name, without its own Forms."""
    web = Listener(
        answer({"value": [{"Name": "Forms"}, {"Name": "FORMS"}, {"Name": "Profilbilder"}]})
    )

    assert client(web).picture_folders() == ["Profilbilder"]
    assert str(web.request.url).startswith(
        "https://my.contoso.com/_api/web/GetFolderByServerRelativePath"
        "(decodedurl='%2FUser%20Photos')/Folders"
    )


@pytest.mark.parametrize("call", ["write a property", "upload"])
def test_no_write_after_its_time(call):
    """A write whose time is over is not sent."""
    web = Listener(answer({}))
    service = http(web)
    late = NOON - timedelta(seconds=1)
    sharepoint = SharePointClient(service, service)
    writes = {
        "write a property": lambda: sharepoint.set_property(UPN, "a", "b", not_after=late),
        "upload": lambda: sharepoint.upload("P", "x.jpg", b"x", not_after=late),
    }

    with pytest.raises(ClaimLost):
        writes[call]()
    assert web.request.url is None


# A profile that is not there


NOT_FOUND = "User Profile Error 1000: User Not Found: Could not load profile data."


@pytest.mark.parametrize(
    "said",
    [
        answer({"odata.null": True}),
        Answer(200, b"null"),
        answer({"odata.null": True}, 404),
        answer({"odata.null": True}, 500),
        sharepoint_error(500, "-1, Microsoft.Office.Server.UserProfiles.UserNotFound", NOT_FOUND),
        sharepoint_error(404, "-1", NOT_FOUND.upper()),
    ],
    ids=["200 null object", "200 null", "404 null", "500 null", "500 text", "404 text"],
)
def test_missing_profile(said):
    """Every form of a missing profile is settled, and the sentence says when there will be one."""
    error = refusal(CALLS["read a profile"], said)

    assert isinstance(error, NoProfile)
    assert "first visit" in str(error)


@pytest.mark.parametrize(
    ("call", "shape"),
    [
        ("read a profile", []),
        ("read a profile", {}),
        ("read a profile", {"UserProfileProperties": None}),
        ("read a profile", {"UserProfileProperties": [{"Key": "PictureURL"}]}),
        ("list folders", None),
        ("list folders", []),
        ("list folders", {}),
        ("list folders", {"value": None}),
        ("list folders", {"value": [{}]}),
    ],
)
def test_answer_of_another_shape(call, shape):
    """JSON of a shape that nobody foresaw is refused with a sentence."""
    error = refusal(CALLS[call], answer(shape))

    assert isinstance(error, Refused)
    assert "JSON of an unknown shape" in str(error)


def test_missing_profile_at_a_write():
    """A profile that is gone when it is written to is missing, too."""
    error = refusal(CALLS["write a property"], sharepoint_error(500, "-1", NOT_FOUND))

    assert isinstance(error, NoProfile)


@pytest.mark.parametrize("status", [404, 503])
def test_profile_that_nobody_could_look_for(status):
    """An answer that says nothing about the profile is not taken for a missing one."""
    error = refusal(CALLS["read a profile"], Answer(status, b""))

    assert not isinstance(error, NoProfile)


# Refusals


XML_403 = Answer(
    403,
    b'<?xml version="1.0"?><m:error xmlns:m="x"><m:code>-2147024891, '
    b"System.UnauthorizedAccessException</m:code><m:message>Access denied.</m:message></m:error>",
)
DENIALS = {
    "JSON": sharepoint_error(403, "-2147024891, System.UnauthorizedAccessException", "Denied."),
    "XML": XML_403,
    "text": Answer(403, b"403 FORBIDDEN"),
    "nothing": Answer(403),
    "401": answer({"error_description": "Unsupported app only token."}, 401),
}


@pytest.mark.parametrize("said", DENIALS.values(), ids=DENIALS)
@pytest.mark.parametrize("call", PROFILE_CALLS.values(), ids=PROFILE_CALLS)
def test_denied_profile_names_the_role(call, said):
    """Whoever may not reach profiles is told the role that is missing."""
    error = refusal(call, said)

    assert isinstance(error, AccessDenied)
    assert "SharePoint application role User.ReadWrite.All" in str(error)


@pytest.mark.parametrize("said", DENIALS.values(), ids=DENIALS)
@pytest.mark.parametrize("call", FILE_CALLS.values(), ids=FILE_CALLS)
def test_denied_files_name_the_role(call, said):
    """Whoever may not reach files is told both roles that would do."""
    error = refusal(call, said)

    assert isinstance(error, AccessDenied)
    assert "Sites.Selected with write" in str(error)
    assert "Sites.FullControl.All" in str(error)


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize(
    "text",
    [
        "Access denied. You do not have permission to perform this action.",
        "This operation requires you to be managing your own data or to have permissions.",
    ],
    ids=["access denied", "own data"],
)
def test_denial_in_words_only(status, text):
    """A missing role is recognised by its words, whatever the status is."""
    error = refusal(CALLS["write a property"], sharepoint_error(status, "-1", text))

    assert isinstance(error, AccessDenied)
    assert "User.ReadWrite.All" in str(error)


def test_throttled_in_words_of_a_denial():
    """A 429 is patience and not a denial, whatever its words are."""
    error = refusal(CALLS["write a property"], Answer(429, b"Access denied: too many requests"))

    assert isinstance(error, Throttled)


def test_locked_property():
    """A property that an administrator locked is named as such."""
    error = refusal(
        CALLS["write a property"],
        sharepoint_error(
            500,
            "-1, Microsoft.Office.Server.UserProfiles.PropertyNotEditableException",
            "Property not editable: PictureURL",
        ),
    )

    assert isinstance(error, Refused)
    assert "administrator locked" in str(error)
    assert "PictureURL" in str(error)


def test_missing_folder():
    """An upload into a folder that is not there says which one, and which setting to look at."""
    said = sharepoint_error(404, "-2147024894, System.IO.FileNotFoundException", "File Not Found.")
    error = refusal(CALLS["upload"], said)

    assert isinstance(error, Refused)
    assert "/User Photos/P " in str(error)
    assert "PICTURE_FOLDER" in str(error)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Answer(429), Throttled),
        (Answer(503, b"<html>"), Throttled),
        (Answer(500), ServiceDown),
        (Answer(423), Conflict),
        (sharepoint_error(400, "-2147024809, System.ArgumentException", "Outside."), Refused),
    ],
    ids=["429", "503", "500", "423", "400"],
)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_any_other_answer(call, said, kind):
    """What is no matter of roles, profiles or folders means what it means everywhere."""
    assert type(refusal(call, said)) is kind


@pytest.mark.parametrize("call", ["read a profile", "list folders"])
def test_cut_answer(call):
    """A body that ends too early is a passing fault."""
    assert isinstance(refusal(CALLS[call], Answer(200, b'{"value": [')), ServiceDown)
