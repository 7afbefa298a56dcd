"""The data that each version left, and how to load it into a current cloud."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from local.cloud.endpoints import Endpoints

FOLDER = Path(__file__).parent
VERSIONS = sorted(path.name for path in FOLDER.iterdir() if (path / "storage.json").is_file())
CONTAINER = "photo-sync-state"
# Placeholders for the hosts, whose ports differ in each test cloud.
_MY, _ADMIN = "https://contoso-my.sharepoint.com", "https://contoso-admin.sharepoint.com"
_APP = "https://photosync.azurewebsites.example"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00")
# Long enough that a missed photo may be missed again, and that the last sweep is not recent.
_STOPPED_FOR = timedelta(minutes=15)


def storage(version: str) -> dict[str, Any]:
    """
    `blobs` by name, each with `text` and `metadata`; `queues` by name, lists of messages; and
    `recordedAt`, when the version stopped.
    """
    return {**_read(version, "storage")}


def states(version: str) -> dict[str, dict[str, Any]]:
    """The state blobs by object id, each with `text` and `metadata`."""
    blobs = storage(version)["blobs"].items()
    return {Path(name).stem: blob for name, blob in blobs if name.startswith("users/")}


def people(version: str) -> list[dict[str, Any]]:
    """The people, as input for `POST /_sim/users`."""
    return [*_read(version, "tenant")]


def to_names(text: str, at: Endpoints) -> str:
    """*text* from the cloud *at*, with its hosts replaced by placeholders."""
    for host, name in _names(at).items():
        text = text.replace(host, name)
    return text


def to_hosts(text: str, at: Endpoints) -> str:
    """The reverse of `to_names`, for the cloud *at*."""
    for host, name in _names(at).items():
        text = text.replace(name, host)
    return text


def put_into(at: Endpoints, version: str) -> None:
    """Load into the cloud *at* what *version* left, with times as if it stopped 15 minutes ago."""
    left = storage(version)
    later = datetime.now(UTC) - _STOPPED_FOR - datetime.fromisoformat(left["recordedAt"])

    def here_and_now(text: str) -> str:
        return _MOMENT.sub(lambda found: _shifted(found[0], later), to_hosts(text, at))

    container = ContainerClient.from_connection_string(at.storage, CONTAINER)
    if not container.exists():
        container.create_container()
    for name, blob in left["blobs"].items():
        metadata = {key: here_and_now(text) for key, text in blob["metadata"].items()}
        text = here_and_now(blob["text"])
        container.upload_blob(name, text, overwrite=True, metadata=metadata)
    for name, messages in left["queues"].items():
        queue = QueueClient.from_connection_string(at.storage, name)
        for text in messages:
            queue.send_message(here_and_now(text))


def _shifted(moment: str, later: timedelta) -> str:
    return (datetime.fromisoformat(moment) + later).isoformat(timespec="milliseconds")


def _names(at: Endpoints) -> dict[str, str]:
    return {at.sharepoint_my: _MY, at.sharepoint_admin: _ADMIN, at.functions: _APP}


def _read(version: str, name: str) -> Any:
    return json.loads((FOLDER / version / f"{name}.json").read_text("utf-8"))
