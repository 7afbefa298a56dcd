"""A day in the life of PhotoSync in half a minute, and all that was told of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cached_property

from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueServiceClient

from shared.sweeping.sweep_rules import BRAKE_USERS
from tests.e2e.cloud import LiveCloud, picture
from tests.e2e.test_audit import audit
from tests.e2e.test_sweep import sweep
from tests.shared.telemetry.receivers import Receiver
from tests.shared.telemetry.workspace import Workspace

_SWEPT = re.compile(r"sweep\.finished .*\busers=(\d+)")
_LINE = re.compile(r"photosync: (?:\[\w+\] )?(.*)$", re.MULTILINE)


class Eventful:
    """The cloud, who watches it, and whom the events are about."""

    def __init__(self, cloud: LiveCloud, receiver: Receiver) -> None:
        self.cloud = cloud
        self.receiver = receiver
        self.anne, self.upn = cloud.add()
        self.bert, _ = cloud.add()
        self.cleo, _ = cloud.add()

    def happen(self) -> None:
        """Everything once; the brake last, for it takes the longest."""
        self.cloud.subscribe()
        self.notify_a_change()
        self.fail()
        self.wait_for_a_service()
        self.give_up_messages()
        audit(self.cloud)
        self.brake()
        self.receiver.wait_for(self._is_told)

    def notify_a_change(self) -> None:
        """Anne has a new photo, and Graph says so; then it says something else about her."""
        self.cloud.seed_photo(self.anne, picture(1))
        for runs in (1, 2):
            assert self.cloud.notify([self.cloud.item(self.anne)]).status_code == 202
            self._wait_for("photo.", f" user={self.anne} ", times=runs)

    def fail(self) -> None:
        """Bert's photo is none."""
        self.cloud.seed_photo(self.bert, b"no picture, whatever it is called")
        self.cloud.replayed(self.bert)

    def wait_for_a_service(self) -> None:
        """SharePoint asks for more patience than a thread has."""
        self.cloud.fault(
            service="sharepoint", path="AddUsingPath", fault="429", next=1, retryAfter=11
        )
        self.cloud.seed_photo(self.cleo, picture(2))
        self.cloud.replayed(self.cleo)

    def give_up_messages(self) -> None:
        """The host moved two messages to where it puts what it gave up on."""
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
        """Too many photos are gone at once."""
        people = [self.cloud.add()[0] for _ in range(BRAKE_USERS + 1)]
        for user_id in people:
            self.cloud.seed_photo(user_id, picture(3))
        sweep(self.cloud)
        for user_id in people:
            self.cloud.admin.control("PATCH", f"/users/{user_id}", {"photo": None})
        sweep(self.cloud)
        for user_id in people:
            long_ago = datetime.now(UTC) - timedelta(minutes=11)
            self.cloud.watcher.skip_time(user_id, missingSince=long_ago)
        sweep(self.cloud)

    def lines(self) -> list[str]:
        """What the product has logged so far, in order."""
        return _LINE.findall(self.cloud.stack.host_log.read_text("utf-8"))

    @cached_property
    def workspace(self) -> Workspace:
        """What an operator finds in Log Analytics."""
        workspace = Workspace()
        for kind in ("MessageData", "MetricData"):
            workspace.ingest(self.receiver.envelopes(kind))
        return workspace

    def _is_told(self) -> bool:
        """Whether both who watch have heard of the last line and of the last photo."""
        lines = self.lines()
        photos = sum(line.startswith("photo.") for line in lines)
        swept = sum(int(found[1]) for found in map(_SWEPT.match, lines) if found)
        points = [
            point
            for item in self.receiver.envelopes("MetricData")
            for point in item["data"]["baseData"]["metrics"]
            if point["name"] == "photosync.photos"
        ]
        return (
            self._collected("photosync.photos") == photos
            and self._collected("photosync.sweep.users") == swept
            # All users are counted before the last states are listed.
            and self._progress() == 1.0
            and photos == sum(point["value"] for point in points)
            and len(self.receiver.messages()) == len(lines)
            and len(list(self.receiver.records())) == len(lines)
        )

    def _collected(self, name: str) -> int:
        known = [metric for metric in self.receiver.metrics() if metric.name == name]
        return sum(point.as_int for point in known[-1].sum.data_points) if known else 0

    def _progress(self) -> float:
        known = [
            point.as_double
            for metric in self.receiver.metrics()
            if metric.name == "photosync.sweep.progress"
            for point in metric.gauge.data_points
        ]
        return known[-1] if known else 0.0

    def _wait_for(self, beginning: str, within: str = "", *, times: int = 1) -> None:
        def seen() -> bool:
            found = [x for x in self.lines() if x.startswith(beginning) and within in x]
            return len(found) >= times

        self.cloud.wait_for(seen)
