"""Graph's $batch: refusals, answers, and items that are treated like separate requests."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import requests

from local.m365.graph import batch
from local.m365.graph.wire import Refusal
from local.m365.tenant import fault_plan, photos
from local.m365.tenant.records import User
from tests.local.m365.graph.test_photos import drawn
from tests.local.m365.simulator import PHOTOSYNC_APP, Cloud, HostSession


def get(name: str, url: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "method": "GET", "url": url, **more}


def send(graph: requests.Session, *items: dict[str, Any]) -> requests.Response:
    return graph.post("/$batch", json={"requests": items})


def answers(response: requests.Response) -> dict[str, dict[str, Any]]:
    assert response.status_code == 200
    return {answer["id"]: answer for answer in response.json()["responses"]}


def with_photo(m365: Cloud, name: str) -> str:
    user = m365.add_user(name)
    stored = photos.accept(drawn(), reencode=True, fresh=False)
    user.photo = photos.stored(stored, m365.tenant.now())
    return user.id


def test_every_item_has_its_own_answer(m365: Cloud, graph: HostSession):
    """Each has its own status, JSON is an object, the order varies."""
    users = [m365.add_user(f"user{number}").id for number in range(19)]
    items = [get(str(number), f"/users/{user}") for number, user in enumerate(users)]
    items.append(get("lost", "users/nobody@contoso.com"))

    response = send(graph, *items)

    found = answers(response)
    assert found["7"]["body"]["id"] == users[7]
    assert found["lost"]["status"] == 404
    assert found["lost"]["body"]["error"]["code"] == "Request_ResourceNotFound"
    assert [answer["id"] for answer in response.json()["responses"]] != [i["id"] for i in items]


@pytest.mark.parametrize("alphabet", batch.ALPHABETS)
def test_binary_body_is_base64(m365: Cloud, graph: HostSession, alphabet: str):
    """In the alphabet of the switch."""
    user = with_photo(m365, "anna")
    m365.tenant.switches.batch_base64 = alphabet

    answer = answers(send(graph, get("1", f"/users/{user}/photo/$value")))["1"]

    text = answer["body"]
    padded = text.replace("+", "-").replace("/", "_") + "=" * (-len(text) % 4)
    photo = m365.tenant.users[user].photo
    assert photo is not None
    assert base64.urlsafe_b64decode(padded) == photo.content
    assert answer["headers"]["Content-Type"] == "image/jpeg"
    assert ("-" in text or "_" in text) == alphabet.startswith("urlsafe")


def test_upload_in_a_batch(m365: Cloud, graph: HostSession, anna: User):
    """A string body is base64 of the bytes; an item that depends on another runs after it."""
    upload = {
        "id": "put",
        "method": "PUT",
        "url": f"/users/{anna.id}/photo/$value",
        "headers": {"Content-Type": "image/png"},
        "body": base64.b64encode(drawn("PNG")).decode(),
    }
    after = get("get", f"/users/{anna.id}/photo", dependsOn=["put"])

    found = answers(send(graph, upload, after))

    assert {name: answer["status"] for name, answer in found.items()} == {"put": 200, "get": 200}
    assert "body" not in found["put"]


def test_items_that_depend_on_a_failed_one(m365: Cloud, graph: HostSession, anna: User):
    """They are 424 and are not run, and so are those that depend on them."""
    second = get("2", f"/users/{anna.id}", dependsOn=["1"])
    third = get("3", f"/users/{anna.id}", dependsOn=["2"])

    found = answers(send(graph, get("1", "/users/nobody"), second, third))

    assert [found[name]["status"] for name in "123"] == [404, 424, 424]
    assert not [e for e in m365.tenant.journal.after(0) if anna.id in str(e["path"])]


@pytest.mark.parametrize(
    "items",
    [
        None,
        [],
        "text",
        ["text"],
        [get(str(number), "/users") for number in range(21)],
        [get("1", "/users"), get("1", "/users")],
        [get("1", "https://graph.microsoft.com/v1.0/users")],
        [get("1", "//elsewhere/users")],
        [get("1", "/$batch")],
        [get("1", "")],
        [get("", "/users")],
        [{"id": 1, "method": "GET", "url": "/users"}],
        [{"id": "1", "method": "STEAL", "url": "/users"}],
        [get("1", "/users", dependsOn=["2"])],
        [get("1", "/users"), get("2", "/users", dependsOn=[["1"]])],
        [get("1", "/users"), get("2", "/users", dependsOn=["1"]), get("3", "/users")],
        [get(n, "/users", **({"dependsOn": ["1"]} if n > "1" else {})) for n in "123"],
        [{"id": "1", "method": "PATCH", "url": "/users/x", "body": {"a": 1}}],
        [get("1", "/x", headers={"Content-Type": "image/png"}, body="not base64!")],
    ],
)
def test_batches_that_break_a_rule_are_refused(items: object):
    """Too many, none, equal ids, absolute or nested URLs, bodies without a type: 400."""
    with pytest.raises(Refusal) as refusal:
        batch.read_items({"requests": items})
    assert refusal.value.status == 400


def test_items_have_the_rights_of_the_caller(m365: Cloud, anna: User):
    """The token of the batch counts, not one in an item."""
    item = {
        "id": "1",
        "method": "PATCH",
        "url": f"/users/{anna.id}",
        "headers": {"Content-Type": "application/json", "Authorization": "Bearer x.y.z"},
        "body": {"displayName": "B"},
    }
    with m365.session(m365.tenant.urls.graph, PHOTOSYNC_APP) as reader:
        found = answers(send(reader, item, get("2", f"/users/{anna.id}")))
    assert (found["1"]["status"], found["2"]["status"]) == (403, 200)


def test_a_batch_needs_a_token(graph: HostSession):
    """Without one the whole batch is a 401."""
    del graph.headers["Authorization"]
    assert send(graph, get("1", "/users")).status_code == 401


def test_one_item_can_be_throttled(m365: Cloud, graph: HostSession):
    """A fault applies to an item as to any request: its own 429 with a fractional Retry-After."""
    user, other = m365.add_user("anna"), m365.add_user("otto")
    order = {"service": "graph", "path": user.id, "fault": "429", "retryAfter": 2.128}
    fault_plan.apply_order(m365.tenant.faults, order)

    found = answers(
        send(graph, *(get(n, f"/users/{u.id}") for n, u in (("1", user), ("2", other))))
    )

    assert (found["1"]["status"], found["2"]["status"]) == (429, 200)
    assert found["1"]["headers"]["Retry-After"] == "2.128"
    assert found["1"]["body"]["error"]["code"] == "TooManyRequests"


@pytest.mark.parametrize(("kind", "status"), [("reset", 503), ("half", 503), ("timeout", 504)])
def test_a_broken_connection_is_a_status_in_a_batch(
    m365: Cloud, graph: HostSession, kind: str, status: int
):
    """The connection of one item cannot be cut off."""
    order = {"service": "graph", "path": "/users$", "fault": kind}
    fault_plan.apply_order(m365.tenant.faults, order)

    assert answers(send(graph, get("1", "/users")))["1"]["status"] == status


def test_journal_of_a_batch(m365: Cloud, graph: HostSession, anna: User):
    """The batch and each item have an entry; items are marked and name their user."""

    send(graph, get("1", f"/users/{anna.id}/photo?$select=id"))

    entries = [entry for entry in m365.tenant.journal.after(0) if entry["service"] == "graph"]
    assert [(entry["path"], entry["batch"]) for entry in entries] == [
        (f"/v1.0/users/{anna.id}/photo", True),
        ("/v1.0/$batch", False),
    ]
    assert entries[0]["userId"] == anna.id
