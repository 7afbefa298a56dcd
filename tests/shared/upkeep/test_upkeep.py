"""Messages of queue photo-upkeep: who does the work, and how each message ends."""

from __future__ import annotations

import functools
import itertools
import json
import logging
import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from shared.auditing.audit import Audit
from shared.errors import AccessDenied, PhotoSyncError, ServiceDown, Throttled
from shared.messages.sync_message import SyncMessage
from shared.messages.upkeep_message import (
    AUDIT_PAGE,
    BUNDLE,
    FILL,
    KINDS,
    LIFECYCLE,
    LIFECYCLE_EVENTS,
    REMOVALS,
    RENEW,
    SWEEP,
    SWEEP_PAGE,
    UNINSTALL,
    UpkeepMessage,
    parse,
)
from shared.orders import order as orders
from shared.signature import APP, Signature
from shared.sweeping.fill import Fill
from shared.sweeping.sweep import Sweep
from shared.sweeping.user_queue import UserQueue
from shared.uninstalling.uninstall import Uninstall
from shared.upkeep.upkeep import Upkeep
from tests.doubles.halt import Ordered
from tests.doubles.memory_lines import MemoryLines, in_memory
from tests.doubles.office import NOON, DelayedMessages, MemoryStore, failing
from tests.shared.subscription.deployment import AT_WORK, Deployment

DAY = timedelta(days=1)


class Recorder:
    """A sweep, a fill or an audit that records its calls in `done`, or raises `error`."""

    def __init__(self) -> None:
        self.done: list[tuple[object, ...]] = []
        self.failed: dict[str, str] = {}
        self.error: PhotoSyncError | None = None

    def start(self, *, again: bool) -> str:
        self._do("start", *["again"] * again)
        return "a-sweep"

    def make_up_for(self, moment: datetime, *, again: bool) -> None:
        self._do("make_up_for", moment, *["again"] * again)

    def fail(self, id_: str, why: str) -> None:
        self.failed[id_] = why

    def __getattr__(self, name: str) -> Any:
        return self if name in {"removals", "repairs"} else functools.partial(self._do, name)

    def _do(self, *call: object) -> None:
        if self.error:
            raise self.error
        self.done.append(call)


@dataclass
class Office:
    """Upkeep with a subscription, and recorders for the other work."""

    here: Deployment = field(default_factory=Deployment)
    sweeps: Recorder = field(default_factory=Recorder)
    fills: Recorder = field(default_factory=Recorder)
    audits: Recorder = field(default_factory=Recorder)
    uninstall: Ordered = field(default_factory=Ordered)
    store: MemoryStore = field(default_factory=MemoryStore)
    queue: DelayedMessages = field(default_factory=DelayedMessages)
    users: DelayedMessages = field(default_factory=DelayedMessages)
    lines: MemoryLines = field(default_factory=MemoryLines)

    def __post_init__(self) -> None:
        ids = (f"id-{number}" for number in itertools.count(1))
        self.upkeep = Upkeep(
            self.here.keeper,
            cast(Sweep, self.sweeps),
            cast(Fill, self.fills),
            cast(Audit, self.audits),
            cast(Uninstall, self.uninstall),
            self.store,
            self.queue,
            in_memory(self.here.clock, self.lines),
            UserQueue(self.users, clock=self.here.clock, new_id=lambda: next(ids)),
            lengths=lambda: {"photo-upkeep": 2, "photo-sync-poison": 0},
            clock=self.here.clock,
            jitter=lambda: 0.0,
            new_id=lambda: next(ids),
        )

    def process(self, message: UpkeepMessage) -> None:
        self.upkeep.process(message.to_json().encode())

    def process_waiting(self) -> dict[str, Any]:
        """Let the delay of the waiting message pass, and process it."""
        [(fields, delay)] = self.queue.messages
        self.queue.messages.clear()
        self.here.clock.advance(timedelta(seconds=delay))
        self.upkeep.process(json.dumps(fields).encode())
        return fields


@pytest.fixture
def subscribed(office: Office) -> Office:
    office.upkeep.process(b"renew")
    office.here.sweeps = 0
    return office


