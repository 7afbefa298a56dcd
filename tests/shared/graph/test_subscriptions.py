"""The calls to Graph's subscriptions, and what its refusals mean."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
import requests

from shared.errors import (
    AccessDenied,
    Conflict,
    Refused,
    ServiceDown,
    SubscriptionExists,
    SubscriptionGone,
    Throttled,
)
from shared.graph.subscriptions import Subscription, SubscriptionClient
from tests.doubles.web import Answer, Web, answer, http, in_turn

GRAPH = "https://graph.contoso.com"
URL = "https://photosync.contoso.com/api/notifications?code=key"
ID = "7f105c7d-2dc5-4530-97cd-4e7ae6534c07"
EXPIRES = datetime(2026, 3, 20, 8, 30, tzinfo=UTC)
SHOWN = {
    "id": ID,
    "resource": "users",
    "changeType": "updated,deleted",
    "notificationUrl": URL,
    "lifecycleNotificationUrl": URL,
    "expirationDateTime": "2026-03-20T08:30:00.0000000Z",
}
READ = Subscription(ID, "users", frozenset({"updated", "deleted"}), URL, URL, EXPIRES)


def client(web: Web) -> SubscriptionClient:
    return SubscriptionClient(http(web, audience=GRAPH))


UNSHAKEN = (
    "Subscription validation request failed. HTTP status code is '{}'. Notification endpoint must "
    "respond with 200 OK to validation request."
)


def refusal(status: int, message: str = "In words.", code: str = "InvalidRequest") -> Answer:
    return answer({"error": {"code": code, "message": message}}, status)


class Recorded:
    """Remembers each request and answers all of them alike."""

    def __init__(self, said: Answer) -> None:
        self.seen: list[tuple[str, str, object]] = []
        self._said = said

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        body = json.loads(request.body) if request.body else None
        self.seen.append((str(request.method), request.path_url, body))
        return self._said


def test_all_pages_are_listed():
    """The listing goes on to its last page."""
    first = answer({"value": [SHOWN], "@odata.nextLink": f"{GRAPH}/v1.0/subscriptions?$skip=1"})
    second = answer({"value": [{**SHOWN, "id": "another"}], "@odata.nextLink": None})

    assert [one.id for one in client(in_turn(first, second)).list_own()] == [ID, "another"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, READ),
        ({"resource": "/Users"}, READ),
        ({"changeType": "Deleted, Updated"}, READ),
        (
            dict.fromkeys(
                ("resource", "changeType", "notificationUrl", "lifecycleNotificationUrl")
            ),
            Subscription(ID, "", frozenset(), "", "", EXPIRES),
        ),
    ],
    ids=["documented", "slash and capitals", "spaces", "nothing shown"],
)
def test_one_is_read(fields, expected):
    """Spelling does not matter, and what is not shown is empty."""
    [one] = client(in_turn(answer({"value": [{**SHOWN, **fields}]}))).list_own()

    assert one == expected


@pytest.mark.parametrize(
    "item",
    [
        {},
        None,
        {**SHOWN, "expirationDateTime": None},
        {**SHOWN, "expirationDateTime": "soon"},
        {**SHOWN, "expirationDateTime": "0001-01-01T00:00:00+10:00"},
    ],
    ids=["empty", "nothing", "no end", "a word", "before all time"],
)
def test_one_that_cannot_be_read(item, caplog):
    """One odd subscription of the list hides no other; asked for by its id, it is refused."""
    odd = client(in_turn(answer({"value": [item, SHOWN]})))
    assert odd.list_own() == [READ]
    assert caplog.messages == ["subscription.set_aside"]

    with pytest.raises(Refused, match="with unexpected JSON"):
        client(in_turn(answer(item))).find(ID)


@pytest.mark.parametrize("fields", [{}, [], {"value": None}, {"value": 7}], ids=str)
def test_listing_of_an_unknown_shape(fields):
    """What is no list at all is refused, in a sentence and not by a crash."""
    with pytest.raises(Refused, match="with unexpected JSON"):
        client(in_turn(answer(fields))).list_own()


def test_next_page_elsewhere():
    """The token goes to no other host."""
    page = answer({"value": [], "@odata.nextLink": "https://elsewhere.contoso.com/v1.0"})

    with pytest.raises(Refused, match="another host"):
        client(in_turn(page)).list_own()


def test_pages_that_do_not_end():
    """A link that never changes, and a list without end: one sentence, and no call more."""
    asked: list[str] = []

    def same(request: requests.PreparedRequest) -> Answer:
        asked.append(request.path_url)
        return answer({"value": [], "@odata.nextLink": f"{GRAPH}/v1.0/subscriptions?$skip=1"})

    def ever_new(request: requests.PreparedRequest) -> Answer:
        asked.append(request.path_url)
        link = f"{GRAPH}/v1.0/subscriptions?$skip={len(asked)}"
        return answer({"value": [], "@odata.nextLink": link})

    for web, calls in ((same, 2), (ever_new, 100)):
        asked.clear()
        with pytest.raises(Refused, match="does not end"):
            client(web).list_own()
        assert len(asked) == calls


def test_one_is_found_by_its_id():
    """Graph is asked for the id, and a 404 of its own means that there is none."""
    web = Recorded(answer(SHOWN))

    assert client(web).find(ID) == READ
    assert web.seen == [("GET", f"/v1.0/subscriptions/{ID}", None)]
    assert client(in_turn(refusal(404, code="ResourceNotFound"))).find(ID) is None


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Answer(404, b"<html>"), Refused),
        (Answer(500), ServiceDown),
        (answer({}), Refused),
        (refusal(403), AccessDenied),
    ],
    ids=["a proxy's page", "broken", "another shape", "denied"],
)
def test_whether_there_is_one_is_not_told(said, kind):
    """Only Graph's own word means that there is none."""
    with pytest.raises(kind) as caught:
        client(in_turn(said)).find(ID)

    assert not isinstance(caught.value, SubscriptionGone)


