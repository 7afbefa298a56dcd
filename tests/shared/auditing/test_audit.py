"""Audits: who is looked at and when, what is repaired, and what becomes of interruptions."""

from __future__ import annotations

import logging
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
from shared.messages.fates import wait
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

# Who is looked at, and when


def test_everybody_at_once():
    """What a person orders looks at everybody, page after page without a rest."""
    alone = Auditing(25)
    alone.audit.order(repair=False)

    assert alone.work_off() == 3
    assert sorted(alone.looked) == [id_of(number) for number in range(25)]
    assert (alone.log.status, alone.log.looked, alone.log.progress()) == ("finished", 25, 1.0)


def test_spread_over_the_days():
    """The timer's audits look at a page when it is due: after half of the days at half of all."""
    alone = Auditing(40, days=7)
    hours = [alone.wake() for _ in range(7 * 24)]

    assert sum(hours) == 4
    assert [hour for hour, pages in enumerate(hours) if pages] == [0, 42, 84, 126]
    assert sorted(alone.looked) == [id_of(number) for number in range(40)]


def test_once_in_the_days():
    """Each user is looked at once in AUDIT_DAYS, audit after audit, however many hours go by."""
    alone = Auditing(40, days=2)
    for _ in range(6 * 24):
        alone.wake()

    assert [alone.looked.count(id_of(number)) for number in range(40)] == [3] * 40


def test_more_users_than_at_the_beginning():
    """Who was not counted yet is looked at too, within the same days."""
    alone = Auditing(10, days=1)
    alone.wake()
    for number in range(10, 35):
        alone.states.create(synced(number))
    alone.found.clear()
    alone.looked.clear()
    alone.audit.order(repair=True)
    for number in range(35, 50):
        alone.states.create(synced(number))
    alone.work_off()

    assert len(alone.looked) == 50


def test_zero_days():
    """AUDIT_DAYS=0 looks at nobody by itself; a person may order it all the same."""
    alone = Auditing(5, days=0)
    assert alone.wake() == 0

    alone.audit.order(repair=True)
    alone.work_off()
    assert len(alone.looked) == 5
    assert alone.wake(30 * DAY) == 0


def test_zero_days_meanwhile():
    """AUDIT_DAYS=0 ends the audit that runs by itself, and one of everybody goes on."""
    alone = Auditing(40)
    alone.wake()
    alone.audit._terms = replace(alone.audit._terms, days=0)
    assert alone.wake(2 * DAY) == 0
    assert (alone.log.status, len(alone.looked)) == ("failed", 10)

    alone.audit.order(repair=True)
    alone.lose_message()
    assert alone.wake() == 4


def test_nobody_yet():
    """After an audit of nobody the next one does not wait for days: the first copies follow."""
    alone = Auditing(0)
    alone.wake()
    alone.states.create(synced(1))
    alone.wake()

    assert alone.looked == [id_of(1)]


def test_ordered_again():
    """A second order goes on with the audit that there is; a wish to repair begins one anew."""
    alone = Auditing(25)
    first = alone.audit.order(repair=False)
    assert alone.audit.order(repair=False) == first
    assert alone.work_off() == 3

    other = Auditing(25)
    first = other.audit.order(repair=False)
    second = other.audit.order(repair=True)
    other.work_off()

    assert second.id != first.id
    assert other.written(first.id).status == audit_log.FAILED
    assert len(other.looked) == 25


def test_order_takes_the_place_of_a_slow_one():
    """An audit of everybody does not wait for the one that is spread over days."""
    alone = Auditing(40)
    alone.wake()
    alone.looked.clear()
    alone.audit.order(repair=True)
    alone.work_off()

    assert len(alone.looked) == 40
    # The next one spreads them again, from the next hour on.
    assert alone.wake() == 1


def test_setting_that_is_changed_meanwhile():
    """AUDIT holds for the audit that runs, too: it runs for days."""
    alone = Auditing(40, repair=True)
    alone.damage(*range(40))
    alone.wake()
    assert len(alone.repaired()) == 10

    alone.audit._terms = replace(alone.audit._terms, repair=False)
    alone.wake(2 * DAY)

    assert alone.repaired() == []
    assert len(alone.looked) == 20


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
def test_who_is_left_out(fields):
    """Where SharePoint is not known to show a picture of ours there is nothing to compare."""
    alone = Auditing(0)
    alone.states.create(synced(1, **fields))
    alone.audit.order(repair=True)
    alone.work_off()

    assert alone.looked == []
    assert (alone.log.status, alone.log.looked) == ("finished", 0)


