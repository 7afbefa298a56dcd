"""Audits: who is checked and when, what is repaired, and how interruptions end."""

from __future__ import annotations

import itertools
import logging
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.auditing import audit_log
from shared.budget.work import Kind, current
from shared.errors import (
    AccessDenied,
    BadRequest,
    Conflict,
    NoProfile,
    PictureKept,
    Refused,
    ServiceDown,
    Throttled,
    TryLater,
)
from shared.messages.disposition import wait
from shared.sharepoint.inspection import Inspection
from shared.storage.user_state import NO_PHOTO, REMOVED, SKIPPED, Claim
from tests.shared.auditing.auditing_alone import (
    DAMAGE,
    DAY,
    FILES,
    HOUR,
    Auditing,
    id_of,
    synced,
)

MOVED = tuple(replace(each, etag="moved") for each in FILES)

# Who is checked, and when


def test_ordered_audit():
    """An ordered audit checks everyone, page after page without a rest."""
    alone, kinds = Auditing(25), []
    alone.meanwhile = itertools.repeat(lambda: kinds.append(current().kind))
    assert alone.run(repair=False) == 3
    assert sorted(alone.checked) == [id_of(number) for number in range(25)]
    assert (alone.log.status, alone.log.looked, alone.log.progress()) == ("finished", 25, 1.0)
    assert kinds == [Kind.AUDIT] * 25, "the calls of every thread count for the audits' share"


def test_once_in_the_days():
    """Each user is checked once in AUDIT_DAYS, each page when it is due, audit after audit."""
    alone = Auditing(40, days=2)
    pages = [alone.wake() for _ in range(6 * 24)]

    assert [hour for hour, number in enumerate(pages) if number] == [*range(0, 6 * 24, 12)]
    assert set(pages) == {0, 1}
    assert [alone.checked.count(id_of(number)) for number in range(40)] == [3] * 40


def test_zero_days():
    """With AUDIT_DAYS=0 a scheduled audit ends, and none begins; an ordered one is continued."""
    alone = Auditing(40)
    alone.wake()
    alone.audit._terms = replace(alone.audit._terms, days=0)
    assert alone.wake(2 * DAY) == 0
    assert (alone.log.status, len(alone.checked)) == ("failed", 10)

    alone.audit.order(repair=True)
    alone.lose_message()
    assert alone.wake() == 4
    assert len(alone.checked) == 50
    assert alone.wake(30 * DAY) == 0


def test_audit_without_users():
    """The next audit does not wait for days: the first copies follow."""
    alone = Auditing(0)
    alone.wake()
    alone.states.create(synced(1))
    alone.wake()

    assert alone.checked == [id_of(1)]


def test_ordered_again():
    """
    A second order continues the running audit, unless only one of them repairs. If the first order
    failed before it queued a page, the second does so.
    """
    alone = Auditing(25)
    first = alone.audit.order(repair=False)
    alone.lose_message()
    assert alone.audit.order(repair=False) == first
    alone.audit.order(repair=False)
    assert alone.process() == 4, "three pages, and the first one's duplicate"
    assert len(alone.checked) == 25

    other = Auditing(25)
    first = other.audit.order(repair=False)
    second = other.audit.order(repair=True)
    other.process()

    assert second.id != first.id
    assert other.written(first.id).status == audit_log.FAILED
    assert len(other.checked) == 25


@pytest.mark.parametrize("begun", ["first page done", "waiting for the budget", "throttled"])
def test_ordered_again_while_it_runs(begun: str):
    """A second order queues no page whose message is still there."""
    alone = Auditing(25)
    alone.audit.order(repair=False)
    page = alone.due()
    assert page
    if begun == "waiting for the budget":
        alone.wait = 60.0
    elif begun == "throttled":
        alone.found = {id_of(0): Throttled("Slow down.", retry_after=60.0)}
    with suppress(Throttled):
        alone.audit.process(page.audit_id, page.page)
    before = list(alone.upkeep.messages)
    alone.audit.order(repair=False)

    assert alone.upkeep.messages == before


def test_order_replaces_a_scheduled_audit():
    """An ordered audit does not wait for the one that is spread over days."""
    alone = Auditing(40)
    alone.wake()
    alone.checked.clear()
    alone.run()

    assert len(alone.checked) == 40
    # The next one is spread over days again, from the next hour on.
    assert alone.wake() == 1


def test_changed_setting():
    """A change of AUDIT applies to the running audit, too: it runs for days."""
    alone = Auditing(40, repair=True)
    alone.damage(*range(40))
    alone.wake()
    assert len(alone.repaired()) == 10

    alone.audit._terms = replace(alone.audit._terms, repair=False)
    alone.wake(2 * DAY)

    assert alone.repaired() == []
    assert len(alone.checked) == 20


