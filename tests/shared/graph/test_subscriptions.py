"""The calls about Graph's subscriptions, and what its refusals mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

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
from tests.doubles.web import Answer, Recorded, Web, answer, http, in_turn

GRAPH = "https://graph.contoso.com"
URL = "https://photosync.contoso.com/api/notifications?code=key"
ID = "7f105c7d-2dc5-4530-97cd-4e7ae6534c07"
EXPIRES = datetime(2026, 3, 20, 8, 30, tzinfo=UTC)
FIELDS = {
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


NOT_VALIDATED = (
    "Subscription validation request failed. HTTP status code is '{}'. Notification endpoint must "
    "respond with 200 OK to validation request."
)


def refusal(status: int, message: str = "In words.", code: str = "InvalidRequest") -> Answer:
    return answer({"error": {"code": code, "message": message}}, status)


def test_all_pages_are_listed():
    """The list is read to its last page."""
    first = answer({"value": [FIELDS], "@odata.nextLink": f"{GRAPH}/v1.0/subscriptions?$skip=1"})
    second = answer({"value": [{**FIELDS, "id": "another"}], "@odata.nextLink": None})

    assert [one.id for one in client(in_turn(first, second)).list_own()] == [ID, "another"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, READ),
        ({"resource": "/Users"}, READ),
        ({"changeType": "Deleted, Updated"}, READ),
        (
            dict.fromkeys(FIELDS.keys() - {"id", "expirationDateTime"}),
            Subscription(ID, "", frozenset(), "", "", EXPIRES),
        ),
    ],
    ids=["documented", "slash and capitals", "spaces", "nulls"],
)
def test_one_is_read(fields, expected):
    """Spelling does not matter, and missing fields are empty."""
    [one] = client(in_turn(answer({"value": [{**FIELDS, **fields}]}))).list_own()

    assert one == expected


@pytest.mark.parametrize(
    "item",
    [
        {},
        None,
        {**FIELDS, "expirationDateTime": None},
        {**FIELDS, "expirationDateTime": "soon"},
        {**FIELDS, "expirationDateTime": "0001-01-01T00:00:00+10:00"},
    ],
    ids=["empty", "nothing", "no end", "a word", "before year 1"],
)
def test_malformed_subscription(item, caplog):
    """In a list it is left out; read by its id, it is refused."""
    odd = client(in_turn(answer({"value": [item, FIELDS]})))
    assert odd.list_own() == [READ]
    assert caplog.messages == ["subscription.set_aside"]

    with pytest.raises(Refused, match="with unexpected JSON"):
        client(in_turn(answer(item))).find(ID)


@pytest.mark.parametrize("fields", [{}, [], {"value": None}, {"value": 7}], ids=str)
def test_malformed_list(fields):
    """What is no list is refused with a sentence."""
    with pytest.raises(Refused, match="with unexpected JSON"):
        client(in_turn(answer(fields))).list_own()


def test_one_is_found_by_its_id():
    """It is requested by its id; Graph's own 404 means that there is none."""
    web = Recorded(answer(FIELDS))

    assert client(web).find(ID) == READ
    assert web.calls == [("GET", f"/v1.0/subscriptions/{ID}", None)]
    assert client(in_turn(refusal(404, code="ResourceNotFound"))).find(ID) is None


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (Answer(404, b"<html>"), Refused),
        (Answer(500), ServiceDown),
        (answer({}), Refused),
        (refusal(403), AccessDenied),
    ],
    ids=["a proxy's page", "broken", "another shape", "denied"],
)
def test_unknown_whether_there_is_one(response, kind):
    """Any other answer does not mean that there is none."""
    with pytest.raises(kind) as caught:
        client(in_turn(response)).find(ID)

    assert not isinstance(caught.value, SubscriptionGone)


@pytest.mark.parametrize("id_", ["", "another", "..", f"../users/{ID}", f"{ID}/x"])
def test_invalid_id(id_):
    """An id that a person has typed into a blob causes no request unless it is a GUID."""
    web = Recorded(answer(FIELDS))

    assert client(web).find(id_) is None
    assert web.requests == []