# What is found


def test_damage_is_repaired_and_remembered():
    """Whoever differs goes to the worker, and the state says why until it is repaired."""
    alone = Auditing(15)
    alone.damage(3, 12)
    alone.audit.order(repair=True)
    alone.work_off()

    assert alone.repaired() == [3, 12]
    assert (alone.state(3).damage, alone.state(4).damage) == (DAMAGE, "")
    assert (alone.log.looked, alone.log.differ) == (15, 2)


def test_reported_only():
    """AUDIT=report and an order without repair write states, and queue nobody."""
    alone = Auditing(15, repair=False)
    alone.damage(3)
    alone.write(synced(4, files=()))
    alone.wake()

    assert alone.repaired() == []
    assert alone.state(3).damage == DAMAGE
    assert (alone.log.differ, alone.log.unclear) == (1, 1)


def test_dry_run():
    """With DRY_RUN audits report, and an order to repair is refused with what to do."""
    alone = Auditing(15, dry_run=True)
    alone.damage(3)
    with pytest.raises(BadRequest, match="DRY_RUN is on"):
        alone.audit.order(repair=True)
    alone.wake()

    assert alone.repaired() == []
    assert alone.state(3).damage == DAMAGE


def test_renamed_tenant_is_no_damage():
    """Everybody at a former address is rewritten by the worker; no brake takes it for damage."""
    alone = Auditing(60, size=60)
    alone.found = {id_of(n): Inspection("", outdated="Former.") for n in range(60)}
    alone.audit.order(repair=True)
    alone.work_off()

    assert (alone.log.differ, alone.log.unclear, alone.log.repairs) == (0, 60, "free")
    assert len(alone.repaired()) == 60


def test_state_without_a_name():
    """Of whom no name is remembered nothing can be asked: the worker asks Graph for it."""
    alone = Auditing(0)
    alone.states.create(synced(1, user_principal_name=""))
    alone.audit.order(repair=True)
    alone.work_off()

    assert (alone.looked, alone.repaired()) == ([], [1])


def test_damage_that_is_over():
    """What shows our picture again is no longer said to be damaged."""
    alone = Auditing(0)
    alone.states.create(synced(1, damage=DAMAGE))
    alone.audit.order(repair=True)
    alone.work_off()

    assert alone.state(1) == synced(1)


def test_moved_etags_are_remembered():
    """ETags that have moved by themselves are known the next time."""
    alone = Auditing(1)
    moved = tuple(replace(each, etag="moved") for each in FILES)
    alone.found[id_of(0)] = Inspection("", moved)
    alone.audit.order(repair=True)
    alone.work_off()

    assert alone.state(0) == synced(0, files=moved)
    assert alone.repaired() == []


@pytest.mark.parametrize("why", [PictureKept("Kept."), NoProfile("None."), None], ids=repr)
def test_unclear_is_for_the_worker(why):
    """A chosen picture, a name that has changed, files of an older version: the worker settles."""
    alone = Auditing(2)
    if why:
        alone.found[id_of(1)] = why
    else:
        alone.write(synced(1, files=()))
    alone.audit.order(repair=True)
    alone.work_off()

    assert alone.repaired() == [1]
    assert (alone.log.differ, alone.log.unclear) == (0, 1)
    assert alone.state(1).damage == ""


def test_a_run_was_faster():
    """What a run has written meanwhile stands: it knows better than the audit's look."""
    alone = Auditing(1)
    alone.damage(0)
    newer = synced(0, sha256="a newer one")
    alone.meanwhile = lambda: alone.write(newer)
    alone.audit.order(repair=True)
    alone.work_off()

    assert alone.state(0) == newer
    # What the look saw was the run's own writing.
    assert (alone.log.differ, alone.log.looked, alone.repaired()) == (0, 1, [])


# The brake


def test_brake():
    """More than twenty, and more than a twentieth: from that page on nobody is repaired."""
    alone = Auditing(60, size=15)
    alone.damage(*range(5), *range(15, 31), 45, 59)
    alone.audit.order(repair=True)
    alone.work_off()

    assert (alone.log.status, alone.log.repairs, alone.log.differ) == ("finished", "braked", 23)
    assert "No more are repaired until a person releases the repairs" in alone.log.detail
    assert alone.repaired() == [*range(5), *range(15, 30)]
    assert alone.state(59).damage == DAMAGE