@pytest.mark.parametrize(
    "fields",
    [
        {"picture_url": "", "status": REMOVED},
        {"sha256": "", "files": ()},
        {"claim": Claim("a run", 300.0)},
        {"status": SKIPPED},
        {"status": NO_PHOTO},
    ],
    ids=["no picture of ours", "in doubt", "being copied", "out of scope", "photo gone"],
)
def test_users_left_out(fields):
    """Users for whom SharePoint may not show our picture are not checked, and need no budget."""
    alone = Auditing(0)
    alone.states.create(synced(1, **fields))
    alone.wait = 90.0
    alone.run()

    assert alone.checked == []
    assert (alone.log.status, alone.log.looked) == ("finished", 0)


# What is found


def test_damage():
    """Users who differ go to the worker, and the state says why until they are repaired."""
    alone = Auditing(15)
    alone.damage(3, 12)
    alone.run()

    assert alone.repaired() == [3, 12]
    assert (alone.state(3).damage, alone.state(4).damage) == (DAMAGE, "")
    assert (alone.log.looked, alone.log.differ) == (15, 2)


@pytest.mark.parametrize("terms", [{"repair": False}, {"dry_run": True}], ids=str)
def test_reported_only(terms):
    """AUDIT=report and DRY_RUN write states and queue no user; DRY_RUN refuses a repair."""
    alone = Auditing(15, **terms)
    alone.damage(3)
    alone.write(synced(4, files=()))
    alone.wake()

    assert alone.repaired() == []
    assert alone.state(3).damage == DAMAGE
    assert (alone.log.differ, alone.log.unclear) == (1, 1)
    if "dry_run" in terms:
        with pytest.raises(BadRequest, match="DRY_RUN is on"):
            alone.audit.order(repair=True)


@pytest.mark.parametrize("files", [FILES, MOVED], ids=["same", "new ETags"])
def test_damage_that_is_over(files):
    """A state no longer says damage once SharePoint shows our picture, whose ETags may be new."""
    alone = Auditing(0)
    alone.states.create(synced(1, damage=DAMAGE))
    alone.found[id_of(1)] = Inspection("", files)
    alone.run()

    assert alone.state(1) == synced(1, files=files)
    assert alone.repaired() == []


@pytest.mark.parametrize(
    ("found", "fields"),
    [
        (PictureKept("Kept."), {}),
        (NoProfile("None."), {}),
        (None, {"files": ()}),
        (None, {"user_principal_name": ""}),
    ],
    ids=["chosen picture", "no profile", "older version", "no name"],
)
def test_unclear_is_for_the_worker(found, fields):
    """What a check of SharePoint cannot settle goes to the worker; it is no damage."""
    alone = Auditing(2)
    alone.found |= {id_of(1): found} if found else {}
    alone.write(synced(1, **fields))
    alone.run()

    assert alone.repaired() == [1]
    assert (alone.log.differ, alone.log.unclear) == (0, 1)
    assert (alone.state(1).damage, len(alone.checked)) == ("", 1 if fields else 2)


def test_run_was_faster():
    """A state that a run has written since stays, and the finding does not count."""
    alone = Auditing(1)
    alone.damage(0)
    newer = synced(0, sha256="a newer one")
    alone.meanwhile = iter([lambda: alone.write(newer)])
    alone.run()

    assert alone.state(0) == newer
    # The check saw what the run was writing.
    assert (alone.log.differ, alone.log.looked, alone.repaired()) == (0, 1, [])


# The brake


def test_brake():
    """More than 20 and more than 1 in 20 damaged: from that page on none is repaired."""
    alone = Auditing(60, size=15)
    alone.damage(*range(5), *range(15, 31), 45, 59)
    alone.run()

    assert (alone.log.status, alone.log.repairs, alone.log.differ) == ("finished", "braked", 23)
    assert "No more are repaired until a person releases the repairs" in alone.log.detail
    assert alone.repaired() == [*range(5), *range(15, 30)]
    assert alone.state(59).damage == DAMAGE


@pytest.mark.parametrize(
    ("users", "damaged", "former", "repair"),
    [(60, 20, 0, True), (1000, 50, 0, True), (60, 0, 60, True), (30, 30, 0, False)],
)
def test_no_brake(users, damaged, former, repair):
    """Up to 20, or up to 1 in 20, are repaired; users with a former address do not count."""
    alone = Auditing(users, size=users)
    alone.found = {id_of(n): Inspection("", outdated="Former.") for n in range(former)}
    alone.damage(*range(damaged))
    alone.run(repair=repair)

    assert (alone.log.repairs, alone.log.differ, alone.log.unclear) == ("free", damaged, former)
    assert len(alone.repaired()) == (damaged + former) * repair
    assert alone.audit.repairs.release() == 0


