"""The running local cloud, with methods for what tests do and check in it."""

from __future__ import annotations

import base64
import functools
import io
import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from azure.storage.blob import BlobServiceClient
from PIL import Image, ImageDraw

from local.cloud.stack import Stack
from local.cloud.undisturbed import NO_TIMERS, PATIENT_GRAPH
from local.outside.console_client import ConsoleClient
from local.outside.likeness import alike
from local.outside.tenant_client import TenantClient
from local.outside.watcher import Entry, State, Watcher
from shared.storage.azure import CONTAINER

# How long a message stays locked: in a host that a test kills, so that its messages soon return,
# and in every other host. One that is paused for longer gets its own messages again, and then the
# second run of a sweep's page waits for six minutes.
SHORT_LOCK = {"LOCAL_HOST_LOCK_SECONDS": "4"}
USUAL_LOCK = {"LOCAL_HOST_LOCK_SECONDS": "600"}
FINAL = {"synced", "no-photo", "skipped", "failed"}
_numbers = itertools.count(1)


@contextmanager
def quiet_cloud(
    folder: Path, settings: Mapping[str, str] | None = None, **options: Any
) -> Iterator[LiveCloud]:
    """A separate cloud in which no timer runs; *options* are those of Stack."""
    with Stack(folder, settings=NO_TIMERS | dict(settings or {}), **options) as stack:
        yield LiveCloud(stack)