@pytest.mark.parametrize(("users", "damaged"), [(60, 20), (1000, 50)])
def test_no_brake(users, damaged):
    """Up to twenty, or up to a twentieth, is what people do."""
    alone = Auditing(users, size=users)
    alone.damage(*range(damaged))
    alone.audit.order(repair=True)
    alone.work_off()

    assert (alone.log.repairs, len(alone.repaired())) == ("free", damaged)


def test_no_brake_without_repair():
    """An audit that repairs nobody holds nobody back: there is nothing to release."""
    alone = Auditing(30, size=30)
    alone.damage(*range(30))
    alone.audit.order(repair=False)
    alone.work_off()

    assert (alone.log.repairs, alone.log.differ) == ("free", 30)
    assert alone.audit.repairs.release() == 0


def test_release():
    """A person lets go ahead what was held back, and what the same audit finds after it."""
    alone = Auditing(60)
    alone.damage(*range(30), 59)
    alone.audit.order(repair=True)
    for page in range(1, 5):
        alone.audit.work_off(alone.log.id, page)
    assert alone.repaired() == [*range(20)]

    assert alone.audit.repairs.release() == 10
    alone.work_off()

    assert alone.repaired() == [*range(20, 30), 59]
    assert (alone.log.status, alone.log.repairs) == ("finished", "released")
    assert alone.audit.repairs.release() == 0


def test_release_while_a_page_is_looked_at():
    """A release in the middle of a page does not end the chain: the page is done again."""
    alone = Auditing(60)
    alone.damage(*range(30), 59)
    audit = alone.audit.order(repair=True)
    for page in range(1, 4):
        alone.audit.work_off(audit.id, page)
    releases = [alone.audit.repairs.release]

    def meanwhile() -> None:
        if releases:
            releases.pop()()

    alone.meanwhile = meanwhile
    with pytest.raises(Conflict):
        alone.audit.work_off(audit.id, 4)

    alone.audit.work_off(audit.id, 4)
    alone.work_off()
    assert (alone.log.status, alone.log.looked) == ("finished", 60)
    assert alone.repaired() == [*range(30), 59]


def test_release_whose_message_was_lost():
    """Until those who were held back are on their way, the release can be repeated."""
    alone = Auditing(30, size=30)
    alone.damage(*range(30))
    alone.audit.order(repair=True)
    alone.work_off()
    assert alone.audit.repairs.release() == 30
    alone.upkeep.messages.clear()

    assert alone.audit.repairs.release() == 30
    alone.work_off()
    assert alone.repaired() == [*range(30)]
    assert alone.audit.repairs.release() == 0


def test_release_after_the_next_has_begun():
    """A brake that a person has seen can be released when the next audit runs already."""
    alone = Auditing(30, size=30)
    alone.damage(*range(30))
    alone.audit.order(repair=True)
    alone.work_off()
    alone.found.clear()
    alone.audit.wake()

    assert alone.audit.repairs.release() == 30
    alone.work_off()
    assert alone.repaired() == [*range(30)]


def test_nothing_to_release():
    """Without a brake nothing is released, whether there is an audit or none."""
    alone = Auditing(1)
    assert alone.audit.repairs.release() == 0
    alone.audit.order(repair=True)
    assert alone.audit.repairs.release() == 0


# When something is in the way


def test_one_without_an_answer(caplog: pytest.LogCaptureFixture):
    """One user's trouble is counted and told, and keeps nobody else from being looked at."""
    caplog.set_level(logging.INFO, "photosync")
    alone = Auditing(30)
    alone.found[id_of(2)] = ServiceDown("Broken.")
    alone.found[id_of(12)] = Refused("Odd.")
    alone.damage(3)
    alone.audit.order(repair=True)
    alone.work_off()

    assert (alone.log.looked, alone.log.unanswered, alone.repaired()) == (28, 2, [3])
    assert f'audit.unanswered user={id_of(2)} why="Broken."' in caplog.messages


def test_one_found_before_without_an_answer():
    """What an audit has found stands until a look says otherwise, so it is repaired now."""
    alone = Auditing(20)
    alone.write(synced(3, damage=DAMAGE))
    alone.found[id_of(3)] = ServiceDown("Broken.")
    alone.audit.order(repair=True)
    alone.work_off()

    assert (alone.log.differ, alone.log.unanswered, alone.repaired()) == (0, 1, [3])
    assert alone.state(3).damage == DAMAGE


@pytest.mark.parametrize("error", [ServiceDown("Down."), AccessDenied("Role.")], ids=repr)
def test_none_of_a_page_has_an_answer(error):
    """What nearly everybody gets is the service's: nothing is written, and nothing is counted."""
    alone = Auditing(20, size=20)
    alone.found = {id_of(number): error for number in range(20)}
    alone.audit.order(repair=True)

    with pytest.raises(type(error)):
        alone.work_off()
    assert (alone.log.page, alone.log.looked, alone.log.unanswered) == (1, 0, 0)


