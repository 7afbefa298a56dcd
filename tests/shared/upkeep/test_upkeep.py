"""What becomes of a message for upkeep, however its work ends."""

from __future__ import annotations

import itertools
import json
import logging
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from shared.auditing.audit import Audit
from shared.errors import AccessDenied, GiveUp, PhotoSyncError, ServiceDown, Throttled
from shared.messages.sync_message import SyncMessage
from shared.messages.upkeep_message import (
    AUDIT_PAGE,
    BUNDLE,
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
from shared.signature import APP, Signature
from shared.subscription.keeper import LIFE
from shared.sweeping.fill import Fill
from shared.sweeping.sweep import Sweep
from shared.sweeping.user_queue import UserQueue
from shared.uninstalling.uninstall import Uninstall
from shared.upkeep.upkeep import Upkeep
from tests.doubles.halt import Ordered
from tests.doubles.memory_lines import MemoryLines, in_memory
from tests.doubles.office import NOON, DelayedMessages, MemoryStore
from tests.shared.subscription.deployment import Deployment

DAY = timedelta(days=1)


class Audits:
    """An Audit that only says what was asked of it, likewise."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.failed: dict[str, str] = {}

    def wake(self) -> None:
        self.done.append("wake")

    def work_off(self, audit_id: str, page: int) -> None:
        if page == 99:
            raise AccessDenied("Consent is missing.")
        self.done.append(f"{audit_id} page {page}")

    @property
    def repairs(self) -> Audits:
        return self

    def queue(self, audit_id: str) -> None:
        self.done.append(f"{audit_id} repairs")

    def fail(self, audit_id: str, why: str) -> None:
        self.failed[audit_id] = why


class Sweeps:
    """A Sweep that only says what was asked of it; its own rules have tests of their own."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.failed: dict[str, str] = {}
        self.revived = False
        self.error: PhotoSyncError | None = None

    def start(self) -> str:
        self._do("start")
        return "a-sweep"

    def make_up_for(self, moment: datetime) -> None:
        self._do(f"make up for {moment:%H:%M}")

    def work_off(self, sweep_id: str, page: int) -> None:
        self._do(f"{sweep_id} page {page}")

    @property
    def removals(self) -> Sweeps:
        return self

    def queue(self, sweep_id: str) -> None:
        self._do(f"{sweep_id} removals")

    def revive(self) -> None:
        self.revived = True

    def fail(self, sweep_id: str, error: GiveUp | str) -> None:
        self.failed[sweep_id] = str(error)

    def _do(self, what: str) -> None:
        if self.error:
            raise self.error
        self.done.append(what)


@dataclass
class Office:
    """Upkeep with a subscription to look after, and all that is around it."""

    here: Deployment = field(default_factory=Deployment)
    sweeps: Sweeps = field(default_factory=Sweeps)
    audits: Audits = field(default_factory=Audits)
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
            cast(Fill, self.sweeps),
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

    def work_off(self, message: UpkeepMessage) -> None:
        self.upkeep.work_off(message.to_json().encode())

    def work_off_waiting(self) -> dict[str, Any]:
        """Let the time of the waiting message come, and work it off."""
        [(fields, delay)] = self.queue.messages
        self.queue.messages.clear()
        self.here.clock.advance(timedelta(seconds=delay))
        self.upkeep.work_off(json.dumps(fields).encode())
        return fields


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def subscribed(office: Office) -> Office:
    office.upkeep.work_off(b"renew")
    office.here.sweeps = 0
    return office


def test_renew(office):
    """The word "renew" makes a subscription."""
    office.upkeep.work_off(b"renew")

    assert office.here.works
    assert office.here.sweeps == 1


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("sweep", "start"),
        ('{"kind": "sweep-page", "sweepId": "s1", "page": 2}', "s1 page 2"),
        ('{"kind": "removals", "sweepId": "s1"}', "s1 removals"),
        ('{"kind": "fill", "sweepId": "s1", "page": 3}', "s1 page 3"),
        ('{"kind": "lifecycle", "lifecycleEvent": "missed"}', "make up for 12:00"),
    ],
    ids=["sweep", "page", "removals", "fill", "missed"],
)
def test_sweeps(office, text, done):
    """Sweeps, their pages and removals, and missed notifications go to the sweep."""
    office.upkeep.work_off(text.encode())

    assert office.sweeps.done == [done]


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("audit", "wake"),
        ('{"kind": "audit-page", "auditId": "a1", "page": 2}', "a1 page 2"),
        ('{"kind": "repairs", "auditId": "a1"}', "a1 repairs"),
    ],
    ids=["audit", "page", "repairs"],
)
def test_audits(office, text, done):
    """Audits, their pages and the repairs that were held back go to the audit."""
    office.upkeep.work_off(text.encode())

    assert office.audits.done == [done]


