"""The running cloud, as seen from PhotoSync's subscription."""

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
    """The cloud, as seen from its subscription."""

    def __init__(self, cloud: LiveCloud) -> None:
        self.cloud = cloud
        at = cloud.at
        self.app = TenantClient(at, at.app_client_id, Path(at.app_certificate))
        service = BlobServiceClient.from_connection_string(at.storage)
        self._container = service.get_container_client(CONTAINER)
        self._blob = self._container.get_blob_client(NAME)

    @property
    def id(self) -> str:
        """The id of the only subscription."""
        (one,) = self.cloud.subscriptions()
        return str(one["id"])

    @property
    def memory(self) -> dict[str, Any]:
        """The document in which PhotoSync records its subscription."""
        return self.cloud.watcher.document(NAME)

    def remember(self, **fields: Any) -> None:
        """Change the document from outside."""
        self._blob.upload_blob(json.dumps({**self.memory, **fields}), overwrite=True)

    def renew(self) -> None:
        """Type `renew`, and wait until PhotoSync has checked the subscription."""
        # Otherwise the end of another run could be taken for the end of ours.
        self.cloud.watcher.until(list)
        before = self.memory.get("checkedAt")
        self.cloud.watcher.type_into_queue("renew", "photo-upkeep")

        def checked() -> bool:
            memory = self.memory
            # Graph allows 25 listings in 20 s (documented). These tests make more, and wait.
            throttled = "TooManyRequests" in str(memory.get("detail"))
            return memory.get("checkedAt") != before and not throttled

        self.cloud.wait_for(checked)

    def becomes_live(self) -> None:
        self.cloud.wait_for(lambda: self.memory.get("status") == "live" and self.works())

    def works(self) -> bool:
        """Whether there is exactly one, as recorded, with the app's address and clientState."""
        wanted = {
            "id": self.memory.get("id"),
            "notificationUrl": self.cloud.webhook,
            "lifecycleNotificationUrl": self.cloud.webhook,
            "clientState": self.cloud.at.client_state,
            "changeType": "updated,deleted",
        }
        found = self.cloud.subscriptions()
        return [{name: one[name] for name in wanted} for one in found] == [wanted]

    def event(self, name: str) -> None:
        """Have Graph send a lifecycle notification."""
        self.cloud.admin.control("POST", "/lifecycle", {"event": name})

    def sweeps(self) -> object:
        return self.cloud.watcher.document("sweeps/latest.json")

    def let_time_pass(self) -> None:
        """Set the beginning of the newest sweep one hour back."""
        self.cloud.wait_for(lambda: self.cloud.watcher.sweep().get("status") == "finished")
        sweep = self.cloud.watcher.sweep()
        hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        blob = self._container.get_blob_client(f"sweeps/{sweep['id']}.json")
        blob.upload_blob(json.dumps({**sweep, "startedAt": hour_ago}), overwrite=True)

    def asked(self, method: str, after: int) -> int:
        """The number of calls to subscriptions with *method*."""
        return sum(
            entry["method"] == method and "/subscriptions" in entry["path"]
            for entry in self.cloud.watcher.journal(after)
        )

    def graph(self, method: str, id_: str, **order: str) -> None:
        """Change a subscription with PhotoSync's own registration, without PhotoSync."""
        self.app._graph(method, f"/v1.0/subscriptions/{id_}", json=order)
