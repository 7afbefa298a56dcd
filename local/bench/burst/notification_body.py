"""The body of a POST as Graph writes it (graph.md section 3)."""

from __future__ import annotations

import json
from collections.abc import Iterable


def notification_body(user_ids: Iterable[str], *, tenant_id: str, client_state: str) -> bytes:
    """One item about each of the users."""
    items = [
        {
            "changeType": "updated",
            "clientState": client_state,
            "resource": f"Users/{user_id}",
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.User",
                "@odata.id": f"Users/{user_id}",
                "id": user_id,
                "organizationId": tenant_id,
                "sequenceNumber": 638_000_000_000_000_000,
            },
            "subscriptionExpirationDateTime": "2026-12-31T12:00:00+00:00",
            "subscriptionId": "00000000-0000-4000-8000-000000000002",
            "tenantId": tenant_id,
        }
        for user_id in user_ids
    ]
    return json.dumps({"value": items}).encode()
