"""Every route of the console on the running stack: keys, methods, users, errors, headers."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

import pytest
import requests

from shared.version import VERSION
from tests.e2e.cloud import LiveCloud, picture

ODD = "o'neil#1+x@contoso.com"
ID = "00000000-0000-4000-8000-00000000dead"
USER, PHOTO, REPLAY = "users/{user}", "users/{user}/photo/{side}", "users/{user}/replay"
READING = ["overview", "history", "users", USER, PHOTO, "doctor"]
WRITING = [REPLAY, "sweep", "audit"]
ROUTES = [("GET", route) for route in READING] + [("POST", route) for route in WRITING]


def call(cloud: LiveCloud, method: str, path: str, **options: Any) -> requests.Response:
    headers = {"x-functions-key": cloud.at.key, **options.pop("headers", {})}
    url = f"{cloud.at.functions}/api/console/{path}"
    return cloud.call(method, url, headers=headers, **options)


def named(route: str, user: str = ID, side: str = "exchange") -> str:
    return route.format(user=quote(user, safe=""), side=side)


def sentence(reply: requests.Response) -> str:
    """The sentence of an error, whose JSON has the form of all errors."""
    fields = reply.json()
    assert reply.headers["Content-Type"] == "application/json"
    assert set(fields) == {"error"}
    assert set(fields["error"]) == {"code", "message"}
    message = str(fields["error"]["message"])
    assert message.endswith(".")
    return message


@pytest.fixture
def odd(cloud: LiveCloud) -> tuple[str, str]:
    """A user with unusual characters in the name, whose photo has been copied."""
    for user in cloud.admin.control("GET", "/users")["users"]:
        if user["userPrincipalName"] == ODD:
            return user["id"], ODD
    user_id, upn = cloud.add(userPrincipalName=ODD, displayName="<img onerror=x> 😀")
    cloud.seed_photo(user_id, picture(1))
    cloud.replayed(user_id)
    return user_id, upn


@pytest.mark.parametrize(("method", "route"), ROUTES)
@pytest.mark.parametrize("key", ["", "wrong"])
def test_no_answer_without_the_key(cloud: LiveCloud, method: str, route: str, key: str):
    """Without a key, or with a wrong one, the answer is empty."""
    reply = call(cloud, method, named(route), headers={"x-functions-key": key})

    assert (reply.status_code, reply.content) == (401, b"")


@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_wrong_method(cloud: LiveCloud, method: str, route: str):
    """A query cannot be posted, and an order cannot be sent by GET, so no link gives one."""
    other = "POST" if method == "GET" else "GET"
    # The host answers a method that no function lists with 404.
    assert call(cloud, other, named(route)).status_code == 404
    assert call(cloud, "PUT", named(route)).status_code == 404


@pytest.mark.parametrize("route", WRITING)
@pytest.mark.parametrize("name", ["code", "Code"])
def test_order_with_the_key_in_the_url(cloud: LiveCloud, route: str, name: str):
    """An order with its key in the URL is refused, with and without the header."""
    url = f"{cloud.at.functions}/api/console/{named(route)}?{name}={cloud.at.key}"
    for headers in ({}, {"x-functions-key": cloud.at.key}):
        reply = cloud.call("POST", url, json={}, headers=headers)

        assert reply.status_code == 403
        assert "x-functions-key" in sentence(reply)


@pytest.mark.parametrize(
    ("method", "route", "user", "status", "words"),
    [
        ("GET", USER, ID, 404, "no such user"),
        ("GET", PHOTO, "no'body#@contoso.com", 404, "no such user"),
        ("POST", REPLAY, ID, 404, "no such user"),
        ("GET", USER, "no body", 404, "no such user"),
        ("GET", USER, "..@", 400, "characters of a name"),
        ("GET", USER, "x" * 300, 400, "characters of a name"),
    ],
)
def test_no_such_user(
    cloud: LiveCloud, method: str, route: str, user: str, status: int, words: str
):
    """An unknown user is 404, and a text that cannot be a name is 400, each with a sentence."""
    reply = call(cloud, method, named(route, user), json=None if method == "GET" else {})

    assert reply.status_code == status
    assert words in sentence(reply)


@pytest.mark.parametrize("query", ["size=0", "size=9999999", "status=x", "token=%5B"])
def test_invalid_list_query(cloud: LiveCloud, query: str):
    """Size, status and token are checked."""
    reply = call(cloud, "GET", f"users?{query}")

    assert reply.status_code == 400
    sentence(reply)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"force": "yes"}'])
def test_invalid_order(cloud: LiveCloud, odd: tuple[str, str], body: bytes):
    """A body that is not an order is refused with a sentence."""
    reply = call(cloud, "POST", named(REPLAY, odd[0]), data=body)

    assert reply.status_code == 400
    sentence(reply)


def test_overview(cloud: LiveCloud, odd: tuple[str, str]):
    """Counts, queues, subscription and sweep, without any secret."""
    reply = call(cloud, "GET", "overview")
    seen = reply.json()

    assert (reply.status_code, reply.headers["Cache-Control"]) == (200, "no-store")
    assert seen["counts"]["synced"] >= 1
    assert seen["subscription"]["status"] == "live"
    assert seen["sweep"]["status"] == "finished"
    assert set(seen["queues"]) == {
        *("photo-sync", "photo-sync-poison", "photo-upkeep", "photo-upkeep-poison")
    }
    assert cloud.at.key not in reply.text
    assert "Hash" not in reply.text


def test_unusual_name(cloud: LiveCloud, odd: tuple[str, str]):
    """A UPN with ' and # is found by its prefix and shown by its name."""
    user_id, upn = odd
    [found] = call(cloud, "GET", f"users?search={quote(upn[:9])}").json()["users"]
    seen = call(cloud, "GET", named(USER, upn)).json()

    assert (found["userId"], found["displayName"]) == (user_id, "<img onerror=x> 😀")
    assert (seen["user"]["id"], seen["state"]["userPrincipalName"]) == (user_id, upn)
    assert seen["agree"] is True
    assert [one["event"] for one in seen["history"]] == ["synced", "written"]
    assert seen["profile"]["SPS-PicturePlaceholderState"] == "0"


