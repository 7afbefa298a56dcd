"""What SharePoint's error bodies mean, in each of their forms."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sharepoint.errors import ErrorBody, is_odata_null, read_error

CODE = "-2147024891, System.UnauthorizedAccessException"
TEXT = "Access denied."
VERBOSE = {"code": CODE, "message": {"lang": "en-US", "value": TEXT}}
XML = (
    '<?xml version="1.0" encoding="utf-8"?><m:error xmlns:m="http://schemas.microsoft.com/ado/'
    f'2007/08/dataservices/metadata"><m:code>{CODE}</m:code>'
    f'<m:message xml:lang="en-US">{TEXT}</m:message></m:error>'
)

FORMS: dict[str, tuple[object, ErrorBody]] = {
    "nometadata": ({"odata.error": VERBOSE}, ErrorBody(CODE, TEXT)),
    "verbose": ({"error": VERBOSE}, ErrorBody(CODE, TEXT)),
    "message as text": ({"error": {"code": CODE, "message": TEXT}}, ErrorBody(CODE, TEXT)),
    "code as number": ({"error": {"code": -1, "message": TEXT}}, ErrorBody("-1", TEXT)),
    "code alone": ({"odata.error": {"code": CODE}}, ErrorBody(CODE, "")),
    "message of another type": ({"error": {"message": {"value": 5}}}, ErrorBody("", "")),
    "token service": ({"error_description": TEXT}, ErrorBody("", TEXT)),
    "token service with a code": (
        {"error": "invalid_client", "error_description": TEXT},
        ErrorBody("invalid_client", TEXT),
    ),
    "no error at all": ({"odata.null": True}, ErrorBody("", "")),
    "XML": (XML, ErrorBody(CODE, TEXT)),
    "XML with byte order mark": ("\ufeff" + XML, ErrorBody(CODE, TEXT)),
    "XML without prefixes": (f"<error><code>{CODE}</code></error>", ErrorBody(CODE, "")),
    "XML with entities": ("<error><message>a &amp; b</message></error>", ErrorBody("", "a & b")),
    "XML cut off": (XML[: XML.index("<m:message")], ErrorBody(CODE, "")),
    "a page": ("<html><body>Sorry</body></html>", ErrorBody("", "")),
    "text": ("429 Too many requests", ErrorBody("", "429 Too many requests")),
    "cut JSON": ('{"odata.error":{"code', ErrorBody("", '{"odata.error":{"code')),
    "deep JSON": ('{"error":' * 2000, ErrorBody("", ('{"error":' * 2000)[:300])),
    "nothing": ("", ErrorBody("", "")),
    "white space": (" \r\n ", ErrorBody("", "")),
}


@pytest.mark.parametrize(("body", "meant"), FORMS.values(), ids=FORMS)
def test_every_form_is_understood(body, meant):
    """JSON with either key, XML, text and nothing give the same code and message."""
    text = body if isinstance(body, str) else json.dumps(body)

    assert read_error(text.encode()) == meant


@given(st.binary() | st.text().map(lambda text: f"{{{text}".encode()))
def test_any_body(body):
    """No body makes parsing raise."""
    assert all(isinstance(part, str) for part in read_error(body))


NULLS = {
    "null": (b'{"odata.null": true}', True),
    "not null": (b'{"odata.null": false}', False),
    "another object": (b'{"value": []}', False),
    "a list": (b'["odata.null"]', False),
    "no JSON": (b"odata.null", False),
    "deep JSON": (b"[" * 200_000, False),
}


@pytest.mark.parametrize(("body", "nothing"), NULLS.values(), ids=NULLS)
def test_null_object(body, nothing):
    """Only {"odata.null": true} says that the object does not exist."""
    assert is_odata_null(body) is nothing
