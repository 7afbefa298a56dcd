"""The cloud of a soak: its users, the operations on it, and the data it leaves."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.cloud.stack import Stack
from local.cloud.undisturbed import NO_TIMERS
from local.outside.console_client import ConsoleClient
from local.outside.tenant_client import TenantClient
from local.outside.watcher import Watcher
from local.soak import plan

QUEUES = ("photo-sync", "photo-upkeep")
BYSTANDERS = 10
# Each has a photo that never changes, and a mailbox with a fault.
REFUSING, VANISHING = "refusing@contoso.com", "vanishing@contoso.com"
# The app settings of a soak. No timer repairs anything, since only the soak itself may start
# repairs; a dead host's messages return after seconds instead of ten minutes.
SETTINGS = {
    **NO_TIMERS,
    "LOCAL_HOST_LOCK_SECONDS": "8",
    "PROFILE_CALLS_PER_5_MINUTES": "15000",
    "AUDIT_SHARE": "1",
    "EXCLUDED_USERS": ",".join(f"bystander{n}@contoso.com" for n in range(BYSTANDERS)),
}


class World:
    """Users of a tenant and the app's storage account, accessed only as an outsider can."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.at = stack.endpoints
        self.admin = TenantClient(self.at, self.at.client_id, Path(self.at.client_certificate))
        self.watcher = Watcher(self.at.storage, self.admin, stack.host_log)
        self._blobs = BlobServiceClient.from_connection_string(self.at.storage)
        self._queues = QueueServiceClient.from_connection_string(self.at.storage)
        self.console = ConsoleClient(self.at)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = self.at.ca
        self.users: list[tuple[str, str]] = []
        self.bystanders: list[str] = []
        self.odd: dict[str, str] = {}

    def add_users(self, users: int, photos: Mapping[int, bytes]) -> None:
        """
        Add users, some with a photo; the two with faults; bystanders, named only in forgeries.
        """
        names = [f"person{number:04}@contoso.com" for number in range(users)]
        seeds: list[dict[str, Any]] = [{"userPrincipalName": name} for name in names]
        for number, content in photos.items():
            seeds[number]["photo"] = base64.b64encode(content).decode()
        ids = self.admin.control("POST", "/users", seeds)["ids"]
        self.users = list(zip(ids, names, strict=True))
        photo = base64.b64encode(next(iter(photos.values()))).decode()
        odd, strangers = [REFUSING, VANISHING], SETTINGS["EXCLUDED_USERS"].split(",")
        seeds = [{"userPrincipalName": name, "photo": photo} for name in (*odd, *strangers)]
        ids = self.admin.control("POST", "/users", seeds)["ids"]
        self.odd, self.bystanders = dict(zip(odd, ids, strict=False)), ids[len(odd) :]

    def recognise(self) -> None:
        """Read the users from the tenant, for an instance that did not add them."""
        people = self.admin.control("GET", "/users")["users"]
        strangers = set(SETTINGS["EXCLUDED_USERS"].split(","))
        named = [(each["id"], each["userPrincipalName"]) for each in people]
        self.odd = {upn: user_id for user_id, upn in named if upn in {REFUSING, VANISHING}}
        self.bystanders = [user_id for user_id, upn in named if upn in strangers]
        others = {*strangers, *self.odd}
        self.users = [(user_id, upn) for user_id, upn in named if upn not in others]

    def refuse(self) -> None:
        """From now on one mailbox refuses, independently of other faults."""
        self.admin.control("POST", "/faults", plan.refusal(self.odd[REFUSING]))

    def remove_mailbox(self, *, back: bool = False) -> None:
        """Remove one mailbox from now on, or restore it with its photo."""
        order = {"mailbox": "online" if back else "none"}
        self.admin.control("PATCH", f"/users/{self.odd[VANISHING]}", order)

    def change_photo(self, user: int, content: bytes | None) -> None:
        """
        Set *content* as the photo in Exchange, None to remove it; subscribers may be notified.
        """
        photo = None if content is None else base64.b64encode(content).decode()
        user_id, _ = self.users[user]
        self.admin.control("PATCH", f"/users/{user_id}", {"photo": photo, "notify": True})

    def damage(self, user: int, number: int) -> None:
        """Edit a picture directly in SharePoint; no notification is sent."""
        user_id, _ = self.users[user]
        strange = base64.b64encode(b"no picture of anybody").decode()
        wanted: tuple[dict[str, Any], ...] = (
            {"files": {f"{user_id}_SThumb.jpg": strange}},
            {"files": {f"{user_id}_LThumb.jpg": None}},
            {"profile": {"PictureURL": ""}},
            {"profile": {"SPS-PicturePlaceholderState": "1"}},
        )
        order = {"damage": wanted[number % len(wanted)]}
        self.admin.control("PATCH", f"/users/{user_id}", order)

    def post(self, item: Mapping[str, Any], *, key: str) -> int:
        """Post one item to the webhook, as any sender; returns the status."""
        url = f"{self.at.functions}/api/notifications?code={key}"
        return self._session.post(url, json={"value": [item]}, timeout=30).status_code

    def queued(self, *names: str) -> int:
        """Messages that are queued, delayed or being processed."""
        return sum(self.watcher.length(name) for name in names or QUEUES)

    def orphans(self) -> int:
        """Workers that still finish the runs of a killed host."""
        return self.stack.orphans()

    def log(self) -> str:
        """The log of the host and the app so far, across all restarts."""
        return self.stack.host_log.read_text(encoding="utf-8", errors="replace")

    def end_subscription(self) -> None:
        """
        End the subscription in Graph, with a lifecycle notification; until there is a new one, no
        change is notified.
        """
        if self.subscriptions():
            self.admin.control("POST", "/lifecycle", {"event": "subscriptionRemoved"})

    def subscriptions(self) -> int:
        """The number of the app's subscriptions in Graph that have not expired."""
        return len(self.admin.control("GET", "/subscriptions")["subscriptions"])

    def park(self) -> None:
        """Run the timer that records the messages that the host gave up on."""
        url = f"{self.at.functions}/admin/functions/park_timer"
        headers = {"x-functions-key": self.at.master_key}
        self._session.post(url, json={"input": ""}, headers=headers, timeout=30).raise_for_status()

    def clear_queues(self) -> int:
        """Delete every message; returns their number."""
        lost = self.queued()
        for name in QUEUES:
            with suppress(ResourceNotFoundError):
                self._queues.get_queue_client(name).clear_messages()
        return lost

    def let_pass(self, span: timedelta) -> int:
        """Move every moment in the app's blobs into the past; returns the number of user states."""
        container = self._blobs.get_container_client("photo-sync-state")
        names = [
            name
            for folder in ("users/", "sweeps/", "audits/")
            for name in container.list_blob_names(name_starts_with=folder)
            if name.endswith(".json")  # the parts of an unfinished sweep have no moments
        ]
        for name in names:
            self._rewrite(name, lambda text: _earlier(text, span))
        return sum(name.startswith("users/") for name in names)

    def _rewrite(self, name: str, change: Callable[[bytes], bytes]) -> None:
        blob = self._blobs.get_blob_client("photo-sync-state", name)
        while True:
            found = blob.download_blob()
            try:
                blob.upload_blob(
                    change(found.readall()),
                    overwrite=True,
                    etag=found.properties.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            except ResourceModifiedError:
                continue  # the app has just written it
            return


def _earlier(text: bytes, span: timedelta) -> bytes:
    def moved(value: Any) -> Any:
        if isinstance(value, dict) and value.keys() == {"by", "seconds"}:
            # A claim's age is that of its blob, so only its length can be changed.
            return {**value, "seconds": value["seconds"] - span.total_seconds()}
        if isinstance(value, dict):
            return {key: moved(each) for key, each in value.items()}
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            return value
        return (moment - span).astimezone(UTC).isoformat(timespec="milliseconds")

    return json.dumps(moved(json.loads(text)), indent=2).encode()


def forged_items(world: World) -> Sequence[dict[str, Any]]:
    """One item for each kind of forgery, about a bystander, so that any effect shows."""
    genuine = {
        "changeType": "updated",
        "clientState": world.at.client_state,
        "tenantId": world.at.tenant_id,
        "subscriptionId": "00000000-0000-0000-0000-000000000001",
        "resource": "Users/{id}",
        "resourceData": {"@odata.type": "#Microsoft.Graph.User", "id": "{id}"},
    }
    unsigned = {key: value for key, value in genuine.items() if key != "clientState"}
    return (
        {**genuine, "clientState": "guess"},
        {**genuine, "clientState": world.at.client_state.upper() + "x"},
        {**genuine, "clientState": ""},
        {**genuine, "clientState": None},
        {**genuine, "clientState": [world.at.client_state]},
        {**genuine, "tenantId": "11111111-1111-1111-1111-111111111111"},
        unsigned,
    )