def test_audit_that_cannot_go_on_is_told(office):
    """A page that cannot be worked off ends its audit."""
    office.work_off(UpkeepMessage(AUDIT_PAGE, audit_id="a1", page=99))

    assert office.audits.failed == {"a1": "Consent is missing."}


def test_every_kind_is_worked_off(office):
    """No kind that `parse` lets through is one that nobody has written the work for."""
    assert office.upkeep._work.keys() == set(KINDS)


def test_queues_are_counted_before_a_sweep(office, caplog):
    """Whoever draws the queues over time finds their lengths in the log, once a sweep."""
    with caplog.at_level(logging.INFO, "photosync"):
        office.work_off(UpkeepMessage(SWEEP, by=Signature(APP)))

    assert caplog.messages == ["queues.counted photo-sync-poison=0 photo-upkeep=2"]


def event_about(office: Office, event: str, **fields: Any) -> UpkeepMessage:
    """A lifecycle event of the subscription that there is."""
    return UpkeepMessage(LIFECYCLE, event=event, subscription_id=office.here.only.id, **fields)


@pytest.mark.parametrize("event", LIFECYCLE_EVENTS)
def test_event_of_a_subscription_that_is_not_ours(subscribed, event, caplog):
    """An event about another id than the remembered one calls nobody, and begins no sweep."""
    subscribed.here.clock.advance(DAY)
    subscribed.here.graph.error = AssertionError("Graph was called.")
    with caplog.at_level(logging.INFO, "photosync"):
        subscribed.work_off(UpkeepMessage(LIFECYCLE, event=event, subscription_id="forged"))

    assert subscribed.sweeps.done == []
    assert subscribed.here.sweeps == 0
    assert caplog.messages == [f"subscription.foreign event={event}"]


@pytest.mark.parametrize("memory", [None, {}, {"id": ["x"]}, {"id": 7}], ids=str)
def test_event_while_nothing_is_remembered(subscribed, memory):
    """Without a memory nobody knows whose an event is: it is heeded, and none is lost."""
    subscribed.here.forget()
    if memory is not None:
        subscribed.here.documents.put("subscription.json", memory)

    subscribed.work_off(event_about(subscribed, "subscriptionRemoved"))

    assert subscribed.here.works
    assert subscribed.here.sweeps == 1


def test_flood_of_events(subscribed):
    """Two hundred of a kind about our own subscription come to one call each."""
    called: list[str] = []
    graph = subscribed.here.graph
    for name in ("list_own", "create", "renew"):
        setattr(graph, name, counted(called, name, getattr(graph, name)))
    subscribed.here.clock.advance(DAY)
    removed = event_about(subscribed, "subscriptionRemoved")
    for _ in range(200):
        subscribed.work_off(event_about(subscribed, "reauthorizationRequired"))
    assert called == ["list_own", "renew"]
    called.clear()
    for _ in range(200):
        subscribed.work_off(removed)

    assert called == ["list_own", "create"]
    assert subscribed.here.works
    assert subscribed.here.sweeps == 1


def counted(called: list[str], name: str, do: Callable[..., Any]) -> Callable[..., Any]:
    def counting(*args: Any, **named: Any) -> Any:
        called.append(name)
        return do(*args, **named)

    return counting


def test_reauthorization_renews(subscribed):
    """`reauthorizationRequired` renews the subscription at once."""
    subscribed.here.clock.advance(DAY)

    subscribed.work_off(event_about(subscribed, "reauthorizationRequired"))

    assert subscribed.here.only.expires_at == subscribed.here.clock() + LIFE


def test_removed_subscription_is_made_anew(subscribed):
    """`subscriptionRemoved` makes a new one, and a sweep."""
    removed = subscribed.here.only.id

    subscribed.work_off(UpkeepMessage(LIFECYCLE, event="subscriptionRemoved"))
    assert subscribed.here.only.id == removed

    event = UpkeepMessage(LIFECYCLE, event="subscriptionRemoved", subscription_id=removed)
    subscribed.work_off(event)
    assert subscribed.here.only.id != removed
    assert subscribed.here.sweeps == 1


def test_unreadable_message_is_kept(office, caplog):
    """A message that nobody understands is kept with the reason, and ends."""
    with caplog.at_level(logging.WARNING, "photosync"):
        office.upkeep.work_off(b"tidy up")

    [(name, (body, reason))] = office.store.unreadable.items()
    assert (name, body) == ("2026-01-31T12-00-00-id-1", b"tidy up")
    assert "Type renew, sweep or audit" in reason
    assert caplog.messages == [f'upkeep.unreadable why="{reason}"']