@pytest.mark.parametrize("side", ["exchange", "sharepoint"])
def test_photo(cloud: LiveCloud, odd: tuple[str, str], side: str):
    """Each side's exact bytes, with headers against caching and content sniffing."""
    _, upn = odd
    expected = picture(1) if side == "exchange" else cloud.admin.shown(upn).files["L"]
    reply = call(cloud, "GET", named(PHOTO, upn, side))

    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "image/jpeg")
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert hashlib.sha256(reply.content).digest() == hashlib.sha256(expected).digest()


def test_chosen_picture(cloud: LiveCloud, odd: tuple[str, str]):
    """A user's own choice is shown from our own host; no request goes to any other host."""
    files = cloud.admin.shown(odd[1]).files
    here = f"{cloud.at.sharepoint_my}/User%20Photos/Profile%20Pictures/{odd[0]}_LThumb.jpg"
    user_id, _ = cloud.add(profile={"PictureURL": here})
    reply = call(cloud, "GET", named(PHOTO, user_id, "sharepoint"))
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "image/jpeg")
    assert reply.content == files["L"]
    assert call(cloud, "GET", named(USER, user_id)).json()["chosen"] == here

    elsewhere, _ = cloud.add(profile={"PictureURL": "https://contoso.example/me.jpg"})
    reply = call(cloud, "GET", named(PHOTO, elsewhere, "sharepoint"))
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "picture-kept")
    assert "contoso.example" in sentence(reply)


@pytest.mark.parametrize(
    ("side", "status"), [("exchange", 404), ("sharepoint", 404), ("teams", 400)]
)
def test_no_photo(cloud: LiveCloud, side: str, status: int):
    """A missing picture is 404 with a sentence and is not cached; an unknown side is 400."""
    user_id, _ = cloud.add()
    reply = call(cloud, "GET", named(PHOTO, user_id, side))

    assert (reply.status_code, reply.headers["Cache-Control"]) == (status, "no-store")
    sentence(reply)


@pytest.mark.parametrize("name", [0, 1], ids=["id", "upn"])
def test_service_down(cloud: LiveCloud, odd: tuple[str, str], name: int):
    """While Graph is down, the stored state of a known user is shown, and SharePoint's side."""
    cloud.fault(service="graph", next=1, fault="500")
    seen = call(cloud, "GET", named(USER, odd[name])).json()

    assert (seen["agree"], [each["side"] for each in seen["unasked"]]) == (None, ["exchange"])
    assert (seen["state"]["status"], seen["user"]["userPrincipalName"]) == ("synced", ODD)
    assert seen["profile"]["SPS-PicturePlaceholderState"] == "0"


def test_unknown_user_while_service_is_down(cloud: LiveCloud):
    """The error names Graph, and does not say that the user is unknown."""
    cloud.fault(service="graph", next=1, fault="500")
    reply = call(cloud, "GET", named(USER))

    assert reply.status_code == 503
    assert "graph" in sentence(reply)


def test_doctor(cloud: LiveCloud, odd: tuple[str, str]):
    """The doctor finds no fault in a working cloud."""
    seen = call(cloud, "GET", "doctor").json()

    assert [check for check in seen["checks"] if not check["ok"]] == []
    assert seen["ok"]


def test_page_and_probe_need_no_key(cloud: LiveCloud):
    """The page holds no data, and the probe tells only the version."""
    page = cloud.call("GET", f"{cloud.at.functions}/api/console")

    assert (page.status_code, page.headers["Content-Type"][:9]) == (200, "text/html")
    assert cloud.call("GET", f"{cloud.at.functions}/api/health").text == f"ok {VERSION}"