def test_release():
    """After a release, the worker gets those held back, and what the audit finds later."""
    alone = Auditing(60)
    alone.damage(*range(30), 59)
    alone.audit.order(repair=True)
    for page in range(1, 5):
        alone.audit.process(alone.log.id, page)
    assert alone.repaired() == [*range(20)]

    assert alone.audit.repairs.release() == 10
    alone.process()

    assert alone.repaired() == [*range(20, 30), 59]
    assert (alone.log.status, alone.log.repairs) == ("finished", "released")
    assert alone.audit.repairs.release() == 0


def test_release_during_a_page():
    """A release during a page does not end the chain: the page is repeated."""
    alone = Auditing(60)
    alone.damage(*range(30), 59)
    audit = alone.audit.order(repair=True)
    for page in range(1, 4):
        alone.audit.process(audit.id, page)
    alone.meanwhile = iter([alone.audit.repairs.release])
    with pytest.raises(Conflict):
        alone.audit.process(audit.id, 4)

    alone.audit.process(audit.id, 4)
    alone.process()
    assert (alone.log.status, alone.log.looked) == ("finished", 60)
    assert alone.repaired() == [*range(30), 59]


def test_release_whose_message_was_lost():
    """The release can be repeated until the users are queued, even during the next audit."""
    alone = Auditing(30, size=30)
    alone.damage(*range(30))
    assert alone.audit.repairs.release() == 0
    alone.run()
    assert alone.audit.repairs.release() == 30
    alone.upkeep.messages.clear()
    alone.found.clear()
    alone.audit.wake()

    assert alone.audit.repairs.release() == 30
    alone.process()
    assert alone.repaired() == [*range(30)]
    assert alone.audit.repairs.release() == 0


# Errors and interruptions


def test_user_without_an_answer(caplog: pytest.LogCaptureFixture):
    """The error is counted and logged, and others are checked; known damage is repaired."""
    caplog.set_level(logging.INFO, "photosync")
    alone = Auditing(30)
    alone.found[id_of(2)] = alone.found[id_of(4)] = ServiceDown("Broken.")
    alone.found[id_of(12)] = Refused("Odd.")
    alone.damage(3)
    alone.write(synced(4, damage=DAMAGE))
    alone.run()

    assert (alone.log.looked, alone.log.differ, alone.log.unanswered) == (27, 1, 3)
    assert alone.repaired() == [3, 4]
    assert alone.state(4).damage == DAMAGE
    assert f'audit.unanswered user={id_of(2)} why="Broken."' in caplog.messages


@pytest.mark.parametrize("error", [ServiceDown("Down."), AccessDenied("Role.")], ids=repr)
def test_common_error(error):
    """An error of nearly all users is the service's: nothing is written or counted."""
    alone = Auditing(20, size=20)
    alone.found = {id_of(number): error for number in range(20)}
    alone.audit.order(repair=True)

    with pytest.raises(type(error)):
        alone.process()
    assert (alone.log.page, alone.log.looked, alone.log.unanswered) == (1, 0, 0)


def test_throttled():
    """A throttled user has the whole page tried again; after five tries only that user fails."""
    alone = Auditing(40, size=20)
    alone.found[id_of(7)] = Throttled("Slow down.", retry_after=60)
    audit = alone.audit.order(repair=True)
    for tries in range(1, 6):
        with pytest.raises(Throttled) as caught:
            alone.audit.process(audit.id, 1)
        assert caught.value.retry_after == 60
        assert (alone.log.page, alone.log.looked, alone.log.tries) == (1, 0, tries)
    alone.audit.process(audit.id, 1)
    alone.audit.process(audit.id, 2)

    assert (alone.log.status, alone.log.looked, alone.log.unanswered) == ("finished", 39, 1)


def test_profile_budget():
    """Without room in the profile budget the page waits as long, however often it was tried."""
    alone = Auditing(20)
    alone.wait = 240.0
    audit = alone.audit.order(repair=True)

    with pytest.raises(Throttled) as caught:
        alone.audit.process(audit.id, 1)
    waits = [wait(caught.value, attempt=each, jitter=lambda: 0.0).seconds for each in (1, 12)]
    assert caught.value.retry_after == 240.0
    assert all(240 <= seconds < 260 for seconds in waits)
    assert alone.checked == []
    assert alone.log.waiting_until == (alone.now + timedelta(seconds=240)).isoformat()

    alone.wait = 0.0
    alone.audit.process(audit.id, 1)
    assert (alone.log.waiting_until, len(alone.checked)) == ("", 10)


def test_scheduled_audit_waits_for_the_timer():
    """Without room in the budget, a scheduled audit is put off to the next hour, each time."""
    alone = Auditing(20)
    alone.wait = 90.0
    for _ in range(40):
        assert alone.wake() == 1
    assert (alone.log.status, alone.log.resting, alone.checked) == ("running", True, [])

    alone.wait = 0.0
    alone.wake()
    assert len(alone.checked) == 10