# Bundles

IDS = tuple(f"0a000000-0000-4000-8000-{number:012d}" for number in range(150))
BUNDLED = UpkeepMessage(BUNDLE, user_ids=IDS, correlation_id="c-1", first_queued_at=NOON)


def spread(office: Office) -> list[str]:
    return sorted(fields["userId"] for fields, _ in office.users.messages)


def test_bundle_is_spread(office, caplog):
    """Everybody it names has a message as the webhook writes it, since the POST arrived."""
    office.here.clock.advance(DAY / 2)
    with caplog.at_level(logging.INFO, "photosync"):
        office.work_off(BUNDLED)
    message, delay = office.users.messages[0]

    assert (spread(office), office.queue.messages) == (list(IDS), [])
    assert caplog.messages == ["bundle.spread users=150 correlation=c-1"]
    one = SyncMessage(message["userId"], "notification", False, 1, NOON, message["correlationId"])
    assert (message, delay) == (json.loads(one.to_json()), 0)


def test_correlation_ids_of_a_bundle(office):
    """Each user has another, which is the same when the bundle is spread again."""
    office.work_off(BUNDLED)
    first = {each["userId"]: each["correlationId"] for each, _ in office.users.messages}
    office.work_off(BUNDLED)
    again = {each["userId"]: each["correlationId"] for each, _ in office.users.messages[150:]}

    assert len({uuid.UUID(each) for each in first.values()}) == 150
    assert first == again


def test_bundle_without_id_and_time(office, caplog):
    """A typed bundle is spread under a new id, as of now."""
    with caplog.at_level(logging.INFO, "photosync"):
        office.upkeep.work_off(json.dumps({"kind": "bundle", "userIds": IDS[:2]}).encode())

    assert caplog.messages == ["bundle.spread users=2 correlation=id-1"]
    since = {each["firstQueuedAt"] for each, _ in office.users.messages}
    assert since == {office.here.clock().isoformat()}


class Unwilling(DelayedMessages):
    """Storage that does not take one message, once."""

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
    """Where storage does not take one, those who may be left are a bundle that waits."""
    office = Office(users=Unwilling(IDS[70], ServiceDown("Down.")))
    office.work_off(BUNDLED)
    [(again, delay)] = office.queue.messages
    assert (again["userIds"], again["attempt"], delay) == (list(IDS[64:]), 2, 2)
    assert (again["correlationId"], again["firstQueuedAt"]) == ("c-1", NOON.isoformat())
    office.work_off_waiting()

    assert set(spread(office)) == set(IDS)


@pytest.mark.parametrize("error", [AccessDenied("No role."), ServiceDown("Down.")], ids=str)
def test_bundle_that_is_given_up_is_kept(error, caplog):
    """At once where only a person can help, else after a day: whole enough to be typed again."""
    office = Office(users=Unwilling(IDS[0], error))
    office.here.clock.advance(DAY)
    office.work_off(BUNDLED)
    [(body, reason)] = office.store.unreadable.values()

    assert parse(body, now=office.here.clock()).user_ids == IDS
    assert str(error) in reason
    assert "upkeep.failed kind=bundle" in caplog.text


def test_poisoned_bundle_is_kept(office):
    """Its users stand where an admin looks, who is told that a sweep looks at them."""
    office.upkeep.park(BUNDLED.to_json().encode())

    [(body, reason)] = office.store.unreadable.values()
    assert (parse(body, now=NOON).user_ids, "a sweep checks everybody" in reason) == (IDS, True)


# What can succeed later


def test_comes_back_as_asked(office):
    """What is throttled is a new message after the time that was asked for."""
    office.here.graph.error = Throttled("Busy.", retry_after=77)

    office.work_off(UpkeepMessage(RENEW, by=Signature(APP)))

    [(fields, delay)] = office.queue.messages
    assert fields == {
        "kind": RENEW,
        "by": {"via": "app"},
        "attempt": 2,
        "firstQueuedAt": office.here.clock().isoformat(),
    }
    assert delay == 77


def test_comes_back_and_succeeds(office):
    """The message that waited does what the first one was for."""
    office.here.graph.error = ServiceDown("Down.")
    office.work_off(UpkeepMessage(RENEW))
    office.here.graph.error = None

    office.work_off_waiting()

    assert office.here.works
    assert office.queue.messages == []


def test_waits_double(office):
    """Without a time each wait is twice the one before."""
    office.sweeps.error = ServiceDown("Down.")
    office.work_off(UpkeepMessage(SWEEP_PAGE, sweep_id="s1", page=3))
    delays = [office.queue.messages[0][1]]
    for _ in range(3):
        fields = office.work_off_waiting()
        assert (fields["sweepId"], fields["page"]) == ("s1", 3)
        delays.append(office.queue.messages[0][1])

    assert delays == [2, 4, 8, 16]


