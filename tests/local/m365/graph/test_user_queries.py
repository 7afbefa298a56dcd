"""Which users a search finds as Graph documents it, and what is refused (facts/graph.md, 10)."""

from __future__ import annotations

from typing import Any

import pytest

from local.m365.graph.user_queries import matching
from local.m365.graph.wire import Refusal
from local.m365.tenant.records import User
from tests.local.m365.simulator import Cloud

EVENTUAL = {"consistencylevel": "eventual"}
COUNTED = {"$count": "true"}
ANNE = User(
    id="anne",
    user_principal_name="anne@contoso.com",
    display_name="Anne-Marie O'Neill",
    mail="a.oneill@contoso.com",
    aliases=["am@contoso.com"],
    other_mails=["anne@home.example"],
)


def finds(**options: str) -> bool:
    """Whether Anne is found by an advanced query."""
    asked = {f"${name}": raw for name, raw in options.items()}
    return matching({**asked, **COUNTED}, EVENTUAL)(ANNE)


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("startsWith(displayName,'anne-marie o''n')", True),
        ("startswith(userPrincipalName,'ANNE@')", True),
        ("startsWith(mail,'a.oneill@contoso.com')", True),
        ("proxyAddresses/any(p:startsWith(p,'smtp:am@'))", True),
        ("proxyAddresses/any(p:startsWith(p,'SMTP:a.oneill@'))", True),
        ("otherMails/any(x:startsWith(x,'anne@home'))", True),
        ("startsWith(displayName,'marie')", False),
        ("proxyAddresses/any(p:startsWith(p,'am@'))", False),
        ("otherMails/any(x:startsWith(x,'home'))", False),
    ],
)
def test_beginnings(raw: str, found: bool):
    """A beginning is one of the whole value: of an address in proxyAddresses with its prefix."""
    assert finds(filter=raw) is found


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ('"displayName:neill anne"', True),
        ('"displayName:mar"', True),
        ('"mail:a.one"', True),
        ('"displayName:nobody" OR "userPrincipalName:anne@"', True),
        ('"displayName:arie"', False),
        ('"userPrincipalName:contoso"', False),
        ('"displayName:anne OR bert"', False),
    ],
)
def test_phrases(raw: str, found: bool):
    """Of a display name the words count, in any order; of other properties the beginning."""
    assert finds(search=raw) is found


@pytest.mark.parametrize(
    ("options", "headers", "code", "message"),
    [
        ({"$search": '"mail:a"'}, {}, "Request_UnsupportedQuery", "special request header"),
        (
            {"$filter": "otherMails/any(x:startsWith(x,'a'))", **COUNTED},
            {},
            "Request_UnsupportedQuery",
            "required parameters might be missing",
        ),
        (
            {"$filter": "otherMails/any(x:startsWith(x,'a'))"},
            EVENTUAL,
            "Request_UnsupportedQuery",
            "required parameters might be missing",
        ),
        (
            {"$filter": "startsWith(mail,'a') or startsWith(mail,'b')", **COUNTED},
            EVENTUAL,
            "Request_UnsupportedQuery",
            "Unsupported or invalid",
        ),
        (
            {"$filter": "startsWith(proxyAddresses,'a')", **COUNTED},
            EVENTUAL,
            "Request_UnsupportedQuery",
            "Unsupported or invalid",
        ),
        (
            {"$filter": "startsWith(mail,'o'neill')", **COUNTED},
            EVENTUAL,
            "Request_UnsupportedQuery",
            "Unsupported or invalid",
        ),
        ({"$search": "mail:a"}, EVENTUAL, "BadRequest", "Syntax error"),
        ({"$search": '"displayName:!"'}, EVENTUAL, "BadRequest", "Syntax error"),
    ],
    ids=[
        "search without the header",
        "list without the header",
        "list without the count",
        "joined",
        "list without any",
        "apostrophe that is not doubled",
        "no phrase",
        "no word",
    ],
)
def test_refusals(options: dict[str, str], headers: dict[str, str], code: str, message: str):
    """What is not documented to work as it was asked is refused, never answered with everybody."""
    with pytest.raises(Refusal, match=message) as refusal:
        matching(options, headers)
    assert (refusal.value.status, refusal.value.code) == (400, code)


def test_search_of_a_list(m365: Cloud):
    """Over HTTP it narrows the list; what Graph shows of addresses can be selected."""
    m365.add_user("bert")
    anne = m365.add_user("anne")
    anne.aliases, anne.other_mails = ["am@contoso.com"], ["anne@home.example"]
    options = {"$search": '"displayName:anne"', "$select": "id,proxyAddresses,otherMails"}
    with m365.session(m365.tenant.urls.graph) as graph:
        url = f"{m365.tenant.urls.graph}/v1.0/users"
        found: dict[str, Any] = graph.get(url, params=options, headers=EVENTUAL).json()

    assert found["value"] == [
        {
            "id": anne.id,
            "proxyAddresses": ["SMTP:anne@contoso.com", "smtp:am@contoso.com"],
            "otherMails": ["anne@home.example"],
        }
    ]