@pytest.mark.parametrize("waits", [ServiceDown("Down."), Throttled("Busy."), None], ids=repr)
def test_page_that_waits_is_not_lost(waits):
    """An audit does not fail while SharePoint or the budget keeps a page waiting for hours."""
    alone = Auditing(10)
    alone.audit.order(repair=True)
    alone.wait = 0.0 if waits else 240.0
    alone.found = {id_of(number): waits for number in range(10)} if waits else {}
    for _ in range(12):
        # The message may be hidden for hours; the timer's comes at once.
        alone.upkeep.messages.clear()
        alone.now += HOUR
        alone.audit.wake()
        with pytest.raises(TryLater):
            alone.process()

    assert alone.log.status == "running"
    alone.found, alone.wait = {}, 0.0
    alone.wake()
    assert (alone.log.status, alone.log.looked) == ("finished", 10)


def test_page_delivered_twice():
    """Of two runs over a page, one writes the log and queues the next; a later run does nothing."""
    alone = Auditing(25)
    audit = alone.audit.order(repair=True)
    alone.upkeep.messages.clear()
    alone.meanwhile = iter([lambda: alone.audit.process(audit.id, 1)])
    alone.audit.process(audit.id, 1)
    checked = len(alone.checked)
    alone.audit.process(audit.id, 1)
    alone.audit.process("of-another", 1)

    assert len(alone.upkeep.messages) == 1
    assert (alone.log.page, alone.log.looked, len(alone.checked)) == (2, 10, checked)


def test_lost_message():
    """A lost page is queued again by a new order, or by the timer; then the audit fails."""
    alone = Auditing(25)
    wakes = [lambda: alone.audit.order(repair=True), alone.audit.wake, alone.audit.wake]
    alone.audit.order(repair=True)
    for stalls, wake in enumerate(wakes, 1):
        alone.lose_message()
        alone.now += HOUR
        wake()
        assert alone.log.stalls == stalls
    alone.lose_message()
    assert alone.wake() == 0
    assert (alone.log.status, alone.log.detail) == ("failed", "Page 1 was lost 3 times.")
    # The next hour begins anew.
    assert alone.wake() == 1


@pytest.mark.parametrize("field", ["waitingUntil", "updatedAt", "startedAt"])
def test_time_in_the_future(field):
    """A time in the future, typed or from a wrong clock, does not delay an audit."""
    alone = Auditing(40)
    alone.wake()
    alone.edit(alone.log.id, {"resting": field == "startedAt", field: "2036-01-31T12:00:00+00:00"})
    alone.now += timedelta(days=2)
    alone.audit.wake()

    assert alone.process() == 1
    assert len(alone.checked) == 20


def test_queued_page_is_not_doubled():
    """While a page is in progress, or waits for the budget, the timer queues none."""
    alone = Auditing(25)
    alone.audit.order(repair=True)
    alone.now += timedelta(minutes=14)
    alone.audit.wake()
    assert len(alone.upkeep.messages) == 1

    alone.wait = 3600.0
    with pytest.raises(Throttled):
        alone.process()
    alone.now += HOUR
    alone.audit.wake()
    assert alone.upkeep.messages == []


def test_two_timers():
    """Of two timers that find a page due, one queues it."""
    alone = Auditing(40)
    alone.wake()
    alone.now += 2 * DAY
    newest = alone.log
    alone.audit.wake()

    with pytest.raises(Conflict):
        alone.audit._wake(newest)
    assert len(alone.upkeep.messages) == 1


def test_audit_that_failed():
    """A failed audit keeps its first reason; another may begin."""
    alone = Auditing(25)
    audit = alone.audit.order(repair=True)
    alone.audit.fail(audit.id, "Consent is missing.")
    alone.audit.fail(audit.id, "Another reason.")

    assert (alone.log.status, alone.log.detail) == ("failed", "Consent is missing.")
    assert alone.process() == 1
    assert alone.checked == []
    assert alone.wake() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"page": "2"},
        {"page": 0},
        {"status": "odd"},
        {"startedAt": "noon"},
        {"startedAt": "9999-12-31T12:00:00+00:00", "everybody": False, "resting": True, "page": 2},
        {"page": 1_000_000_000, "everybody": False, "resting": True},
    ],
    ids=str,
)
def test_damaged_log(fields):
    """A log damaged by hand counts as missing; the next audit begins."""
    alone = Auditing(5)
    audit = alone.audit.order(repair=True)
    alone.edit(audit.id, fields)
    alone.upkeep.messages.clear()

    alone.audit.process(audit.id, 1)
    assert alone.checked == []
    assert alone.wake() == 1
    assert len(alone.checked) == 5
