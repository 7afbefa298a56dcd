"""What SharePoint's refusals mean: a missing profile, role or folder, or a wait."""

from __future__ import annotations

import itertools
from dataclasses import replace
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


def refusal(call: Any, response: Answer) -> PhotoSyncError:
    with pytest.raises(PhotoSyncError) as caught:
        call(client(in_turn(response)))
    return caught.value


# A missing profile

NOT_FOUND = "User Profile Error 1000: User Not Found: Could not load profile data."
USER_NOT_FOUND = "-1, Microsoft.Office.Server.UserProfiles.UserNotFoundException"
NULL = answer({"odata.null": True})
MISSING = {
    "404 null": replace(NULL, status=404),
    "500 null": replace(NULL, status=500),
    "by type": sharepoint_error(500, USER_NOT_FOUND, "Der Benutzer wurde nicht gefunden."),
    "by type, not by text": sharepoint_error(500, USER_NOT_FOUND, "Access denied."),
    "by text": sharepoint_error(500, "-1", NOT_FOUND),
    "404 text": sharepoint_error(404, "-1", NOT_FOUND.upper()),
}


@pytest.mark.parametrize(
    ("call", "response"),
    [
        *itertools.product(PROFILE_CALLS, MISSING.values()),
        ("read a profile", NULL),
        ("read a profile", Answer(200, b"null")),
    ],
)
def test_missing_profile(call, response):
    """Every form of a missing profile is settled, and the sentence says when there will be one."""
    error = refusal(CALLS[call], response)

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


DENIED = "System.UnauthorizedAccessException"
# As seen in Dutch and Ukrainian tenants; the code was the same (section 3).
DUTCH = "Toegang geweigerd. U bent niet gemachtigd om deze bewerking uit te voeren."
UKRAINIAN = "Доступ заборонено."
ENGLISH = "Access denied. You do not have permission to perform this action."
OWN_DATA = "This operation requires you to be managing your own data or to have permissions."
GERMAN = "Zugriff verweigert (Ausnahme von HRESULT: 0x80070005 (E_ACCESSDENIED))"
DENIALS = {
    "403": Answer(403),
    "401": answer({"error_description": "Unsupported app only token."}, 401),
    "by type": sharepoint_error(400, f"-1, {DENIED}", DUTCH),
    "by HRESULT": sharepoint_error(500, "-2147024891", UKRAINIAN),
    "by code, not by text": sharepoint_error(500, f"-2147024891, {DENIED}", NOT_FOUND),
    "by text": sharepoint_error(400, "-1", ENGLISH),
    "own data": sharepoint_error(500, "-1", OWN_DATA),
    "HRESULT in the text": sharepoint_error(500, "-1", GERMAN),
}
ROLES = {
    **dict.fromkeys(PROFILE_CALLS, ("SharePoint application role User.ReadWrite.All",)),
    **dict.fromkeys(FILE_CALLS, ("Sites.Selected with write", "Sites.FullControl.All")),
}


@pytest.mark.parametrize("response", DENIALS.values(), ids=DENIALS)
@pytest.mark.parametrize("call", CALLS)
def test_denial_names_the_role(call, response):
    """
    The sentence names the missing role for profiles, or both roles for files.

    A denial is recognised in any language; the text counts only if the code says nothing.
    """
    error = refusal(CALLS[call], response)

    assert isinstance(error, AccessDenied)
    assert [role for role in ROLES[call] if role not in str(error)] == []


def test_locked_property():
    """A property that an administrator locked is named."""
    code = "-1, Microsoft.Office.Server.UserProfiles.PropertyNotEditableException"
    response = sharepoint_error(500, code, "Property not editable: PictureURL")
    error = refusal(CALLS["write a property"], response)

    assert isinstance(error, Refused)
    assert "administrator locked" in str(error)
    assert "PictureURL" in str(error)


def test_missing_folder():
    """An upload into a missing folder names the folder, and the setting to check."""
    response = sharepoint_error(
        404, "-2147024894, System.IO.FileNotFoundException", "File Not Found."
    )
    error = refusal(CALLS["upload"], response)

    assert isinstance(error, Refused)
    assert "/User Photos/P " in str(error)
    assert "PICTURE_FOLDER" in str(error)


@pytest.mark.parametrize(
    ("response", "kind"),
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
def test_any_other_answer(call, response, kind):
    """An answer unrelated to roles, profiles or folders means the same as everywhere."""
    assert type(refusal(call, response)) is kind


@pytest.mark.parametrize("call", ["read a profile", "list folders"])
def test_cut_answer(call):
    """A truncated body is a temporary error."""
    assert isinstance(refusal(CALLS[call], Answer(200, b'{"value": [')), ServiceDown)