def test_throttled():
    """Whoever asks for patience asks everybody: the page is done again later, as a whole."""
    alone = Auditing(20, size=20)
    alone.found[id_of(7)] = Throttled("Slow down.", retry_after=60)
    alone.audit.order(repair=True)

    with pytest.raises(Throttled) as caught:
        alone.work_off()
    assert caught.value.retry_after == 60
    assert (alone.log.page, alone.log.looked, alone.log.tries) == (1, 0, 1)


def test_one_who_is_always_throttled():
    """One picture that answers 503 for ever keeps nobody behind it from being looked at."""
    alone = Auditing(40, size=20)
    alone.found[id_of(7)] = Throttled("Slow down.")
    audit = alone.audit.order(repair=True)
    for _ in range(5):
        with pytest.raises(Throttled):
            alone.audit.work_off(audit.id, 1)
    alone.audit.work_off(audit.id, 1)
    alone.audit.work_off(audit.id, 2)

    assert (alone.log.status, alone.log.looked, alone.log.unanswered) == ("finished", 39, 1)


def test_profile_budget():
    """Without room in the profile budget nobody is looked at, and the log says until when."""
    alone = Auditing(20)
    alone.wait = 90.0
    alone.audit.order(repair=True)

    with pytest.raises(Throttled) as caught:
        alone.work_off()
    assert caught.value.retry_after == 90.0
    assert alone.looked == []
    assert alone.log.waiting_until == (alone.now + timedelta(seconds=90)).isoformat()

    alone.wait = 0.0
    alone.audit.work_off(alone.log.id, 1)
    assert (alone.log.waiting_until, len(alone.looked)) == ("", 10)


def test_spread_audit_waits_for_the_timer():
    """An audit that nobody waits for is put off to the next hour, for as long as it takes."""
    alone = Auditing(20)
    alone.wait = 90.0
    for _ in range(40):
        assert alone.wake() == 1
    assert (alone.log.status, alone.log.resting, alone.looked) == ("running", True, [])

    alone.wait = 0.0
    alone.wake()
    assert len(alone.looked) == 10


def test_nobody_to_look_at_needs_no_budget():
    """A page without a picture of ours is done at once, also while changes spend all calls."""
    alone = Auditing(0)
    alone.states.create(synced(1, picture_url=""))
    alone.wait = 90.0
    alone.wake()

    assert alone.log.status == "finished"


@pytest.mark.parametrize("attempt", [1, 12])
def test_wait_for_the_budget_does_not_grow(attempt):
    """However often there was no room, the page comes back when the budget may have some."""
    alone = Auditing(20)
    alone.wait = 240.0
    audit = alone.audit.order(repair=True)
    with pytest.raises(Throttled) as caught:
        alone.audit.work_off(audit.id, 1)

    end = wait(caught.value, attempt=attempt, jitter=lambda: 0.0)
    assert 240 <= end.seconds < 260


@pytest.mark.parametrize("waits", [ServiceDown("Down."), Throttled("Busy."), None], ids=repr)
def test_page_that_waits_is_not_lost(waits):
    """While SharePoint or the budget keeps a page waiting for hours, the audit does not fail."""
    alone = Auditing(10)
    alone.audit.order(repair=True)
    alone.wait = 0.0 if waits else 240.0
    alone.found = {id_of(number): waits for number in range(10)} if waits else {}
    for _ in range(12):
        # The message itself may be hidden for hours; the timer's comes at once.
        alone.upkeep.messages.clear()
        alone.now += HOUR
        alone.audit.wake()
        with pytest.raises(TryLater):
            alone.work_off()

    assert alone.log.status == "running"
    alone.found, alone.wait = {}, 0.0
    alone.wake()
    assert (alone.log.status, alone.log.looked) == ("finished", 10)


def test_page_that_comes_twice():
    """A page that is done is no longer this one: no second chain begins."""
    alone = Auditing(25)
    audit = alone.audit.order(repair=True)
    alone.audit.work_off(audit.id, 1)
    alone.audit.work_off(audit.id, 1)
    alone.audit.work_off("of-another", 1)

    assert len(alone.looked) == 10
    # The first page's message, and the second's.
    assert len(alone.upkeep.messages) == 2