def test_creation():
    """Users, both changes, lifecycle items to the same URL, our clientState, an end in UTC."""
    web = Recorded(answer(FIELDS, 201))

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
    assert web.calls == [("POST", "/v1.0/subscriptions", order)]


def test_renewal():
    """A renewal has the new end and the URL; Graph accepts no lifecycle URL there."""
    web = Recorded(answer(FIELDS))

    assert client(web).renew(ID, URL, EXPIRES) == READ
    order = {"expirationDateTime": "2026-03-20T08:30:00Z", "notificationUrl": URL}
    assert web.calls == [("PATCH", f"/v1.0/subscriptions/{ID}", order)]


@pytest.mark.parametrize("response", [Answer(204), refusal(404)], ids=["deleted", "gone already"])
def test_deletion(response):
    """Afterwards it is gone, whether it existed or not."""
    web = Recorded(response)

    client(web).delete(ID)

    assert web.calls == [("DELETE", f"/v1.0/subscriptions/{ID}", None)]


def test_id_stays_one_segment():
    """Whatever an answer or a blob has as an id, it changes no other part of the path."""
    web = Recorded(answer(FIELDS))
    client(web).renew("../users/anne?x=", URL, EXPIRES)
    client(web).delete("../users/anne")

    assert web.paths == [
        "/v1.0/subscriptions/..%2Fusers%2Fanne%3Fx%3D",
        "/v1.0/subscriptions/..%2Fusers%2Fanne",
    ]


@pytest.mark.parametrize(
    ("message", "existing"),
    [
        (f"Subscription already exists for the provided resource. Id: {ID}", ID),
        ("In words.", ""),
    ],
    ids=["id", "no id"],
)
def test_existing_one(message, existing):
    """A 409 for a new one has the id of the existing one, if Graph names it."""
    with pytest.raises(SubscriptionExists) as caught:
        client(in_turn(refusal(409, message))).create(URL, "state", EXPIRES)

    assert caught.value.existing_id == existing


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (refusal(400, "Subscription validation request timed out."), ServiceDown),
        (refusal(400, NOT_VALIDATED.format("BadGateway"), "ValidationError"), ServiceDown),
        (refusal(400, NOT_VALIDATED.format("ServiceUnavailable")), ServiceDown),
        (refusal(400, NOT_VALIDATED.format("Forbidden"), "BadRequest"), ServiceDown),
        (refusal(400, "Something is wrong with the endpoint.", "ValidationError"), ServiceDown),
        (refusal(400, "Response must exactly match validationToken query parameter."), ServiceDown),
        (refusal(400, "Subscription expiration is too far.", "ExtensionError"), Refused),
        (refusal(400, "'clientState' must not be longer than 128 characters."), Refused),
        (refusal(403, code="Authorization_RequestDenied"), AccessDenied),
        (refusal(404), Refused),
        (refusal(429), Throttled),
        (Answer(500), ServiceDown),
    ],
    ids="timed out,502,503,403,other text,other token,too far,too long,denied,404,429,500".split(
        ","
    ),
)
def test_refused_creation(response, kind):
    """If the webhook was idle or restarts, creation is retried; if the request is wrong, not."""
    with pytest.raises(kind) as caught:
        client(in_turn(response)).create(URL, "state", EXPIRES)

    assert not isinstance(caught.value, SubscriptionGone)


@pytest.mark.parametrize(
    ("response", "kind"),
    [(refusal(404), SubscriptionGone), (refusal(409), Conflict), (refusal(400), Refused)],
    ids=["gone", "concurrent change", "refused"],
)
def test_refused_renewal(response, kind):
    """A 404 means that it is gone; a 409 that another process is changing it."""
    with pytest.raises(kind) as caught:
        client(in_turn(response)).renew(ID, URL, EXPIRES)

    assert type(caught.value) is kind


def test_refused_deletion():
    """Any other refusal to delete is an error."""
    with pytest.raises(AccessDenied):
        client(in_turn(refusal(403))).delete(ID)
