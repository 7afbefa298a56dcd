"""REST paths as data: literals are preserved exactly."""

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
    """Any text, with doubled quotes and percent-encoded, is read back unchanged."""
    path = unquote(f"web/{name}(decodedUrl={quote(literal(text))})/$value")

    assert parse(path, {}) == (
        Call("web"),
        Call(name.lower(), {"decodedurl": text}),
        Call("$value"),
    )


@given(text=st.text())
def test_literal_survives_as_an_alias(text: str):
    """The same with an alias in the query."""
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
def test_any_path_is_parsed_or_refused(path: str):
    """No path causes another error than a 400."""
    status = 0
    try:
        parse(path, {})
    except SharePointError as error:
        status = error.status

    assert status in (0, 400)


@pytest.mark.parametrize(
    "path", "a('b a('b' a('b'c) a(b'c') a('o'brien') a(@v) a(b=@x) a('b')c a//b /a".split()
)
def test_malformed_paths(path: str):
    """Quotes not doubled, parentheses not closed, aliases without a quoted value: 400."""
    with pytest.raises(SharePointError) as caught:
        parse(path, {"@w": "'b'", "@x": "plain"})

    assert caught.value.status == 400