def test_page_at_the_same_moment():
    """Of two runs over one page one writes the log and queues the next."""
    alone = Auditing(25)
    audit = alone.audit.order(repair=True)
    alone.upkeep.messages.clear()
    again = [True]

    def meanwhile() -> None:
        if again.pop() if again else False:
            alone.audit.work_off(audit.id, 1)

    alone.meanwhile = meanwhile
    alone.audit.work_off(audit.id, 1)

    assert len(alone.upkeep.messages) == 1
    assert (alone.log.page, alone.log.looked) == (2, 10)


def test_lost_message():
    """A page whose message was lost is queued again, three times; then the audit has failed."""
    alone = Auditing(25)
    alone.audit.order(repair=True)
    for stall in range(3):
        alone.lose_message()
        alone.now += HOUR
        alone.audit.wake()
        assert alone.log.stalls == stall + 1
    alone.lose_message()
    assert alone.wake() == 0
    assert (alone.log.status, alone.log.detail) == ("failed", "Page 1 was lost 3 times.")
    # The next hour begins anew.
    assert alone.wake() == 1


@pytest.mark.parametrize("field", ["waitingUntil", "updatedAt", "startedAt"])
def test_time_to_come(field):
    """A time to come, typed by a person or by a clock that is wrong, keeps no audit waiting."""
    alone = Auditing(40)
    alone.wake()
    alone.edit(alone.log.id, {"resting": field == "startedAt", field: "2036-01-31T12:00:00+00:00"})
    alone.now += timedelta(days=2)
    alone.audit.wake()

    assert alone.work_off() == 1
    assert len(alone.looked) == 20


def test_order_by_a_clock_that_is_ahead():
    """An audit of everybody does not rest, whatever time it was where it was ordered."""
    alone = Auditing(25)
    alone.now += timedelta(minutes=10)
    audit = alone.audit.order(repair=True)
    alone.now -= timedelta(minutes=10)
    alone.audit.work_off(audit.id, 1)

    assert not alone.log.resting
    assert alone.work_off() == 2


def test_second_order_brings_a_lost_message_back():
    """Whoever orders everybody once more need not wait for the timer."""
    alone = Auditing(25)
    alone.audit.order(repair=True)
    alone.lose_message()
    alone.now += HOUR
    alone.audit.order(repair=True)

    assert alone.work_off() == 3


def test_message_on_its_way_is_not_doubled():
    """While a page is at work, or waits for the budget, the timer queues none."""
    alone = Auditing(25)
    alone.audit.order(repair=True)
    alone.now += timedelta(minutes=14)
    alone.audit.wake()
    assert len(alone.upkeep.messages) == 1

    alone.wait = 3600.0
    with pytest.raises(Throttled):
        alone.work_off()
    alone.now += HOUR
    alone.audit.wake()
    assert alone.upkeep.messages == []


def test_two_timers():
    """Of two that find a page due one queues it."""
    alone = Auditing(40)
    alone.wake()
    alone.now += 2 * DAY
    newest = alone.log
    alone.audit.wake()

    with pytest.raises(Conflict):
        alone.audit._wake(newest)
    assert len(alone.upkeep.messages) == 1


def test_audit_that_failed():
    """An audit that cannot go on says why, once; another may begin."""
    alone = Auditing(25)
    audit = alone.audit.order(repair=True)
    alone.audit.fail(audit.id, "Consent is missing.")
    alone.audit.fail(audit.id, "Another reason.")

    assert (alone.log.status, alone.log.detail) == ("failed", "Consent is missing.")
    assert alone.work_off() == 1
    assert alone.looked == []
    assert alone.wake() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"page": "2"},
        {"page": 0},
        {"status": "odd"},
        {"looked": -1},
        {"startedAt": "noon"},
        {"startedAt": "9999-12-31T12:00:00+00:00", "everybody": False, "resting": True, "page": 2},
        {"page": 1_000_000_000, "everybody": False, "resting": True},
    ],
    ids=str,
)
def test_log_that_a_person_has_edited(fields):
    """A log that no audit has written counts as none; the next one begins anew."""
    alone = Auditing(5)
    audit = alone.audit.order(repair=True)
    alone.edit(audit.id, fields)
    alone.upkeep.messages.clear()

    alone.audit.work_off(audit.id, 1)
    assert alone.looked == []
    assert alone.wake() == 1
    assert len(alone.looked) == 5


def test_looks_are_known_for_an_audits():
    """The profile calls of an audit are of its share, whichever thread makes them."""
    it, kinds = Auditing(3), []
    it.meanwhile = lambda: kinds.append(current().kind)
    it.audit.order(repair=False)
    it.work_off()

    assert kinds == [Kind.AUDIT] * 3
