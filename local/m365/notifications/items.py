"""The items that Graph posts to a webhook, field by field."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from local.m365.tenant.records import Subscription, User
from local.m365.tenant.tenant import Tenant

LIFECYCLE = ("reauthorizationRequired", "subscriptionRemoved", "missed")
# Seconds from 0001-01-01 to 1970-01-01: sequence numbers count 100 ns since the year 1.
_YEAR_ONE = 62_135_596_800


def user_item(
    tenant: Tenant, subscription: Subscription, user: User, change: str
) -> dict[str, Any]:
    """
    The item for one change of *user*.

    Documented: every field (facts/graph.md section 3). Inferred: the webhook channel has the same
    item. `sequenceNumber` and the form of `resource` vary, so they are switches.
    """
    now = tenant.now()
    resource = tenant.switches.notification_resource.replace("{id}", user.id)
    sequence = ticks(now)
    item = {
        "changeType": change,
        "clientState": subscription.client_state,
        "resource": resource,
        "subscriptionId": subscription.id,
        "tenantId": tenant.tenant_id,
        "subscriptionExpirationDateTime": _precise(subscription.expires) + "+00:00",
        "resourceData": {
            "@odata.type": "#Microsoft.Graph.User",
            "@odata.id": resource,
            "id": user.id,
            "organizationId": tenant.tenant_id,
            "eventTime": _precise(now) + "Z",
            "sequenceNumber": str(sequence) if tenant.switches.sequence_as_text else sequence,
        },
    }
    if subscription.client_state is None:
        del item["clientState"]  # optional in the schema (D, section 3)
    return item


def lifecycle_item(tenant: Tenant, subscription: Subscription, event: str) -> dict[str, Any]:
    """Documented: these five fields, no changeType, no resource (facts/graph.md section 2)."""
    return {
        "subscriptionId": subscription.id,
        "subscriptionExpirationDateTime": _precise(subscription.expires) + "+00:00",
        "tenantId": tenant.tenant_id,
        "clientState": subscription.client_state,
        "lifecycleEvent": event,
    }


def foreign_items(item: dict[str, Any]) -> list[dict[str, Any]]:
    """
    Items that do not belong to the receiver: of another tenant, of another subscription, without a
    clientState. One POST may contain them (D, facts/graph.md section 3).
    """
    other = str(uuid.uuid5(uuid.NAMESPACE_URL, "fabrikam"))
    unsigned = {key: value for key, value in item.items() if key != "clientState"}
    return [
        {**item, "tenantId": other, "clientState": "of fabrikam", "newField": {"a": [1]}},
        {**item, "subscriptionId": other, "clientState": "of another app"},
        unsigned,
    ]


def ticks(moment: datetime) -> int:
    whole = int(moment.timestamp()) + _YEAR_ONE
    return whole * 10_000_000 + moment.microsecond * 10


def _precise(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"
