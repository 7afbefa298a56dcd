"""Genuine items: which user each is about, and what goes to upkeep."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from shared.messages import upkeep_message
from shared.messages.sync_message import parse
from shared.webhook.notifications import Accepted
from tests.doubles.web import NOON
from tests.shared.webhook.notifying import ID, OTHER_ID, item, lifecycle, post, users, without

# Which user an item is about


NO_DATA: dict[str, Any] = {}
RESOURCES = {
    "as Graph sends it": item(),
    "Users/x": item(resource=f"Users/{ID}", resourceData=NO_DATA),
    "users/x": item(resource=f"users/{ID}", resourceData=None),
    "/users/x": item(resource=f"/users/{ID}", resourceData=NO_DATA),
    "users('x')": item(resource=f"users('{ID}')", resourceData=NO_DATA),
    "USERS('X')": item(resource=f"USERS('{ID.upper()}')", resourceData=NO_DATA),
    "data before resource": item(resource=f"Users/{OTHER_ID}"),
    "users alone": item(resource="users"),
    "resource by UPN": item(resource="Users/anne@contoso.com"),
    "id in capitals": item(resourceData={"id": ID.upper()}),
    "id is no GUID": item(resourceData={"id": "anne"}),
    "data is no object": item(resourceData="data"),
    "type is null": item(resourceData={"@odata.type": None, "id": ID}),
    "type in small letters": item(resourceData={"@odata.type": "#microsoft.graph.user", "id": ID}),
    "no resource": without("resource"),
    "no changeType": without("changeType"),
    "a deleted user": item(changeType="deleted"),
    "lifecycleEvent is null": item(lifecycleEvent=None),
    "unknown fields": item(validationTokens=[], encryptedContent={}),
    "sequence number as text": item(resourceData={"id": ID, "sequenceNumber": "6378899547"}),
}


@pytest.mark.parametrize("notification", RESOURCES.values(), ids=RESOURCES)
def test_user_of_an_item(notification):
    """The object id comes from resourceData.id, else from resource in any of its forms."""
    accepted = post(notification)

    assert users(accepted) == [ID]
    assert not accepted.ignored


NOT_USERS = {
    "a group": item(resource=f"groups/{ID}"),
    "a group by its type": item(resourceData={"@odata.type": "#Microsoft.Graph.Group", "id": ID}),
    "another type beside users": item(resourceData={"@odata.type": 7, "id": ID}),
    "a user's messages": item(resource=f"users/{ID}/messages/5"),
    "not a GUID": item(resource="Users/anne", resourceData=NO_DATA),
    "users and nothing else": item(resource="users", resourceData=NO_DATA),
    "resource of another type": item(resource=[f"Users/{ID}"]),
    "neither resource nor type": without("resource", resourceData={"id": ID}),
    "a line break": item(resource=f"Users/{ID}\n", resourceData=NO_DATA),
}


@pytest.mark.parametrize("notification", NOT_USERS.values(), ids=NOT_USERS)
def test_item_about_something_else(notification):
    """An item that is not about a user with a GUID is ignored and counted."""
    accepted = post(notification)

    assert accepted.sync == []
    assert accepted.ignored == {"not-a-user": 1}


def test_message_as_the_worker_reads_it():
    """The message has the reason, the time and the correlation id."""
    message = parse(post(item()).sync[0].encode(), now=NOON, correlation_id="unused")

    assert (message.user_id, message.reason, message.force) == (ID, "notification", False)
    assert (message.attempt, message.first_queued_at) == (1, NOON)
    assert message.correlation_id == "new-id"


# Lifecycle


@pytest.mark.parametrize("event", ["reauthorizationRequired", "subscriptionRemoved", "missed"])
def test_lifecycle_item_goes_to_upkeep(event):
    """Each of the three lifecycle events becomes one message on photo-upkeep."""
    accepted = post(lifecycle(event))

    assert accepted.sync == []
    assert [json.loads(message) for message in accepted.upkeep] == [
        {
            "kind": "lifecycle",
            "lifecycleEvent": event,
            "subscriptionId": OTHER_ID,
            "attempt": 1,
            "firstQueuedAt": NOON.isoformat(),
        }
    ]


def post_about(count: int, **fields: Any) -> tuple[list[str], Accepted]:
    """Post about *count* users, and twice about the first of them."""
    ids = [f"4e1a1f5d-0000-4000-8000-{number:012d}" for number in range(count)]
    data = [{"id": each} for each in [*ids, ids[0]]]
    return ids, post(*(item(resource="users", resourceData=each, **fields) for each in data))


@pytest.mark.parametrize(("count", "sizes"), [(8, []), (9, [9]), (1000, [1000]), (1001, [1000, 1])])
def test_users_of_a_large_post(count, sizes):
    """Up to eight users have a message each; more are named in bundles, each once."""
    ids, accepted = post_about(count)
    bundles = [upkeep_message.parse(text.encode(), now=NOON) for text in accepted.upkeep]

    assert (users(accepted), accepted.users) == ([] if bundles else ids, count)
    assert [len(bundle.user_ids) for bundle in bundles] == sizes
    assert [each for bundle in bundles for each in bundle.user_ids] == (ids if bundles else [])
    assert {(each.first_queued_at, each.correlation_id) for each in bundles} <= {(NOON, "new-id")}


def test_bundle_fits_into_a_queue_message():
    """The largest is below 64 KB, even in base64."""
    [text] = post_about(1000)[1].upkeep

    assert len(base64.b64encode(text.encode())) < 64 * 1024


def test_doubled_lifecycle_items_are_one_message():
    """Two hundred events of a kind in one POST are one message; another kind is another."""
    accepted = post(*[lifecycle("subscriptionRemoved")] * 200, lifecycle("missed"))

    events = [json.loads(message)["lifecycleEvent"] for message in accepted.upkeep]
    assert events == ["subscriptionRemoved", "missed"]
    assert accepted.ignored == {}


def test_lifecycle_items_of_many_subscriptions():
    """At most ten subscriptions of one POST, more than an app has for users, go to upkeep."""
    items = [lifecycle("missed", subscriptionId=f"{n:0128}") for n in range(200)]
    accepted = post(*items, items[0])

    assert len(accepted.upkeep) == accepted.events == 10
    assert accepted.ignored == {"unknown-lifecycle": 190}


@pytest.mark.parametrize(
    "notification",
    [
        lifecycle("renamed"),
        lifecycle(["missed"]),
        lifecycle(subscriptionId=None),
        lifecycle(subscriptionId="x" * 129),
    ],
    ids=["unknown event", "event of another type", "no subscription", "too large for the queue"],
)
def test_invalid_lifecycle_item(notification):
    """A lifecycle item that is unknown, or too large for the queue, is counted."""
    accepted = post(notification)

    assert accepted.upkeep == []
    assert accepted.ignored == {"unknown-lifecycle": 1}
