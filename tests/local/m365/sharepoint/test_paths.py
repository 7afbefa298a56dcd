"""REST paths as data: whatever a literal holds comes out as it went in."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.m365.sharepoint.errors import SharePointError
from local.m365.sharepoint.paths import Call, parse

NAMES = st.from_regex(r"[A-Za-z$.]{1,20}", fullmatch=True)


def literal(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


@given(name=NAMES, text=st.text())
def test_literal_survives_in_place(name: str, text: str):
    """Any text, quotes doubled and percent-encoded, is read back as it was."""
    path = unquote(f"web/{name}(decodedUrl={quote(literal(text))})/$value")

    assert parse(path, {}) == (
        Call("web"),
        Call(name.lower(), {"decodedurl": text}),
        Call("$value"),
    )


@given(text=st.text())
def test_literal_survives_as_an_alias(text: str):
    """The same through an alias in the query."""
    calls = parse("GetPropertiesFor(accountName=@v)", {"@v": literal(text)})

    assert calls[0].text("accountname") == text


@given(first=st.text(), second=st.booleans())
def test_order_of_parameters_is_free(first: str, second: bool):
    """Named parameters mean the same in either order."""
    flag = str(second).lower()
    one = parse(f"add(url={literal(first)},overwrite={flag})", {})
    other = parse(f"add( overwrite = {flag} , url = {literal(first)} )", {})

    assert one == other
    assert one[0].flag("overwrite") is second


@given(path=st.text())
def test_nonsense_is_refused_and_never_crashes(path: str):
    """Any path is either calls or a 400."""
    status = 0
    try:
        parse(path, {})
    except SharePointError as error:
        status = error.status

    assert status in (0, 400)


@pytest.mark.parametrize(
    "path",
    ["a('b", "a('b'", "a('b'c)", "a(b'c')", "a('o'brien')", "a(@v)", "a('b')c", "a//b", "/a"],
)
def test_malformed_paths(path: str):
    """A quote not doubled, a parenthesis not closed, an alias without a value: all are 400."""
    with pytest.raises(SharePointError) as caught:
        parse(path, {"@w": "'b'"})

    assert caught.value.status == 400


def test_alias_needs_a_quoted_literal():
    """An alias whose value is not in quotes is 400."""
    with pytest.raises(SharePointError):
        parse("a(b=@v)", {"@v": "plain"})
