"""
`python -m tests.retained.record CHECKOUT FOLDER`: records the data of the version in CHECKOUT.

The current local cloud runs that version's functions: they copy, sweep, wait, fail and are killed
during work, and they queue messages that are not processed any more. Then FOLDER gets
`storage.json`, all blobs and messages, and `tenant.json`, the people as input for the control API.
"""

from __future__ import annotations

import base64
import io
import json
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient
from PIL import Image

from local.cloud.stack import Stack
from local.cloud.undisturbed import NO_TIMERS
from tests.e2e.cloud import LiveCloud
from tests.retained.left import CONTAINER, to_names

UPN = "{}@contoso.com"
SETTINGS = {"EXCLUDED_USERS": UPN.format("excluded"), **NO_TIMERS}
QUEUES = ("photo-sync", "photo-upkeep")
# Fixed ids, since the simulator would generate new ones.
IDS = "{:08d}-0000-4000-8000-000000000000"
PEOPLE: dict[str, dict[str, Any]] = {
    "synced": {},
    "changed": {},
    "waiting": {},
    "dying": {},
    "missing": {},
    "removed": {},
    "failed": {},
    "chosen": {"profile": {"PictureURL": "https://cdn.contoso.com/chosen.jpg"}},
    "excluded": {},
    "guest": {"userType": "Guest"},
    "without": {"photo": None},
    "nobody": {"mailbox": "none", "photo": None},
}


def plain(number: int) -> str:
    """A photo of one colour, so that the file is small, in base64."""
    stream = io.BytesIO()
    Image.new("RGB", (96, 96), ((number * 67) % 256, (number * 151) % 256, 90)).save(stream, "JPEG")
    return base64.b64encode(stream.getvalue()).decode()


