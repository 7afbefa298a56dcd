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
READING = ["overview", "history", "users", "users/{user}", "users/{user}/photo/{side}", "doctor"]
WRITING = ["users/{user}/replay", "sweep", "audit"]
ROUTES = [("GET", route) for route in READING] + [("POST", route) for route in WRITING]


def call(cloud: LiveCloud, method: str, path: str, **options: Any) -> requests.Response:
    headers = {"x-functions-key": cloud.at.key, **options.pop("headers", {})}
    url = f"{cloud.at.functions}/api/console/{path}"
    return cloud.call(method, url, headers=headers, **options)


def named(route: str, user: str = ID, side: str = "exchange") -> str:
    return route.format(user=quote(user, safe=""), side=side)


def sentence(reply: requests.Response) -> str:
    """The sentence of an error that is told as all of them are."""
    fields = reply.json()
    assert reply.headers["Content-Type"] == "application/json"
    assert set(fields) == {"error"}
    assert set(fields["error"]) == {"code", "message"}
    message = str(fields["error"]["message"])
    assert message.endswith(".")
    return message


@pytest.fixture
def odd(cloud: LiveCloud) -> tuple[str, str]:
    """Somebody with an odd name, in step on both sides."""
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
    """Whoever has no key, or a wrong one, is told nothing at all."""
    reply = call(cloud, method, named(route), headers={"x-functions-key": key})

    assert (reply.status_code, reply.content) == (401, b"")


@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_wrong_method(cloud: LiveCloud, method: str, route: str):
    """A question cannot be posted, and an order cannot be got: no link gives one."""
    other = "POST" if method == "GET" else "GET"
    # The host answers a method that no function lists with 404.
    assert call(cloud, other, named(route)).status_code == 404
    assert call(cloud, "PUT", named(route)).status_code == 404


@pytest.mark.parametrize("route", WRITING)
@pytest.mark.parametrize("name", ["code", "Code"])
def test_key_in_the_address_gives_no_order(cloud: LiveCloud, route: str, name: str):
    """An order with its key in the address is refused, with and without the header."""
    url = f"{cloud.at.functions}/api/console/{named(route)}?{name}={cloud.at.key}"
    for headers in ({}, {"x-functions-key": cloud.at.key}):
        reply = cloud.call("POST", url, json={}, headers=headers)

        assert reply.status_code == 403
        assert "x-functions-key" in sentence(reply)


@pytest.mark.parametrize("route", ["users/{user}", "users/{user}/photo/{side}"])
def test_unknown_user(cloud: LiveCloud, route: str):
    """Nobody of this name is 404 with a sentence, for UPN and object id."""
    for user in (ID, "nobody@contoso.com", "no'body#@contoso.com"):
        reply = call(cloud, "GET", named(route, user))

        assert reply.status_code == 404
        assert "no such user" in sentence(reply)


def test_replay_of_nobody(cloud: LiveCloud):
    """Nobody of this name cannot be queued."""
    assert call(cloud, "POST", named("users/{user}/replay"), json={}).status_code == 404


@pytest.mark.parametrize(
    ("user", "status"), [("nobody", 404), ("no body", 404), ("..@", 400), ("x" * 300, 400)]
)
def test_name_that_is_none(cloud: LiveCloud, user: str, status: int):
    """A name that is nobody's is 404, and what can be no name is 400: each with a sentence."""
    reply = call(cloud, "GET", named("users/{user}", user))

    assert reply.status_code == status
    assert ("no such user" if status == 404 else "characters of a name") in sentence(reply)


def test_other_names(cloud: LiveCloud):
    """Another address, or a beginning that is one person's, finds them as the UPN does."""
    addresses = {"aliases": ["o.lia@contoso.com"], "otherMails": ["o.ther@fabrikam.example"]}
    user_id, upn = cloud.add(displayName="Ophelia Other", **addresses)
    for name in (upn, "O.Ther@fabrikam.example", "ophelia oth", "o.lia@"):
        found = call(cloud, "GET", named("users/{user}", name)).json()
        assert found["user"]["id"] == user_id, name


@pytest.mark.parametrize("query", ["size=0", "size=9999999", "status=x", "token=%5B"])
def test_listing_asked_wrongly(cloud: LiveCloud, query: str):
    """Size, status and token are checked."""
    reply = call(cloud, "GET", f"users?{query}")

    assert reply.status_code == 400
    sentence(reply)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"force": "yes"}'])
def test_order_that_is_none(cloud: LiveCloud, odd: tuple[str, str], body: bytes):
    """A body that is no order queues nobody."""
    reply = call(cloud, "POST", named("users/{user}/replay", odd[0]), data=body)

    assert reply.status_code == 400
    sentence(reply)


def test_overview(cloud: LiveCloud, odd: tuple[str, str]):
    """Counts, queues, subscription and sweep, and nothing that is secret."""
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


def test_odd_name(cloud: LiveCloud, odd: tuple[str, str]):
    """A UPN with ' and # is found by its beginning and shown by its name."""
    user_id, upn = odd
    [found] = call(cloud, "GET", f"users?search={quote(upn[:9])}").json()["users"]
    seen = call(cloud, "GET", named("users/{user}", upn)).json()

    assert (found["userId"], found["displayName"]) == (user_id, "<img onerror=x> 😀")
    assert (seen["user"]["id"], seen["state"]["userPrincipalName"]) == (user_id, upn)
    assert seen["agree"] is True
    assert [one["event"] for one in seen["history"]] == ["synced", "written"]
    assert seen["profile"]["SPS-PicturePlaceholderState"] == "0"


