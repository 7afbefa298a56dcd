"""A request for several properties as XML, and what its responses mean."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from shared.errors import Refused
from shared.microsoft365.reply import Reply
from shared.sharepoint import process_query
from shared.sharepoint.errors import ErrorBody
from tests.shared.sharepoint.publishing_desk import CSOM

ACCOUNT = "i:0#.f|membership|anne.o'neil+x@contoso.com"
NOT_FOUND = "Microsoft.Office.Server.UserProfiles.UserNotFoundException"


def written(account: str, changes: dict[str, str]) -> list[tuple[str, ...]]:
    """What an XML parser reads in the request."""
    request = ET.fromstring(process_query.body(account, changes))
    return [
        tuple(each.text or "" for each in method.iter(f"{CSOM}Parameter"))
        for method in request.iter(f"{CSOM}Method")
    ]


def answered(content: object, status: int = 200) -> Reply:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Reply("sharepoint", status, {}, body)


def test_properties_in_their_order():
    """Each property is a method of its own, in the order given."""
    assert written(ACCOUNT, {"b": "1", "a": "", "c": "3"}) == [
        (ACCOUNT, "b", "1"),
        (ACCOUNT, "a", ""),
        (ACCOUNT, "c", "3"),
    ]


@pytest.mark.parametrize(
    "text",
    ["Jürgen Müßig", "\"'`", "a&b&amp;c", "</Parameter><Method>", "]]>", "😀", " a\tb\r\nc "],
)
def test_any_text(text):
    """An XML parser reads exactly the text that was given."""
    assert written(f"i:{text}", {"a": text}) == [(f"i:{text}", "a", text)]


@pytest.mark.parametrize("character", ["\0", "\x1b", "\x0b", "\ufffe", "\ud800"])
def test_character_that_xml_forbids(character):
    """It is refused before a request, in the account, a name or a value."""
    for account, name, value in (
        (character, "a", "b"),
        ("a", character, "b"),
        ("a", "b", character),
    ):
        assert not process_query.can_carry(account, {name: value})
        with pytest.raises(Refused):
            process_query.body(account, {name: value})


def test_success():
    """Only a response whose status and body both say that there is no error is success."""
    assert process_query.failure(answered([{"ErrorInfo": None}, 2, {"IsNull": False}])) is None
    with pytest.raises(Refused):
        process_query.failure(answered([{"ErrorInfo": None}], 500))


def test_error_in_a_200():
    """An error has the same number and type as over REST, whatever the status."""
    info = {"ErrorCode": -1, "ErrorTypeName": NOT_FOUND, "ErrorMessage": "Fehler"}
    error = process_query.failure(answered([{"ErrorInfo": info}]))

    assert error == ErrorBody(f"-1, {NOT_FOUND}", "Fehler")


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"<html>", b"null", b"[" * 100_000),
        *([], {}, [[]], [None], [{}], "ErrorInfo", {"ErrorInfo": None}),
        *([{"ErrorInfo": ""}], [{"ErrorInfo": []}], [{"ErrorInfo": {}}], [{"ErrorInfo": True}]),
        [{"ErrorInfo": {"ErrorCode": None, "ErrorTypeName": "x"}}],
        [{"ErrorInfo": {"ErrorCode": 1, "ErrorTypeName": None}}],
    ],
)
def test_malformed_response(content):
    """A response that says neither success nor an error is never success."""
    with pytest.raises(Refused):
        process_query.failure(answered(content))
