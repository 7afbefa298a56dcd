"""Route templates: matching, parameters, refusals."""

import pytest

from local.host.routes import BadRoute, parse

GUID = "5a2b7c1e-0d7f-4a55-9a0e-6c1a52f4be01"


@pytest.mark.parametrize(
    ("route", "path", "expected"),
    [
        ("a/b", "A/b/", {}),
        ("a/b", "a", None),
        ("a/b", "a/b/c", None),
        ("a/b", "a//b", None),
        ("users/{user}", "users/anne@contoso.com", {"user": "anne@contoso.com"}),
        ("users/{user}/photo", "users//photo", None),
        ("users/{user}", "users", None),
        ("users/{user}/photo/{side}", "users/1/photo/exchange", {"user": "1", "side": "exchange"}),
        ("n/{id:int}", "n/12", {"id": "12"}),
        ("n/{id:int}", "n/x", None),
        ("n/{id:guid}", f"n/{GUID}", {"id": GUID}),
        ("n/{id:guid}", "n/x", None),
        ("n/{id?}", "n", {}),
        ("n/{*rest}", "n/a/b c", {"rest": "a/b c"}),
    ],
)
def test_match(route, path, expected):
    """Literals ignore case, an empty segment matches nothing, constraints apply."""
    assert parse(route).match(path) == expected


@pytest.mark.parametrize("route", ["a/x{id}", "{a?}/b", "{*a}/b", "{a:regex(x)}", "{a:decimal}"])
def test_unsupported_template_is_refused(route):
    """A template that this host would match differently from Azure is refused."""
    with pytest.raises(BadRoute):
        parse(route)