@pytest.mark.parametrize(
    ("text", "who", "call"),
    [
        ("sweep", "sweeps", ("start",)),
        ('{"kind": "sweep-page", "sweepId": "s1", "page": 2}', "sweeps", ("process", "s1", 2)),
        ('{"kind": "removals", "sweepId": "s1"}', "sweeps", ("queue", "s1")),
        ('{"kind": "lifecycle", "lifecycleEvent": "missed"}', "sweeps", ("make_up_for", NOON)),
        ('{"kind": "fill", "sweepId": "s1", "page": 3}', "fills", ("process", "s1", 3)),
        ("audit", "audits", ("wake",)),
        ('{"kind": "audit-page", "auditId": "a1", "page": 2}', "audits", ("process", "a1", 2)),
        ('{"kind": "repairs", "auditId": "a1"}', "audits", ("queue", "a1")),
    ],
    ids=["sweep", "page", "removals", "missed", "fill", "audit", "audit page", "repairs"],
)
def test_who_does_the_work(office, text, who, call):
    """Messages about sweeps, fills and audits go to these; a sweep also revives a fill."""
    office.upkeep.process(text.encode())

    calls = {name: getattr(office, name).done for name in ("sweeps", "fills", "audits")}
    revived = {"fills": [("revive",)]} if text == "sweep" else {}
    assert calls == {"sweeps": [], "fills": [], "audits": []} | revived | {who: [call]}


@pytest.mark.parametrize(
    ("message", "who", "failed"),
    [
        (UpkeepMessage(SWEEP_PAGE, sweep_id="s1", page=1), "sweeps", {"s1": "No role."}),
        (UpkeepMessage(FILL, sweep_id="s1", page=1), "fills", {}),
        (UpkeepMessage(AUDIT_PAGE, audit_id="a1", page=1), "audits", {"a1": "No role."}),
    ],
    ids=lambda each: getattr(each, "kind", ""),
)
def test_page_that_is_given_up(office, message, who, failed):
    """A sweep or an audit whose page is given up fails; a fill does not fail its sweep."""
    getattr(office, who).error = AccessDenied("No role.")
    office.process(message)

    assert office.sweeps.failed | office.audits.failed == failed


def test_every_kind_is_processed(office):
    """There is work for every kind that `parse` accepts."""
    assert office.upkeep._work.keys() == set(KINDS)


def test_queues_are_counted_before_a_sweep(office, caplog):
    """Once per sweep the log has the lengths of the queues."""
    with caplog.at_level(logging.INFO, "photosync"):
        office.process(UpkeepMessage(SWEEP, by=Signature(APP)))

    assert caplog.messages == ["queues.counted photo-sync-poison=0 photo-upkeep=2"]


def event_about(office: Office, event: str, **fields: Any) -> UpkeepMessage:
    """A lifecycle event about our subscription."""
    return UpkeepMessage(LIFECYCLE, event=event, subscription_id=office.here.only.id, **fields)


@pytest.mark.parametrize("event", LIFECYCLE_EVENTS)
@pytest.mark.parametrize("id_", ["forged", ""])
def test_event_of_another_subscription(subscribed, event, id_, caplog):
    """An event about another id than ours, or none, calls nothing, and begins no sweep."""
    subscribed.here.clock.advance(DAY)
    subscribed.here.graph.error = AssertionError("Graph was called.")
    with caplog.at_level(logging.INFO, "photosync"):
        subscribed.process(UpkeepMessage(LIFECYCLE, event=event, subscription_id=id_))

    assert subscribed.sweeps.done == []
    assert subscribed.here.sweeps == 0
    assert caplog.messages == [f"subscription.foreign event={event}"]


def test_event_whose_run_was_overtaken(subscribed):
    """
    The other run has recorded another id, which this run may have deleted: so the subscription is
    checked again, whatever is recorded.
    """
    here = subscribed.here

    def freeze() -> None:
        here.clock.advance(AT_WORK)
        here.keeper.keep()

    here.graph.at_create.append(freeze)

    subscribed.process(event_about(subscribed, "subscriptionRemoved"))

    here.graph.live.clear()

    again = subscribed.process_waiting()
    assert (again["kind"], again["by"]) == ("renew", {"via": "app"})
    assert here.works


@pytest.mark.parametrize("redelivered", [False, True])
@pytest.mark.parametrize("attempt", [1, 2])
def test_later_attempt_may_find_its_own_sweep(subscribed, redelivered, attempt):
    """Whether the earlier attempt ended with an error, or its run died."""
    for message in (
        UpkeepMessage(SWEEP, by=Signature(APP), attempt=attempt),
        event_about(subscribed, "missed", attempt=attempt, first_queued_at=NOON),
    ):
        subscribed.upkeep.process(message.to_json().encode(), redelivered=redelivered)

    again = ["again"] * (redelivered or attempt > 1)
    assert subscribed.sweeps.done == [("start", *again), ("make_up_for", NOON, *again)]


