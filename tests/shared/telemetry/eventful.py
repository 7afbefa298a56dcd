"""A day of PhotoSync in half a minute, and all the telemetry that was sent about it."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cached_property

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueServiceClient

from shared.sweeping.sweep_rules import BRAKE_USERS
from tests.e2e.cloud import LiveCloud, picture
from tests.shared.telemetry.receivers import Receiver
from tests.shared.telemetry.workspace import Workspace

_SWEPT = re.compile(r"sweep\.finished .*\busers=(\d+)")
_LINE = re.compile(r"photosync: (?:\[\w+\] )?(.*)$", re.MULTILINE)


class Eventful:
    """A cloud, the receiver of its telemetry, and the users that the events are about."""

    def __init__(self, cloud: LiveCloud, receiver: Receiver) -> None:
        self.cloud = cloud
        self.receiver = receiver
        self.anne, self.upn = cloud.add()
        self.bert, _ = cloud.add()
        self.cleo, _ = cloud.add()

    def happen(self) -> None:
        """Each event once; the brake last, because it takes longest."""
        self.cloud.subscribe()
        self.notify_a_change()
        self.fail()
        self.wait_for_a_service()
        self.give_up_messages()
        self.cloud.audit()
        self.brake()
        self.receiver.wait_for(self._is_received)

    def notify_a_change(self) -> None:
        """Anne has a new photo and Graph notifies us; then it sends a second notification."""
        self.cloud.seed_photo(self.anne, picture(1))
        for runs in (1, 2):
            assert self.cloud.notify([self.cloud.item(self.anne)]).status_code == 202
            self._wait_for("photo.", f" user={self.anne} ", times=runs)

    def fail(self) -> None:
        """Bert's photo is not a picture."""
        self.cloud.seed_photo(self.bert, b"no picture, whatever it is called")
        self.cloud.replayed(self.bert)

    def wait_for_a_service(self) -> None:
        """SharePoint asks for a longer wait than a thread may make in place."""
        self.cloud.fault(
            service="sharepoint", path="AddUsingPath", fault="429", next=1, retryAfter=11
        )
        self.cloud.seed_photo(self.cleo, picture(2))
        self.cloud.replayed(self.cleo)

    def give_up_messages(self) -> None:
        """The host moved one message to each poison queue."""
        queues = QueueServiceClient.from_connection_string(self.cloud.at.storage)
        for queue, text in (("photo-sync-poison", self.cleo), ("photo-upkeep-poison", "sweep")):
            try:
                queues.create_queue(queue)
            except ResourceExistsError:
                pass
            self.cloud.watcher.type_into_queue(text, queue)
        self.cloud.run("park_timer")
        self._wait_for("photo.parked ")
        self._wait_for("upkeep.parked ")

    def brake(self) -> None:
        """Too many photos disappear at once."""
        people = [self.cloud.add_unnotified(3)[0] for _ in range(BRAKE_USERS + 1)]
        self.cloud.sweep()
        for user_id in people:
            self.cloud.admin.control("PATCH", f"/users/{user_id}", {"photo": None})
        self.cloud.sweep()
        for user_id in people:
            self.cloud.age(user_id, "missingSince", minutes=11)
        self.cloud.sweep()

    def lines(self) -> list[str]:
        """What the product has logged so far, in order."""
        return _LINE.findall(self.cloud.stack.host_log.read_text("utf-8"))

    @cached_property
    def workspace(self) -> Workspace:
        """Log Analytics at the end of the day."""
        return self.workspace_after(timedelta())

    def workspace_after(self, time: timedelta) -> Workspace:
        """Log Analytics *time* later, if nothing more happens."""
        workspace = Workspace()
        for kind in ("MessageData", "MetricData"):
            workspace.ingest(self.receiver.envelopes(kind), ago=time)
        return workspace

    def _is_received(self) -> bool:
        """Whether both destinations have the last line and the last count."""
        lines = self.lines()
        photos = sum(line.startswith("photo.") for line in lines)
        swept = sum(int(found[1]) for found in map(_SWEPT.match, lines) if found)
        points = [
            point
            for item in self.receiver.envelopes("MetricData")
            for point in item["data"]["baseData"]["metrics"]
            if point["name"] == "photosync.photos"
        ]
        progress = self.receiver.points("photosync.sweep.progress")
        return (
            self._collected("photosync.photos") == photos
            and self._collected("photosync.sweep.users") == swept > 0
            # All users are counted before the last states are listed.
            and [point.as_double for point in progress] == [1.0]
            and photos == sum(point["value"] for point in points)
            and len(self.receiver.messages()) == len(lines)
            and len(list(self.receiver.records())) == len(lines)
        )

    def _collected(self, name: str) -> int:
        return sum(point.as_int for point in self.receiver.points(name))

    def _wait_for(self, beginning: str, within: str = "", *, times: int = 1) -> None:
        def seen() -> bool:
            found = [x for x in self.lines() if x.startswith(beginning) and within in x]
            return len(found) >= times

        self.cloud.wait_for(seen)