class Recording:
    """One version in a separate cloud."""

    def __init__(self, cloud: LiveCloud) -> None:
        self.cloud = cloud
        self.ids = {name: IDS.format(number) for number, name in enumerate(PEOPLE, 1)}

    def play(self) -> None:
        """Run that version until it is killed."""
        self._move_in()
        self.cloud.subscribe()
        self.cloud.watcher.type_into_queue("no user at all")
        self._take_photos_away()
        self._die()
        self._leave_messages()
        self.stopped_at = datetime.now(UTC)

    def _move_in(self) -> None:
        for number, (name, seed) in enumerate(PEOPLE.items(), 1):
            known = {"id": self.ids[name], "photo": plain(number), **seed}
            self.cloud.add(userPrincipalName=UPN.format(name), **known)
        path = f"/users/{self.ids['failed']}/photo"
        self.cloud.fault(service="graph", path=path, next=1_000_000, fault="403")

    def _take_photos_away(self) -> None:
        """One photo is recently missing, and the picture of another is removed."""
        for name in ("missing", "removed"):
            self.cloud.admin.delete_photo(self.ids[name])
        states = self.cloud.watcher.states
        self.cloud.watcher.until(
            lambda: [
                name
                for name in ("missing", "removed")
                if not states()[self.ids[name]]["missingSince"]
            ]
        )
        self.cloud.age(self.ids["removed"], "missingSince", minutes=11)
        self.cloud.sweep()

    def _die(self) -> None:
        """Kill the host while one user waits, one is half copied, and a sweep has begun."""
        cloud, ids = self.cloud, self.ids
        cloud.fault(
            service="sharepoint",
            path=f"{ids['waiting']}.*Thumb",
            fault="503",
            next=100,
            retryAfter=20,
        )
        cloud.fault(
            service="sharepoint",
            path=f"{ids['dying']}.*LThumb",
            fault="timeout",
            next=100,
            seconds=900,
        )
        for number, name in enumerate(("waiting", "dying"), 50):
            cloud.admin.put_photo(ids[name], base64.b64decode(plain(number)), "image/jpeg")
        cloud.wait_for(lambda: cloud.watcher.states()[ids["waiting"]]["status"] == "waiting")
        cloud.wait_for(lambda: bool(cloud.watcher.states()[ids["dying"]]["claim"]))
        cloud.fault(service="graph", path="/users$", fault="timeout", next=100, seconds=900)
        before = cloud.watcher.sweep()["id"]
        cloud.watcher.type_into_queue("sweep", "photo-upkeep")
        cloud.wait_for(lambda: cloud.watcher.sweep()["id"] != before)
        cloud.stack.kill_host()

    def _leave_messages(self) -> None:
        """Run a host without queue functions, so that messages of the other functions stay."""
        cloud = self.cloud
        off = ("sync_photo", "upkeep")
        cloud.stack.change_settings({f"AzureWebJobs.{name}.Disabled": "1" for name in off})
        cloud.stack.start_host()
        cloud.admin.put_photo(self.ids["changed"], base64.b64decode(plain(60)), "image/jpeg")
        cloud.admin.control("POST", "/lifecycle", {"event": "missed"})
        for timer in ("sweep_timer", "renew_timer"):
            cloud.run(timer)
        cloud.console.order(f"users/{self.ids['synced']}/replay", force=True)
        # photo-sync: notification, replay, the waiting and the dead run. photo-upkeep: two timers,
        # Graph's event, the sweep's page.
        cloud.wait_for(lambda: min(map(cloud.watcher.length, QUEUES)) >= 4)
        cloud.stack.kill_host()

    def storage(self) -> dict[str, Any]:
        """When it stopped, all blobs by name, and all messages by queue."""
        connection = self.cloud.at.storage
        container = ContainerClient.from_connection_string(connection, CONTAINER)
        blobs = {}
        for blob in container.list_blobs(include=["metadata"]):
            text = container.download_blob(blob.name).readall().decode()
            blobs[blob.name] = {"metadata": dict(blob.metadata or {}), "text": self._named(text)}
        queues = {name: self._messages(name) for name in QUEUES}
        return {"recordedAt": self.stopped_at.isoformat(), "blobs": blobs, "queues": queues}

    def _messages(self, name: str) -> list[str]:
        queue = QueueClient.from_connection_string(self.cloud.at.storage, name)
        found: list[str] = []

        def all_taken() -> bool:
            # Some are hidden until the dead host's lock or a delay ends.
            found.extend(each.content for each in queue.receive_messages(visibility_timeout=3600))
            return len(found) == queue.get_queue_properties().approximate_message_count

        self.cloud.wait_for(all_taken)
        return sorted(self._named(text) for text in found)

    def _named(self, text: str) -> str:
        return to_names(text, self.cloud.at)

    def tenant(self) -> list[dict[str, Any]]:
        """The people, as input for `POST /_sim/users`."""
        self.cloud.admin.control("DELETE", "/faults")
        return [self._person(name, seed) for name, seed in PEOPLE.items()]

    def _person(self, name: str, seed: dict[str, Any]) -> dict[str, Any]:
        admin, id_ = self.cloud.admin, self.ids[name]
        known = admin.control("GET", f"/users/{id_}")
        photo, files = admin.photo(id_), {}
        for file in known["files"]:
            content = admin._file(self.cloud.at.sharepoint_my, file["path"])
            files[file["name"]] = base64.b64encode(content).decode()
        profile = {key: self._named(value) for key, value in known["profile"].items()}
        return {
            **{key: known[key] for key in ("id", "userPrincipalName", "displayName")},
            **{key: value for key, value in seed.items() if key in {"mailbox", "userType"}},
            "photo": photo and base64.b64encode(photo).decode(),
            "profile": profile,
            "files": files,
        }


def main(checkout: Path, folder: Path) -> None:
    """Record the version in *checkout* in *folder*."""
    os.environ["LOCAL_HOST_LOCK_SECONDS"] = "4"
    with (
        tempfile.TemporaryDirectory() as scratch,
        Stack(Path(scratch), app=checkout, settings=SETTINGS) as stack,
    ):
        recording = Recording(LiveCloud(stack))
        recording.play()
        found = {"storage": recording.storage(), "tenant": recording.tenant()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in found.items():
        text = json.dumps(content, indent=2, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
