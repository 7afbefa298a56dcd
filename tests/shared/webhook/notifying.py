"""Notifications as Graph posts them, and how the webhook accepts them."""

from __future__ import annotations

import json
from typing import Any

from shared.settings.webhook import WebhookSettings
from shared.webhook.notifications import Accepted, Answer, accept
from tests.doubles.web import NOON

TENANT = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
STATE = "a long and random text"
EXPECTED = WebhookSettings(TENANT, STATE)
ID = "6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0"
OTHER_ID = "4e1a1f5d-0000-4000-8000-00000000000a"


def item(**fields: Any) -> dict[str, Any]:
    """A notification as Graph sends it (graph.md section 3), with some *fields* replaced."""
    usual = {
        "changeType": "updated",
        "clientState": STATE,
        "resource": f"Users/{ID}",
        "subscriptionId": OTHER_ID,
        "tenantId": TENANT,
        "resourceData": {
            "@odata.type": "#Microsoft.Graph.User",
            "@odata.id": f"Users/{ID}",
            "id": ID,
            "eventTime": "2022-05-24T22:24:31.3062901Z",
            "sequenceNumber": 637889954713062901,
        },
    }
    return usual | fields


def without(name: str, **fields: Any) -> dict[str, Any]:
    return {key: value for key, value in item(**fields).items() if key != name}


def lifecycle(event: Any = "reauthorizationRequired", **fields: Any) -> dict[str, Any]:
    usual = {
        "subscriptionId": OTHER_ID,
        "tenantId": TENANT,
        "clientState": STATE,
        "lifecycleEvent": event,
    }
    return usual | fields


def post(*items: Any, expected: WebhookSettings = EXPECTED) -> Accepted:
    accepted = post_body(json.dumps({"value": items}).encode(), expected)
    assert isinstance(accepted, Accepted)
    return accepted


def post_body(body: bytes, expected: WebhookSettings = EXPECTED) -> Accepted | Answer:
    return accept(body, expected, now=NOON, new_id=lambda: "new-id")


def users(accepted: Accepted) -> list[str]:
    return [json.loads(message)["userId"] for message in accepted.sync]
