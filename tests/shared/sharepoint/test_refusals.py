"""What SharePoint's refusals mean: no profile, no right, no folder, no patience."""

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


# Time enough for some waits in place.
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
    assert "with unexpected JSON" in str(error)


def by_the_name(owner: str) -> Answer:
    return answer({"UserProfileProperties": [{"Key": "msOnline-ObjectId", "Value": owner}]})


def test_profile_of_somebody_else():
    """Who is still known by the user's new name keeps the profile: the picture is not theirs."""
    error = refusal(CALLS["read a profile"], by_the_name("6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0"))

    assert isinstance(error, NoProfile)
    assert "still belongs to another user" in str(error)


@pytest.mark.parametrize("owner", ["", "00000000-0000-0000"], ids=["empty", "no object id"])
def test_profile_that_does_not_say_whose_it_is(owner):
    """A profile without an object id is taken for the one of its name."""
    profile = client(in_turn(by_the_name(owner))).profile(ANNE)

    assert profile["msOnline-ObjectId"] == owner


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


DENIED = "System.UnauthorizedAccessException"
# As Dutch and Ukrainian tenants were seen to say it; the code was the same (section 3).
DUTCH = "Toegang geweigerd. U bent niet gemachtigd om deze bewerking uit te voeren."
UKRAINIAN = "Доступ заборонено."


@pytest.mark.parametrize("text", [DUTCH, UKRAINIAN, ""], ids=["Dutch", "Ukrainian", "nothing"])
@pytest.mark.parametrize("code", [f"-1, {DENIED}", "-2147024891", f"-2147024891, {DENIED}"])
@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("call", ["write a property", "upload", "recycle"])
def test_denial_in_another_language(call, status, code, text):
    """A missing role is recognised by type or HRESULT, whatever the tenant's language is."""
    error = refusal(CALLS[call], sharepoint_error(status, code, text))

    assert isinstance(error, AccessDenied)
    assert "SharePoint application role" in str(error)


USER_NOT_FOUND = "-1, Microsoft.Office.Server.UserProfiles.UserNotFoundException"


@pytest.mark.parametrize("call", PROFILE_CALLS.values(), ids=PROFILE_CALLS)
def test_missing_profile_in_another_language(call):
    """So is a missing profile."""
    said = sharepoint_error(500, USER_NOT_FOUND, "Der Benutzer wurde nicht gefunden.")

    assert isinstance(refusal(call, said), NoProfile)


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        (f"-2147024891, {DENIED}", NOT_FOUND, AccessDenied),
        (USER_NOT_FOUND, "Access denied.", NoProfile),
    ],
    ids=["denied", "no user"],
)
def test_code_that_its_words_contradict(code, text, kind):
    """Words count only where the code says nothing."""
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
