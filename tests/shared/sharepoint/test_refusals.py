"""What SharePoint's refusals mean: a missing profile, role or folder, or a wait."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import (
    AccessDenied,
    Conflict,
    NoProfile,
    PhotoSyncError,
    Refused,
    ServiceDown,
    Throttled,
)
from tests.doubles.claims import covered
from tests.doubles.web import Answer, answer, in_turn
from tests.shared.sharepoint.test_client import ANNE, UPN, client


def sharepoint_error(status: int, code: str, text: str) -> Answer:
    return answer({"odata.error": {"code": code, "message": {"value": text}}}, status)


CALLS: dict[str, Any] = {
    "read a profile": lambda sharepoint: sharepoint.profile(ANNE),
    "write a property": lambda sharepoint: sharepoint.set_property(
        UPN, "PictureURL", "x", before_write=covered
    ),
    "upload": lambda sharepoint: sharepoint.upload("P", "x.jpg", b"x", before_write=covered),
    "recycle": lambda sharepoint: sharepoint.recycle("P", "x.jpg", before_write=covered),
    "list folders": lambda sharepoint: sharepoint.picture_folders(),
}
PROFILE_CALLS = {name: CALLS[name] for name in ("read a profile", "write a property")}
FILE_CALLS = {name: CALLS[name] for name in ("upload", "recycle", "list folders")}


def refusal(call: Any, said: Answer) -> PhotoSyncError:
    with pytest.raises(PhotoSyncError) as caught:
        call(client(in_turn(said)))
    return caught.value


# A missing profile

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
    """JSON of an unexpected shape is refused with a sentence."""
    error = refusal(CALLS[call], answer(shape))

    assert isinstance(error, Refused)
    assert "with unexpected JSON" in str(error)


def by_the_name(owner: str) -> Answer:
    return answer({"UserProfileProperties": [{"Key": "msOnline-ObjectId", "Value": owner}]})


def test_another_users_profile():
    """A profile of that name that belongs to another user is not the user's."""
    error = refusal(CALLS["read a profile"], by_the_name("6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0"))

    assert isinstance(error, NoProfile)
    assert "still belongs to another user" in str(error)


@pytest.mark.parametrize("owner", ["", "00000000-0000-0000"], ids=["empty", "no object id"])
def test_profile_without_an_owner(owner):
    """A profile without an object id is taken for the one with that name."""
    profile = client(in_turn(by_the_name(owner))).profile(ANNE)

    assert profile["msOnline-ObjectId"] == owner


@pytest.mark.parametrize("status", [404, 503])
def test_answer_without_a_profile(status):
    """An answer that says nothing about the profile does not mean that it is missing."""
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


ROLES = {
    **dict.fromkeys(PROFILE_CALLS, ("SharePoint application role User.ReadWrite.All",)),
    **dict.fromkeys(FILE_CALLS, ("Sites.Selected with write", "Sites.FullControl.All")),
}


@pytest.mark.parametrize("said", DENIALS.values(), ids=DENIALS)
@pytest.mark.parametrize("call", CALLS)
def test_denial_names_the_role(call, said):
    """The sentence names the missing role for profiles, or both roles for files."""
    error = refusal(CALLS[call], said)

    assert isinstance(error, AccessDenied)
    assert [role for role in ROLES[call] if role not in str(error)] == []


DENIED = "System.UnauthorizedAccessException"
# As seen in Dutch and Ukrainian tenants; the code was the same (section 3).
DUTCH = "Toegang geweigerd. U bent niet gemachtigd om deze bewerking uit te voeren."
UKRAINIAN = "Доступ заборонено."


@pytest.mark.parametrize("text", [DUTCH, UKRAINIAN, ""], ids=["Dutch", "Ukrainian", "nothing"])
@pytest.mark.parametrize("code", [f"-1, {DENIED}", "-2147024891", f"-2147024891, {DENIED}"])
@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("call", ["write a property", "upload", "recycle"])
def test_denial_in_another_language(call, status, code, text):
    """A missing role is recognised by type or HRESULT, whatever the tenant's language."""
    error = refusal(CALLS[call], sharepoint_error(status, code, text))

    assert isinstance(error, AccessDenied)
    assert "SharePoint application role" in str(error)


USER_NOT_FOUND = "-1, Microsoft.Office.Server.UserProfiles.UserNotFoundException"


@pytest.mark.parametrize("call", PROFILE_CALLS.values(), ids=PROFILE_CALLS)
@pytest.mark.parametrize(
    ("code", "text"),
    [(USER_NOT_FOUND, "Der Benutzer wurde nicht gefunden."), ("-1", NOT_FOUND)],
    ids=["German", "by text"],
)
def test_missing_profile_by_type_or_text(call, code, text):
    """A missing profile is recognised the same way, in reads and writes."""
    assert isinstance(refusal(call, sharepoint_error(500, code, text)), NoProfile)


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        (f"-2147024891, {DENIED}", NOT_FOUND, AccessDenied),
        (USER_NOT_FOUND, "Access denied.", NoProfile),
    ],
    ids=["denied", "no user"],
)
def test_code_that_its_text_contradicts(code, text, kind):
    """The text counts only if the code says nothing."""
    error = refusal(CALLS["write a property"], sharepoint_error(500, code, text))

    assert isinstance(error, kind)


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize(
    "text",
    [
        "Access denied. You do not have permission to perform this action.",
        "This operation requires you to be managing your own data or to have permissions.",
        "Zugriff verweigert (Ausnahme von HRESULT: 0x80070005 (E_ACCESSDENIED))",
    ],
    ids=["access denied", "own data", "HRESULT"],
)
def test_denial_by_text_only(status, text):
    """A missing role is recognised by the text, whatever the status."""
    error = refusal(CALLS["write a property"], sharepoint_error(status, "-1", text))

    assert isinstance(error, AccessDenied)
    assert "User.ReadWrite.All" in str(error)


def test_locked_property():
    """A property that an administrator locked is named."""
    code = "-1, Microsoft.Office.Server.UserProfiles.PropertyNotEditableException"
    said = sharepoint_error(500, code, "Property not editable: PictureURL")
    error = refusal(CALLS["write a property"], said)

    assert isinstance(error, Refused)
    assert "administrator locked" in str(error)
    assert "PictureURL" in str(error)


def test_missing_folder():
    """An upload into a missing folder names the folder, and the setting to check."""
    said = sharepoint_error(404, "-2147024894, System.IO.FileNotFoundException", "File Not Found.")
    error = refusal(CALLS["upload"], said)

    assert isinstance(error, Refused)
    assert "/User Photos/P " in str(error)
    assert "PICTURE_FOLDER" in str(error)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Answer(429), Throttled),
        (Answer(429, b"Access denied: too many requests"), Throttled),
        (Answer(503, b"<html>"), Throttled),
        (Answer(500), ServiceDown),
        (Answer(423), Conflict),
        (sharepoint_error(400, "-2147024809, System.ArgumentException", "Outside."), Refused),
    ],
    ids=["429", "429 with the text of a denial", "503", "500", "423", "400"],
)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_any_other_answer(call, said, kind):
    """An answer unrelated to roles, profiles or folders means the same as everywhere."""
    assert type(refusal(call, said)) is kind


@pytest.mark.parametrize("call", ["read a profile", "list folders"])
def test_cut_answer(call):
    """A truncated body is a temporary error."""
    assert isinstance(refusal(CALLS[call], Answer(200, b'{"value": [')), ServiceDown)