def test_flood_of_events(subscribed):
    """Two hundred events of a kind about our subscription cost one renewal, or one new one."""
    called = subscribed.here.graph.called
    called.clear()
    subscribed.here.clock.advance(DAY)
    removed = event_about(subscribed, "subscriptionRemoved")
    for _ in range(200):
        subscribed.process(event_about(subscribed, "reauthorizationRequired"))
    assert called == ["list_own", "renew"]
    called.clear()
    for _ in range(200):
        subscribed.process(removed)

    assert called == ["list_own", "create"]
    assert subscribed.here.works
    assert subscribed.here.only.id != removed.subscription_id
    assert subscribed.here.sweeps == 1


def test_unreadable_message_is_kept(office, caplog):
    """A message that cannot be parsed is stored with the reason, and ends."""
    office.upkeep.process(b"tidy up")

    [(name, (body, reason))] = office.store.unreadable.items()
    assert (name, body) == ("2026-01-31T12-00-00-id-1", b"tidy up")
    assert "Type renew, sweep or audit" in reason
    assert caplog.messages == [f'upkeep.unreadable why="{reason}"']


# Bundles

IDS = tuple(f"0a000000-0000-4000-8000-{number:012d}" for number in range(150))
BUNDLED = UpkeepMessage(BUNDLE, user_ids=IDS, correlation_id="c-1", first_queued_at=NOON)


def spread(office: Office) -> list[str]:
    return sorted(fields["userId"] for fields, _ in office.users.messages)


def test_bundle_is_split(office, caplog):
    """Each user gets the message that the webhook would write, with the time of the POST."""
    office.here.clock.advance(DAY / 2)
    with caplog.at_level(logging.INFO, "photosync"):
        office.process(BUNDLED)
    message, delay = office.users.messages[0]

    assert (spread(office), office.queue.messages) == (list(IDS), [])
    assert caplog.messages == ["bundle.spread users=150 correlation=c-1"]
    one = SyncMessage(message["userId"], "notification", False, 1, NOON, message["correlationId"])
    assert (message, delay) == (json.loads(one.to_json()), 0)
    first = {each["userId"]: each["correlationId"] for each, _ in office.users.messages}
    office.process(BUNDLED)
    again = {each["userId"]: each["correlationId"] for each, _ in office.users.messages[150:]}
    assert len({uuid.UUID(each) for each in first.values()}) == 150
    assert first == again, "the ids are the same if the bundle is split again"


def test_bundle_without_id_and_time(office, caplog):
    """A typed bundle gets a new id and the current time."""
    with caplog.at_level(logging.INFO, "photosync"):
        office.upkeep.process(json.dumps({"kind": "bundle", "userIds": IDS[:2]}).encode())

    assert caplog.messages == ["bundle.spread users=2 correlation=id-1"]
    since = {each["firstQueuedAt"] for each, _ in office.users.messages}
    assert since == {office.here.clock().isoformat()}


class Unwilling(DelayedMessages):
    """Storage that refuses one message, once."""

    def __init__(self, user_id: str, error: PhotoSyncError) -> None:
        super().__init__()
        self._user_id = user_id
        self._error: PhotoSyncError | None = error

    def send(self, text: str, *, delay_seconds: float) -> None:
        if self._error and self._user_id in text:
            error, self._error = self._error, None
            raise error
        super().send(text, delay_seconds=delay_seconds)


def test_rest_of_a_bundle_comes_back():
    """If storage refuses a message, the users who may be left are queued as a bundle."""
    office = Office(users=Unwilling(IDS[70], ServiceDown("Down.")))
    office.process(BUNDLED)
    [(again, delay)] = office.queue.messages
    assert (again["userIds"], again["attempt"], delay) == (list(IDS[64:]), 2, 2)
    assert (again["correlationId"], again["firstQueuedAt"]) == ("c-1", NOON.isoformat())
    office.process_waiting()

    assert set(spread(office)) == set(IDS)


@pytest.mark.parametrize("error", [AccessDenied("No role."), ServiceDown("Down.")], ids=str)
def test_bundle_that_is_given_up_is_kept(error, caplog):
    """It is stored whole, so that it can be typed again."""
    office = Office(users=Unwilling(IDS[0], error))
    office.here.clock.advance(DAY)
    office.process(BUNDLED)
    [(body, reason)] = office.store.unreadable.values()

    assert parse(body, now=office.here.clock()).user_ids == IDS
    assert str(error) in reason
    assert "upkeep.failed kind=bundle" in caplog.text


# What can succeed later


def test_comes_back_as_asked(office):
    """A throttled message is queued again with the delay that the service asked for."""
    office.here.graph.error = Throttled("Busy.", retry_after=77)
    office.process(UpkeepMessage(RENEW, by=Signature(APP)))

    [(fields, delay)] = office.queue.messages
    since = {"attempt": 2, "firstQueuedAt": office.here.clock().isoformat()}
    assert (fields, delay) == ({"kind": RENEW, "by": {"via": "app"}, **since}, 77)
    office.here.graph.error = None
    office.process_waiting()
    assert (office.here.works, office.here.sweeps, office.queue.messages) == (True, 1, [])


