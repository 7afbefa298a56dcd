"""
Which users a query means: $filter and $search, of what Graph documents for users what is acted on.

Everything else is refused, so that no client is misled by a full list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NoReturn

from local.m365.graph.query import is_advanced
from local.m365.graph.wire import bad_request
from local.m365.tenant.records import User

Test = Callable[[User], bool]

_EQUALS = re.compile(
    r"accountEnabled\s+eq\s+(?P<enabled>true|false)|userType\s+eq\s+'(?P<type>Member|Guest)'"
    r"|mail\s+eq\s+'(?P<mail>(?:[^']|'')+)'"
)
_LITERAL = r"'(?P<text>(?:[^']|'')*)'"
_BEGINS = re.compile(rf"startsWith\((?P<name>\w+),{_LITERAL}\)", re.IGNORECASE)
_ANY_BEGINS = re.compile(
    rf"(?P<name>\w+)/any\((?P<each>\w+):startsWith\((?P=each),{_LITERAL}\)\)", re.IGNORECASE
)
_TEXTS: Mapping[str, Callable[[User], list[str]]] = {
    "displayname": lambda user: [user.display_name],
    "userprincipalname": lambda user: [user.user_principal_name],
    "mail": lambda user: [user.mail],
}
_LISTS: Mapping[str, Callable[[User], list[str]]] = {
    "proxyaddresses": lambda user: proxy_addresses(user),
    "othermails": lambda user: user.other_mails,
}
_PHRASE = re.compile(r'"(?P<name>\w+):(?P<text>[^"\\]*)"')
_NO_HEADER = (
    "Request with $search query parameter only works through MSGraph with a special request "
    "header: 'ConsistencyLevel: eventual'"
)
_NO_PHRASE = "Syntax error: character is not valid at position 0 in the $search."
_NO_OPERATOR = (
    "Operator 'startsWith' is not supported because the required parameters might be missing. Try "
    "adding $count=true query parameter and ConsistencyLevel:eventual header. Refer to "
    "https://aka.ms/graph-docs/advanced-queries for more information"
)


def proxy_addresses(user: User) -> list[str]:
    """
    As Graph shows them: SMTP: before the main address, smtp: before the others (facts/graph.md
    section 10, documented). Assumed: that the main one is `mail`.
    """
    return [*([f"SMTP:{user.mail}"] if user.mail else []), *(f"smtp:{a}" for a in user.aliases)]


def matching(options: Mapping[str, str], headers: Mapping[str, str]) -> Test:
    """The test that $filter and $search describe together."""
    tests = [_filter(options.get("$filter"), options, headers), _search(options, headers)]
    return lambda user: all(test(user) for test in tests)


def _filter(raw: str | None, options: Mapping[str, str], headers: Mapping[str, str]) -> Test:
    """
    `eq` on accountEnabled and userType joined by `and`, or one `startsWith`.

    Documented: the first needs no header (facts/graph.md section 5). Assumed: that `startsWith`
    does, which Graph is documented to take without of single values (section 10), and that nothing
    can be joined to it, as was reported of lists.
    """
    if not raw:
        return lambda user: True
    if "startswith(" not in raw.casefold():
        clauses = [_equals(part) for part in re.split(r"\s+and\s+", raw.strip())]
        return lambda user: all(clause(user) for clause in clauses)
    if not is_advanced(headers) or options.get("$count") != "true":
        raise bad_request(_NO_OPERATOR, "Request_UnsupportedQuery")
    return _begins(raw.strip())


def _equals(raw: str) -> Test:
    match = _EQUALS.fullmatch(raw)
    if match is None:
        _refuse()
    if match["enabled"]:
        wanted = match["enabled"] == "true"
        return lambda user: user.account_enabled is wanted
    if match["mail"]:
        address = match["mail"].replace("''", "'").casefold()
        return lambda user: user.mail.casefold() == address
    return lambda user: user.user_type == match["type"]


def _begins(raw: str) -> Test:
    for form, known in ((_BEGINS, _TEXTS), (_ANY_BEGINS, _LISTS)):
        match = form.fullmatch(raw)
        if match and (texts := known.get(match["name"].casefold())):
            text = match["text"].replace("''", "'").casefold()
            return lambda user: any(each.casefold().startswith(text) for each in texts(user))
    _refuse()


def _search(options: Mapping[str, str], headers: Mapping[str, str]) -> Test:
    """
    Phrases joined by OR: of a display name each word must begin a word, of others the beginning.

    Documented (facts/graph.md section 10): tokens of displayName, startsWith of the others, and
    only with the header. Assumed: that a phrase needs a word.
    """
    raw = options.get("$search")
    if raw is None:
        return lambda user: True
    if not is_advanced(headers):
        raise bad_request(_NO_HEADER, "Request_UnsupportedQuery")
    # Within quotation marks it is a word like others (documented).
    phrases = [_PHRASE.fullmatch(part) for part in re.split('(?<=") OR (?=")', raw)]
    tests = [_phrase(found["name"].casefold(), found["text"]) for found in phrases if found]
    if len(tests) != len(phrases):
        raise bad_request(_NO_PHRASE)
    return lambda user: any(test(user) for test in tests)


def _phrase(name: str, text: str) -> Test:
    texts = _TEXTS.get(name)
    if texts is None:
        _refuse()
    wanted = re.findall(r"\w+", text.casefold())
    if not wanted:
        raise bad_request(_NO_PHRASE)
    if name != "displayname":
        return lambda user: texts(user)[0].casefold().startswith(text.casefold().strip())

    def is_named(user: User) -> bool:
        words = re.findall(r"\w+", user.display_name.casefold())
        return all(any(word.startswith(each) for word in words) for each in wanted)

    return is_named


def _refuse() -> NoReturn:
    raise bad_request("Unsupported or invalid query filter clause.", "Request_UnsupportedQuery")