def picture(seed: int, size: int = 400) -> bytes:
    """A JPEG that looks unlike those of nearby seeds."""
    image = Image.new("RGB", (size, size), ((seed * 67) % 256, (seed * 151) % 256, 90))
    draw = ImageDraw.Draw(image)
    corner = size * (1 + seed % 5) // 8
    draw.ellipse((corner, corner, corner + size // 3, corner + size // 3), fill="white")
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=92)
    return stream.getvalue()


class LiveCloud:
    """A Stack, with methods for what tests do with it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.at = stack.endpoints
        self.admin = TenantClient(self.at, self.at.client_id, Path(self.at.client_certificate))
        self.watcher = Watcher(self.at.storage, self.admin, stack.host_log)
        self.switch(**PATIENT_GRAPH)
        self.console = ConsoleClient(self.at)
        self.webhook = f"{self.at.functions}/api/notifications?code={self.at.key}"

    def subscribe(self) -> None:
        """As after a deployment: the product subscribes, and then sweeps once."""
        self.watcher.type_into_queue("renew", "photo-upkeep")
        self.wait_for(lambda: bool(self.watcher.sweep().get("finishedAt")))
        self.watcher.until(list)

    def add(self, **seed: Any) -> tuple[str, str]:
        """Add a user to the tenant; returns object id and UPN."""
        upn = seed.pop("userPrincipalName", f"person{next(_numbers)}@contoso.com")
        (user_id,) = self.admin.control("POST", "/users", {"userPrincipalName": upn, **seed})["ids"]
        return user_id, upn

    def add_unnotified(self, seed: int, **fields: Any) -> tuple[str, str]:
        """Add a user with `picture(seed)` as photo, without a notification."""
        user_id, upn = self.add(**fields)
        self.seed_photo(user_id, picture(seed))
        return user_id, upn

    def copied(self, seed: int, **fields: Any) -> tuple[str, str]:
        """Add a user whose photo, `picture(seed)`, has been copied."""
        user_id, upn = self.add_unnotified(seed, **fields)
        self.replayed(user_id)
        return user_id, upn

    def settled(self, user_id: str, *, queue: str = "") -> State:
        """Queue the message *queue*, if given, and wait until the user's state is final."""
        before = len(self.outcomes(user_id))
        if queue:
            self.watcher.type_into_queue(queue)

        def still_open() -> list[str]:
            state = self.watcher.states().get(user_id)
            done = state is not None and state["status"] in FINAL and not state["claim"]
            processed = len(self.outcomes(user_id)) > before or not queue
            return [] if done and processed else [f"{user_id}: {state}"]

        self.watcher.until(still_open)
        return self.watcher.states()[user_id]

    def wait_for(self, condition: Callable[[], bool], seconds: float = 120) -> None:
        """Wait until *condition* holds, even while messages are queued."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition was never met"
            # Other processes send no signal.
            time.sleep(0.05)

    def replayed(self, user_id: str) -> State:
        return self.settled(user_id, queue=user_id)

    def sweep(self) -> State:
        """Run a whole sweep and all the runs it causes; returns its log."""
        order = functools.partial(self.watcher.type_into_queue, "sweep", "photo-upkeep")
        return self._finished(self.watcher.sweep, order)

    def audit(self, *, repair: bool = True) -> State:
        """Run a whole audit and all the runs it causes; returns its log."""
        order = functools.partial(self.console.order, "audit", repair=repair)
        return self._finished(self.watcher.audit, order)

    def _finished(self, newest: Callable[[], State], order: Callable[[], object]) -> State:
        """Give *order*, and wait until the *newest* log is another one and is complete."""
        before = newest().get("id")
        order()

        def running() -> list[str]:
            log = newest()
            ended = log.get("id") != before and log.get("status") != "running"
            return [] if ended else [str(log)]

        self.watcher.until(running)
        return newest()

    def age(self, user_id: str, moment: str, **ago: float) -> None:
        """Move a moment in the user's state, such as missingSince, into the past."""
        self.watcher.skip_time(user_id, **{moment: datetime.now(UTC) - timedelta(**ago)})

    def expire_claims(self) -> list[str]:
        """Shorten the claims of dead runs, so that they have expired; returns their users."""
        service = BlobServiceClient.from_connection_string(self.at.storage)
        claimed = {id_: state for id_, state in self.watcher.states().items() if state["claim"]}
        for user_id, state in claimed.items():
            state["claim"]["seconds"] = 0
            blob = service.get_blob_client(CONTAINER, f"users/{user_id}.json")
            blob.upload_blob(json.dumps(state), overwrite=True)
        return [*claimed]

    def outcomes(self, user_id: str) -> list[dict[str, str]]:
        return [each for each in self.watcher.outcomes() if each["user"] == user_id]

    def status(self, user_id: str) -> str:
        """The status in the user's state; empty without a state."""
        return str(self.watcher.states().get(user_id, {}).get("status", ""))

    def profile(self, user_id: str) -> dict[str, str]:
        """The user's profile in SharePoint."""
        return dict(self.admin.control("GET", f"/users/{user_id}")["profile"])

    def change(self, user_id: str, **fields: Any) -> None:
        """Change the user in the simulator, as somebody might; no notification is sent."""
        self.admin.control("PATCH", f"/users/{user_id}", fields)

    def subscriptions(self) -> list[dict[str, Any]]:
        """The app's subscriptions in Graph."""
        found: list[dict[str, Any]] = self.admin.control("GET", "/subscriptions")["subscriptions"]
        return found

    def last_entry(self) -> int:
        """The number of the journal's last entry; 0 if it is empty."""
        return max((entry["n"] for entry in self.watcher.journal()), default=0)

    def logged(self, event: str) -> int:
        """How often the product has logged *event*."""
        return self.stack.host_log.read_text("utf-8", errors="replace").count(event)

    def failed_runs(self) -> list[str]:
        """For each failed run, the 40 lines that the host logged before its end."""
        lines = self.stack.host_log.read_text("utf-8", errors="replace").splitlines()
        ends = [
            number for number, line in enumerate(lines) if ", Id=" in line and "(Failed" in line
        ]
        return ["\n".join(lines[max(0, end - 40) : end + 1]) for end in ends]

    def shows(self, upn: str, photo: bytes) -> bool:
        """Whether all three of SharePoint's pictures are *photo*."""
        files = self.admin.shown(upn).files
        return set(files) == set("SML") and all(alike(photo, each) for each in files.values())

    def seed_photo(self, user_id: str, content: bytes) -> None:
        """Store *content* as the photo unchanged, unlike an upload; no notification is sent."""
        self.change(user_id, photo=base64.b64encode(content).decode())

    def switch(self, **switches: Any) -> None:
        self.admin.control("POST", "/switches", switches)

    def fault(self, **order: Any) -> None:
        self.admin.control("POST", "/faults", order)

    def journal_of(self, user_id: str, after: int = 0) -> list[Entry]:
        """PhotoSync's requests about one user; a batch counts once."""
        return [
            entry
            for entry in self.watcher.journal(after)
            if entry.get("userId") == user_id
            and entry.get("clientId") == self.at.app_client_id
            and entry["service"] != "delivery"
            and not entry.get("batch")
        ]

    def run(self, function: str) -> None:
        """Run a timer's function now, as an admin can with the master key."""
        url = f"{self.at.functions}/admin/functions/{function}"
        headers = {"x-functions-key": self.at.master_key}
        self.call("POST", url, json={"input": ""}, headers=headers).raise_for_status()

    def notify(self, items: list[Any], **options: Any) -> requests.Response:
        """Post to the webhook as Graph does."""
        return self.call("POST", self.webhook, json={"value": items}, **options)

    def item(self, user_id: str, **changes: Any) -> dict[str, Any]:
        """A genuine notification about a user, with *changes*."""
        return {
            "changeType": "updated",
            "clientState": self.at.client_state,
            "tenantId": self.at.tenant_id,
            "subscriptionId": "00000000-0000-0000-0000-000000000001",
            "resource": f"Users/{user_id}",
            "resourceData": {"@odata.type": "#Microsoft.Graph.User", "id": user_id},
            **changes,
        }

    def call(self, method: str, url: str, **options: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            session.verify = self.at.ca
            return session.request(method, url, timeout=30, **options)