def test_waits_double(office):
    """Without a requested delay, each wait is twice as long as the one before."""
    office.sweeps.error = ServiceDown("Down.")
    office.process(UpkeepMessage(SWEEP_PAGE, sweep_id="s1", page=3))
    delays = [office.queue.messages[0][1]]
    for _ in range(3):
        fields = office.process_waiting()
        assert (fields["sweepId"], fields["page"]) == ("s1", 3)
        delays.append(office.queue.messages[0][1])

    assert delays == [2, 4, 8, 16]


# What cannot succeed later


def test_given_up_at_once(office, caplog):
    """An error that only a person can fix ends the message; the log has no address and no key."""
    quoted = 'Graph: "https://app/api/notifications?code=s3cret&x=1" of anne@contoso.com'
    office.here.graph.error = AccessDenied(quoted)
    office.upkeep.process(b"renew")

    assert office.queue.messages == []
    assert office.sweeps.failed == {}
    assert office.here.memory["detail"] == str(office.here.graph.error)
    [line] = caplog.messages
    assert line.startswith('upkeep.failed kind=renew why="Graph: ')
    assert "s3cret" not in line
    assert "anne" not in line
    assert line.count('"') == 2


def test_unforeseen_error_is_raised(office, caplog):
    """
    The host tries again; one event in the log says where the error was raised. A typed order ends
    at the first crash: a retry cannot be matched to it.
    """
    office.sweeps.start = failing(ZeroDivisionError("anne@contoso.com"))
    with pytest.raises(ZeroDivisionError):
        office.upkeep.process(b"sweep", message_id="m-1")

    [line] = caplog.messages
    assert re.fullmatch(
        r"upkeep\.crashed kind=sweep error=ZeroDivisionError at=office\.py:\d+", line
    )
    assert [(line["id"], line.get("result")) for line in office.lines.parsed] == [
        ("m-1", None),
        ("m-1", orders.FAILED),
    ]


@pytest.mark.parametrize("body", [b"sweep", BUNDLED.to_json().encode()], ids=["word", "bundle"])
def test_poisoned_message_is_kept(office, caplog, body):
    """A message that the host gave up on is stored for the console, and an alert watches for it."""
    office.upkeep.park(body)

    [(kept, reason)] = office.store.unreadable.values()
    assert kept == body
    assert "The app stopped" in reason
    assert "a sweep checks everybody" in reason
    assert caplog.messages[0] == f'upkeep.parked why="{reason}"'


# While PhotoSync is being uninstalled

PAGE = UpkeepMessage(UNINSTALL, uninstall_id="u-1", page=2)


@pytest.mark.parametrize(
    ("message", "done"),
    [(PAGE, "u-1 page 2"), (UpkeepMessage(SWEEP), "go on")],
    ids=["page", "hour"],
)
def test_uninstall_continues(office, message, done):
    """Its pages are processed although all else is halted; the hourly sweep queues a lost page."""
    office.uninstall.ordered = "u-1"
    office.process(message)

    assert office.uninstall.done == [done]


def test_error_of_an_uninstall(office):
    """What can succeed later is queued again as the same page; else the uninstall records why."""
    office.uninstall.error = Throttled("Busy.", retry_after=60)
    office.process(PAGE)
    [(fields, delay)] = office.queue.messages
    assert (fields["uninstallId"], fields["page"], delay >= 60) == ("u-1", 2, True)

    office.uninstall.error = AccessDenied("No right.")
    office.process(PAGE)
    assert office.uninstall.done == ["u-1 failed: No right."]


@pytest.mark.parametrize(
    "message",
    [
        UpkeepMessage(RENEW),
        UpkeepMessage(SWEEP),
        UpkeepMessage(SWEEP_PAGE, sweep_id="s1", page=2),
        UpkeepMessage(REMOVALS, sweep_id="s1"),
        BUNDLED,
        *(UpkeepMessage(LIFECYCLE, event=event, subscription_id="s") for event in LIFECYCLE_EVENTS),
    ],
    ids=lambda each: each.kind + each.event,
)
def test_all_other_work_is_halted(office, message):
    """No subscription is created, no sweep begins or continues; a running one fails."""
    office.uninstall.ordered = "u-1"
    office.process(message)

    assert (office.here.graph.live, office.sweeps.done, office.queue.messages) == ({}, [], [])
    assert office.users.messages == []
    over = {message.sweep_id: "PhotoSync is being uninstalled."} if message.sweep_id else {}
    assert office.sweeps.failed == over