@pytest.mark.parametrize("id_", ["", "another", "..", f"../users/{ID}", f"{ID}/x"])
def test_what_is_no_id_is_not_asked_for(id_):
    """A memory that a person has changed names none."""
    web = Recorded(answer(SHOWN))

    assert client(web).find(id_) is None
    assert web.seen == []


def test_order_for_a_new_one():
    """Users, both changes, lifecycle items to the same address, our clientState, an end in UTC."""
    web = Recorded(answer(SHOWN, 201))

    made = client(web).create(URL, "state", EXPIRES.astimezone(timezone(timedelta(hours=2))))

    assert made == READ
    order = {
        "changeType": "updated,deleted",
        "notificationUrl": URL,
        "lifecycleNotificationUrl": URL,
        "resource": "users",
        "expirationDateTime": "2026-03-20T08:30:00Z",
        "clientState": "state",
    }
    assert web.seen == [("POST", "/v1.0/subscriptions", order)]


def test_order_for_a_renewal():
    """A renewal names the new end and the address; Graph takes no lifecycle address there."""
    web = Recorded(answer(SHOWN))

    assert client(web).renew(ID, URL, EXPIRES) == READ
    order = {"expirationDateTime": "2026-03-20T08:30:00Z", "notificationUrl": URL}
    assert web.seen == [("PATCH", f"/v1.0/subscriptions/{ID}", order)]


@pytest.mark.parametrize("said", [Answer(204), refusal(404)], ids=["deleted", "gone already"])
def test_delete(said):
    """Afterwards it is gone, whether it was there or not."""
    web = Recorded(said)

    client(web).delete(ID)

    assert web.seen == [("DELETE", f"/v1.0/subscriptions/{ID}", None)]


def test_id_of_an_answer_stays_one_segment():
    """Whatever an answer or a blob calls an id, no other address is called with it."""
    web = Recorded(answer(SHOWN))
    client(web).renew("../users/anne?x=", URL, EXPIRES)
    client(web).delete("../users/anne")

    assert [path for _, path, _ in web.seen] == [
        "/v1.0/subscriptions/..%2Fusers%2Fanne%3Fx%3D",
        "/v1.0/subscriptions/..%2Fusers%2Fanne",
    ]


def test_existing_one_is_named():
    """A 409 for a new one carries the id of the one in its way."""
    said = refusal(409, f"Subscription already exists for the provided resource. Id: {ID}")

    with pytest.raises(SubscriptionExists) as caught:
        client(in_turn(said)).create(URL, "state", EXPIRES)

    assert caught.value.existing_id == ID


def test_existing_one_is_not_named():
    """A 409 without an id says so."""
    with pytest.raises(SubscriptionExists) as caught:
        client(in_turn(refusal(409))).create(URL, "state", EXPIRES)

    assert caught.value.existing_id == ""


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (refusal(400, "Subscription validation request timed out."), ServiceDown),
        (refusal(400, UNSHAKEN.format("BadGateway"), "ValidationError"), ServiceDown),
        (refusal(400, UNSHAKEN.format("ServiceUnavailable")), ServiceDown),
        (refusal(400, UNSHAKEN.format("Forbidden"), "BadRequest"), ServiceDown),
        (refusal(400, "Something is wrong with the endpoint.", "ValidationError"), ServiceDown),
        (refusal(400, "Response must exactly match validationToken query parameter."), ServiceDown),
        (refusal(400, "Subscription expiration is too far.", "ExtensionError"), Refused),
        (refusal(400, "'clientState' must not be longer than 128 characters."), Refused),
        (refusal(403, code="Authorization_RequestDenied"), AccessDenied),
        (refusal(404), Refused),
        (refusal(429), Throttled),
        (Answer(500), ServiceDown),
    ],
    ids=[
        "timed out",
        "502",
        "503",
        "403",
        "other words",
        "other token",
        "too far",
        "too long",
        "denied",
        "no such path",
        "throttled",
        "broken",
    ],
)
def test_refused_creation(said, kind):
    """A webhook that slept or restarts is tried again; a wrong order is not."""
    with pytest.raises(kind) as caught:
        client(in_turn(said)).create(URL, "state", EXPIRES)

    assert not isinstance(caught.value, SubscriptionGone)


@pytest.mark.parametrize(
    ("said", "kind"),
    [(refusal(404), SubscriptionGone), (refusal(409), Conflict), (refusal(400), Refused)],
    ids=["gone", "at the same moment", "refused"],
)
def test_refused_renewal(said, kind):
    """A 404 means that it is gone; a 409 that somebody else changes it right now."""
    with pytest.raises(kind) as caught:
        client(in_turn(said)).renew(ID, URL, EXPIRES)

    assert type(caught.value) is kind


def test_refused_deletion():
    """Any other refusal to delete is an error."""
    with pytest.raises(AccessDenied):
        client(in_turn(refusal(403))).delete(ID)
