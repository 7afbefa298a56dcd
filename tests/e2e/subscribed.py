"""The running cloud, seen from PhotoSync's subscription."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from azure.storage.blob import BlobServiceClient

from local.outside.tenant_client import TenantClient
from shared.storage.azure import CONTAINER
from shared.subscription.keeper import NAME
from tests.e2e.cloud import LiveCloud


class Subscribed:
    """The cloud, seen from its subscription."""

    def __init__(self, cloud: LiveCloud) -> None:
        self.cloud = cloud
        at = cloud.at
        self.app = TenantClient(at, at.app_client_id, Path(at.app_certificate))
        service = BlobServiceClient.from_connection_string(at.storage)
        self._container = service.get_container_client(CONTAINER)
        self._blob = self._container.get_blob_client(NAME)

    def all(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.cloud.admin.control("GET", "/subscriptions")[
            "subscriptions"
        ]
        return found

    @property
    def id(self) -> str:
        """Of the only one."""
        (one,) = self.all()
        return str(one["id"])

    @property
    def memory(self) -> dict[str, Any]:
        return self.cloud.watcher.document(NAME)

    def remember(self, **fields: Any) -> None:
        """Change the memory from outside."""
        self._blob.upload_blob(json.dumps({**self.memory, **fields}), overwrite=True)

    def renew(self) -> None:
        """Type `renew`, and wait until PhotoSync has looked after the subscription."""
        # While another run is at it, ours would wait, and its end would be taken for ours.
        self.cloud.watcher.until(list)
        before = self.memory.get("checkedAt")
        self.cloud.watcher.type_into_queue("renew", "photo-upkeep")

        def looked_after() -> bool:
            memory = self.memory
            # Graph lists 25 times in 20 s (documented). These tests ask for more, and it waits.
            throttled = "TooManyRequests" in str(memory.get("detail"))
            return memory.get("checkedAt") != before and not throttled

        self.cloud.wait_for(looked_after)

    def becomes_live(self) -> None:
        self.cloud.wait_for(lambda: self.memory.get("status") == "live" and self.works())

    def works(self) -> bool:
        """Whether there is one, remembered as it is, that will reach us and be believed."""
        wanted = {
            "id": self.memory.get("id"),
            "notificationUrl": self.cloud.webhook,
            "lifecycleNotificationUrl": self.cloud.webhook,
            "clientState": self.cloud.at.client_state,
            "changeType": "updated,deleted",
        }
        return [{name: one[name] for name in wanted} for one in self.all()] == [wanted]

    def event(self, name: str) -> None:
        self.cloud.admin.control("POST", "/lifecycle", {"event": name})

    def sweeps(self) -> object:
        return self.cloud.watcher.document("sweeps/latest.json")

    def let_time_pass(self) -> None:
        """As if the newest sweep had been over for an hour."""
        self.cloud.wait_for(lambda: self.cloud.watcher.sweep().get("status") == "finished")
        sweep = self.cloud.watcher.sweep()
        hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        blob = self._container.get_blob_client(f"sweeps/{sweep['id']}.json")
        blob.upload_blob(json.dumps({**sweep, "startedAt": hour_ago}), overwrite=True)

    def asked(self, method: str, after: int) -> int:
        """How often PhotoSync has called subscriptions so."""
        return sum(
            entry["method"] == method and "/subscriptions" in entry["path"]
            for entry in self.cloud.watcher.journal(after)
        )

    def now(self) -> int:
        return max((entry["n"] for entry in self.cloud.watcher.journal()), default=0)

    def graph(self, method: str, id_: str = "", **order: str) -> None:
        """Call subscriptions with PhotoSync's own registration, behind its back."""
        path = f"/v1.0/subscriptions/{id_}".rstrip("/")
        self.app._graph(method, path, json=order)

    def make(self, url: str, changes: str, state: str) -> None:
        """One that nobody remembers."""
        expires = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.graph(
            "POST",
            changeType=changes,
            notificationUrl=url,
            resource="users",
            expirationDateTime=expires,
            clientState=state,
        )
