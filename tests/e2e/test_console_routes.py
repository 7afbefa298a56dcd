"""The console on the running stack: keys, methods, users, errors, headers, and its history."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
import requests

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
    return cloud.copied(1, userPrincipalName=ODD, displayName="<img onerror=x> 😀")


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
        *(("GET", f"users?{each}", "", 400, "") for each in ("size=0", "size=9999999")),
        *(("GET", f"users?{each}", "", 400, "") for each in ("status=x", "token=%5B")),
    ],
)
def test_refused(cloud: LiveCloud, method: str, route: str, user: str, status: int, words: str):
    """
    An unknown user is 404; a text that cannot be a name, and a wrong size, status or token of a
    list are 400; each with a sentence.
    """
    reply = call(cloud, method, named(route, user), json=None if method == "GET" else {})

    assert reply.status_code == status
    assert words in sentence(reply)


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
    assert reply.content == expected


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


def history(cloud: LiveCloud, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call(cloud, "GET", f"history{query}").json()["orders"]
    return found


def test_replays_by_key_and_queue(cloud: LiveCloud):
    """The history of a user lists both, with their results, and no one else's orders."""
    user_id, upn = cloud.add_unnotified(3)
    cloud.settled(user_id, queue=upn)
    reply = call(cloud, "POST", named("users/{user}/replay", upn), json={"force": True})
    run = reply.json()["correlationId"]

    def ended() -> bool:
        orders = history(cloud, f"?user={user_id}")
        return len(orders) == 2 and all(one["result"] for one in orders)

    cloud.wait_for(ended)
    by_key, typed = history(cloud, f"?user={upn}")

    assert (by_key["by"], by_key["correlationId"]) == ({"via": "key"}, run)
    assert (by_key["order"], by_key["options"], by_key["result"]) == ("replay", "force", "synced")
    assert (typed["by"], typed["order"], typed["result"]) == ({"via": "queue"}, "replay", "synced")
    assert [(one["userId"], one["userPrincipalName"]) for one in (by_key, typed)] == [
        (user_id, upn)
    ] * 2


def test_sweep_by_timer_key_and_queue(cloud: LiveCloud):
    """A timer's sweep is no order; sweeps by key and by queue are, each with its sweep's id."""
    before, last = len(history(cloud)), cloud.watcher.sweep()["id"]
    cloud.run("sweep_timer")
    # The host has accepted the run, but may not have begun it.
    cloud.wait_for(lambda: cloud.watcher.sweep()["id"] != last)
    cloud.watcher.until(list)
    call(cloud, "POST", "sweep", json={})
    cloud.watcher.until(list)
    cloud.watcher.type_into_queue("sweep", "photo-upkeep")
    cloud.wait_for(lambda: len(history(cloud)) == before + 2)
    cloud.wait_for(lambda: all(one["result"] for one in history(cloud)))
    cloud.watcher.until(list)

    typed, by_key = history(cloud)[:2]
    assert [(one["by"]["via"], one["order"], one["result"]) for one in (typed, by_key)] == [
        ("queue", "sweep", "finished"),
        ("key", "sweep", "finished"),
    ]
    assert typed["detail"] == cloud.watcher.sweep()["id"]


def test_refused_order(cloud: LiveCloud):
    """A replay of an unknown user is refused, and the history lists it with the refusal."""
    call(cloud, "POST", named("users/{user}/replay", "gone@contoso.com"), json={})

    [refused] = history(cloud, "?user=gone@contoso.com")
    assert (refused["order"], refused["result"]) == ("replay", "refused")
    assert "no such user" in refused["detail"]