@pytest.mark.parametrize("side", ["exchange", "sharepoint"])
def test_photo(cloud: LiveCloud, odd: tuple[str, str], side: str):
    """Each side's very bytes, which nobody keeps and no browser guesses at."""
    user_id, upn = odd
    known = cloud.admin.control("GET", f"/users/{user_id}")
    files = cloud.admin.shown(upn).files
    expected = picture(1) if side == "exchange" else files["L"]
    reply = call(cloud, "GET", named("users/{user}/photo/{side}", upn, side))

    assert known["userPrincipalName"] == upn
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "image/jpeg")
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert hashlib.sha256(reply.content).digest() == hashlib.sha256(expected).digest()


def test_chosen_picture(cloud: LiveCloud, odd: tuple[str, str]):
    """One that a person chose is shown from our own host, and elsewhere nobody is asked for it."""
    files = cloud.admin.shown(odd[1]).files
    here = f"{cloud.at.sharepoint_my}/User%20Photos/Profile%20Pictures/{odd[0]}_LThumb.jpg"
    user_id, _ = cloud.add(profile={"PictureURL": here})
    reply = call(cloud, "GET", named("users/{user}/photo/{side}", user_id, "sharepoint"))
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "image/jpeg")
    assert reply.content == files["L"]
    assert call(cloud, "GET", named("users/{user}", user_id)).json()["chosen"] == here

    elsewhere, _ = cloud.add(profile={"PictureURL": "https://contoso.example/me.jpg"})
    reply = call(cloud, "GET", named("users/{user}/photo/{side}", elsewhere, "sharepoint"))
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "picture-kept")
    assert "contoso.example" in sentence(reply)


def test_no_photo(cloud: LiveCloud):
    """A picture that is not there is 404 with a sentence, kept by no cache; a third side is 400."""
    user_id, _ = cloud.add()
    for side in ("exchange", "sharepoint"):
        reply = call(cloud, "GET", named("users/{user}/photo/{side}", user_id, side))

        assert (reply.status_code, reply.headers["Cache-Control"]) == (404, "no-store")
        sentence(reply)
    other = call(cloud, "GET", named("users/{user}/photo/{side}", user_id, "teams"))
    assert other.status_code == 400


def test_replay(cloud: LiveCloud):
    """A user whose picture differs is queued by name, and agrees afterwards."""
    user_id, upn = cloud.add(userPrincipalName="re'play#2@contoso.com")
    cloud.seed_photo(user_id, picture(1))
    cloud.replayed(user_id)
    cloud.seed_photo(user_id, picture(2))
    assert not call(cloud, "GET", named("users/{user}", upn)).json()["agree"]
    before = len(cloud.outcomes(user_id))
    reply = call(cloud, "POST", named("users/{user}/replay", upn), json={"force": False})

    assert (reply.status_code, reply.json()["userId"]) == (202, user_id)
    cloud.wait_for(lambda: len(cloud.outcomes(user_id)) > before)
    assert call(cloud, "GET", named("users/{user}", upn)).json()["agree"]


def test_sweep(cloud: LiveCloud):
    """A sweep begins when it is ordered; a brake that holds nothing releases nothing."""
    before = cloud.watcher.sweep()["id"]
    reply = call(cloud, "POST", "sweep", json={})

    assert (reply.status_code, reply.json()) == (202, {"queued": True})
    cloud.wait_for(lambda: cloud.watcher.sweep()["id"] != before)
    cloud.watcher.until(list)


@pytest.mark.parametrize("name", [0, 1], ids=["id", "upn"])
def test_service_down(cloud: LiveCloud, odd: tuple[str, str], name: int):
    """While Graph is down what is remembered of a user is told, and how SharePoint looks."""
    cloud.fault(service="graph", next=1, fault="500")
    seen = call(cloud, "GET", named("users/{user}", odd[name])).json()

    assert (seen["agree"], [each["side"] for each in seen["unasked"]]) == (None, ["exchange"])
    assert (seen["state"]["status"], seen["user"]["userPrincipalName"]) == ("synced", ODD)
    assert seen["profile"]["SPS-PicturePlaceholderState"] == "0"


def test_stranger_while_service_is_down(cloud: LiveCloud):
    """That Graph is down is told as such, and not as an unknown user."""
    cloud.fault(service="graph", next=1, fault="500")
    reply = call(cloud, "GET", named("users/{user}"))

    assert reply.status_code == 503
    assert "graph" in sentence(reply)


def test_doctor(cloud: LiveCloud, odd: tuple[str, str]):
    """The doctor finds nothing wrong with a cloud that works."""
    seen = call(cloud, "GET", "doctor").json()

    assert [check for check in seen["checks"] if not check["ok"]] == []
    assert seen["ok"]


def test_page_and_probe_need_no_key(cloud: LiveCloud):
    """The page holds no data and the probe tells the version only: both are open."""
    page = cloud.call("GET", f"{cloud.at.functions}/api/console")

    assert (page.status_code, page.headers["Content-Type"][:9]) == (200, "text/html")
    assert cloud.call("GET", f"{cloud.at.functions}/api/health").text == f"ok {VERSION}"
