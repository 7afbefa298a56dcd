"""
Observes PhotoSync's progress from outside: state blobs, queues, its log, the simulator's journal.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceNotFoundError

from local.outside import spectator
from local.outside.tenant_client import TenantClient

State = dict[str, Any]
Entry = dict[str, Any]
# In the direction in which work moves: so a message that moves during the count is not missed.
_WORK_QUEUES = ("photo-upkeep", "photo-sync")
# A blob's metadata, by the field that it repeats.
_LISTED = {"missingSince": "missing", "leftSince": "left"}
# The path endings of calls that write a profile.
PROFILE_WRITES = ("/SetSingleValueProfileProperty", "/ProcessQuery")
_OUTCOME = re.compile(r"photo\.(?P<event>[\w-]+) (?P<fields>user=.*)")


class NotSettled(Exception):
    """The deadline passed; the text says what was still open."""


class Watcher:
    """Reads PhotoSync's data. It changes only the queue it is told to use."""

    def __init__(self, storage: str, tenant: TenantClient, host_log: Path) -> None:
        self._states = spectator.blobs(storage).get_container_client("photo-sync-state")
        self._queues = spectator.queues(storage)
        self._tenant = tenant
        self._host_log = host_log

    def states(self) -> dict[str, State]:
        """Every user's state blob, by object id."""
        found: dict[str, State] = {}
        try:
            for name in self._states.list_blob_names(name_starts_with="users/"):
                state = json.loads(self._states.download_blob(name).readall())
                found[state["userId"]] = state
        except ResourceNotFoundError:
            return {}
        return found

    def unreadable(self) -> list[dict[str, str]]:
        """The rejected messages, each with its reason."""
        try:
            names = list(self._states.list_blob_names(name_starts_with="unreadable/"))
        except ResourceNotFoundError:
            return []
        return [json.loads(self._states.download_blob(name).readall()) for name in names]

    def undelivered(self) -> int:
        """Notifications that Graph has yet to post, also those that it will post again."""
        return int(self._tenant.control("GET", "/health")["deliveries"])

    def messages_left(self) -> int:
        """Messages that are queued, delayed or being processed."""
        return sum(self.length(name) for name in _WORK_QUEUES)

    def length(self, queue: str) -> int:
        """Messages in *queue*, also hidden ones; 0 if there is no such queue."""
        try:
            properties = self._queues.get_queue_client(queue).get_queue_properties()
        except ResourceNotFoundError:
            return 0
        return int(properties.approximate_message_count or 0)

    def type_into_queue(
        self, text: str, queue: str = "photo-sync", *, hidden_for: int | None = None
    ) -> None:
        """
        Put *text* into a queue, as a person does in a storage browser. *hidden_for* is in seconds.
        """
        self._queues.get_queue_client(queue).send_message(text, visibility_timeout=hidden_for)

    def document(self, name: str) -> State:
        """A document that PhotoSync stores for itself, empty if there is none."""
        try:
            return dict(json.loads(self._states.download_blob(name).readall()))
        except ResourceNotFoundError:
            return {}

    def sweep(self) -> State:
        """The newest sweep; empty before the first."""
        return self._newest("sweeps")

    def audit(self) -> State:
        """The newest audit; empty before the first."""
        return self._newest("audits")

    def _newest(self, folder: str) -> State:
        newest = self.document(f"{folder}/latest.json").get("id")
        return self.document(f"{folder}/{newest}.json") if newest else {}

    def skip_time(self, user_id: str, **moments: datetime) -> None:
        """
        Simulate that time passes for one user: move moments in its state, such as missingSince.
        """
        blob = self._states.get_blob_client(f"users/{user_id}.json")
        state = json.loads(blob.download_blob().readall())
        state |= {name: moment.isoformat() for name, moment in moments.items()}
        # The metadata, from which lists are built, repeats them.
        told = dict(blob.get_blob_properties().metadata)
        told |= {
            _LISTED[name]: each.isoformat() for name, each in moments.items() if name in _LISTED
        }
        blob.upload_blob(json.dumps(state), overwrite=True, metadata=told)

    def journal(self, after: int = 0) -> list[Entry]:
        """The simulated tenant's requests and deliveries, in order."""
        entries: list[Entry] = self._tenant.control("GET", f"/journal?after={after}")["entries"]
        return entries

    def outcomes(self) -> list[dict[str, str]]:
        """
        The outcome of each message, as the product logged it: event, user, calls, milliseconds.
        """
        text = self._host_log.read_text(encoding="utf-8", errors="replace")
        return [
            {"event": found["event"], **dict(re.findall(r"(\w+)=(\S+)", found["fields"]))}
            for found in _OUTCOME.finditer(text)
        ]

    def until(
        self,
        still_open: Callable[[], Iterable[str]],
        *,
        progress: Callable[[int], None] = lambda left: None,
        seconds: float = 300,
        pause: float = 0.1,
    ) -> None:
        """
        Wait until *still_open* is empty and no notification or message is left; check every *pause*
        seconds.

        Raises NotSettled after *seconds*, a bound against hangs, with what was still open.
        """
        deadline = time.monotonic() + seconds
        while True:
            # In the direction in which work moves: what was processed before one of these shows in
            # those after it.
            notifications = self.undelivered()
            messages = self.messages_left()
            left = list(still_open())
            progress(len(left))
            if not left and not messages and not notifications:
                return
            if time.monotonic() > deadline:
                raise NotSettled(
                    f"After {seconds:.0f} s: {left} open, {messages} messages queued, "
                    f"{notifications} POSTs with notifications to be delivered."
                )
            # There is no signal for the last processed message.
            time.sleep(pause)


def calls_about(journal: Iterable[Entry], user_id: str, client_id: str) -> dict[str, int]:
    """The calls of *client_id* to each service about one user; a batch is one call."""
    counts = {"graph": 0, "sharepoint": 0}
    for entry in journal:
        mine = entry.get("clientId") == client_id and entry.get("userId") == user_id
        if mine and not entry.get("batch") and entry["service"] in counts:
            counts[entry["service"]] += 1
    return counts


def milliseconds_to_visible(journal: Sequence[Entry], user_id: str, client_id: str) -> int | None:
    """From the first notification about a user, as Graph sent it, to the profile's last write."""
    told = shown = None
    for entry in journal:
        if entry.get("userId") != user_id:
            continue
        began = datetime.fromisoformat(entry["at"])
        if entry["service"] == "delivery":
            told = told or began
        elif entry.get("clientId") == client_id and entry["path"].endswith(PROFILE_WRITES):
            shown = began + timedelta(milliseconds=entry["ms"])
    if told is None or shown is None:
        return None
    return round((shown - told).total_seconds() * 1000)