def test_gives_up_after_a_day(office, caplog):
    """After a day of waiting the message ends, the sweep is told, and the log says why."""
    office.sweeps.error = ServiceDown("Graph is down.")
    old = office.here.clock() - DAY
    page = UpkeepMessage(SWEEP_PAGE, sweep_id="s1", page=3, attempt=9, first_queued_at=old)

    with caplog.at_level(logging.ERROR, "photosync"):
        office.work_off(page)

    assert office.queue.messages == []
    assert office.sweeps.failed == {"s1": "Gave up after a day of waiting. Graph is down."}
    assert "upkeep.failed kind=sweep-page" in caplog.text


# What cannot


def test_given_up_at_once(office, caplog):
    """What only a person can mend ends the message, is logged, and stands in the blob."""
    office.here.graph.error = AccessDenied("Consent is missing.")

    with caplog.at_level(logging.ERROR, "photosync"):
        office.upkeep.work_off(b"renew")

    assert office.queue.messages == []
    assert office.sweeps.failed == {}
    assert office.here.memory["detail"] == "Consent is missing."
    assert caplog.messages == ['upkeep.failed kind=renew why="Consent is missing."']


def test_sweep_that_cannot_go_on_is_told(office):
    """A page that cannot be worked off ends its sweep."""
    office.sweeps.error = AccessDenied("Consent is missing.")

    office.work_off(UpkeepMessage(SWEEP_PAGE, sweep_id="s1", page=1))

    assert office.sweeps.failed == {"s1": "Consent is missing."}


def test_unforeseen_is_raised(office, caplog):
    """What nobody foresaw goes to the host, which tries again; one event says where it was."""

    def broken() -> None:
        raise ZeroDivisionError("anne@contoso.com")

    office.sweeps.start = broken
    with pytest.raises(ZeroDivisionError):
        office.work_off(UpkeepMessage(SWEEP))

    [line] = caplog.messages
    assert re.fullmatch(
        r"upkeep\.crashed kind=sweep error=ZeroDivisionError at=test_upkeep\.py:\d+", line
    )


def test_poisoned_message_is_kept(office, caplog):
    """What the host gave up on is kept where the console lists it, and an alert watches for it."""
    office.upkeep.park(b"sweep")

    [(body, reason)] = office.store.unreadable.values()
    assert (body, "The app stopped" in reason) == (b"sweep", True)
    [line] = caplog.messages
    assert line == f'upkeep.parked why="{reason}"'


def test_log_names_no_person_and_no_key(office, caplog):
    """A sentence that quotes a service names nobody in the log, and shows no function key."""
    quoted = 'Graph: "https://app/api/notifications?code=s3cret&x=1" of anne@contoso.com'
    office.here.graph.error = AccessDenied(quoted)

    office.upkeep.work_off(b"renew")

    [line] = caplog.messages
    assert "s3cret" not in line
    assert "anne" not in line
    assert line.count('"') == 2


# While PhotoSync is being taken back

PAGE = UpkeepMessage(UNINSTALL, uninstall_id="u-1", page=2)


def test_uninstall_goes_on(office):
    """Its pages are worked off though everything stands still."""
    office.uninstall.ordered = "u-1"
    office.work_off(PAGE)

    assert office.uninstall.done == ["u-1 page 2"]


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
def test_nothing_else_is_looked_after(office, message):
    """No subscription is made, no sweep begins or goes on; one under way is told to be over."""
    office.uninstall.ordered = "u-1"
    office.work_off(message)

    assert (office.here.graph.live, office.sweeps.done, office.queue.messages) == ({}, [], [])
    assert office.users.messages == []
    over = {message.sweep_id: "PhotoSync is being uninstalled."} if message.sweep_id else {}
    assert office.sweeps.failed == over


def test_a_lost_page_of_an_uninstall_is_found(office):
    """The hourly order to sweep asks for the page that is due."""
    office.uninstall.ordered = "u-1"
    office.work_off(UpkeepMessage(SWEEP))

    assert office.uninstall.done == ["go on"]


def test_uninstall_waits(office):
    """What can work later is tried again as the same page."""
    office.uninstall.error = Throttled("Busy.", retry_after=60)
    office.work_off(PAGE)
    [(fields, delay)] = office.queue.messages

    assert (fields["uninstallId"], fields["page"], delay >= 60) == ("u-1", 2, True)


def test_uninstall_that_cannot_go_on(office):
    """Why is recorded where the console looks."""
    office.uninstall.error = AccessDenied("No right.")
    office.work_off(PAGE)

    assert office.uninstall.done == ["u-1 failed: No right."]
