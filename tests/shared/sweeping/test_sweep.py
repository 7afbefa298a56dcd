"""The chain of pages: never broken for long, never doubled, and careful with removals."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from shared.errors import Conflict, EndlessList, Refused, ServiceDown
from shared.graph.user_listing import UserPage
from shared.sweeping.stretch import LONGEST_RUN
from shared.sweeping.sweep import QUIET, STALLS
from tests.shared.sweeping.sweeping_alone import MINUTE, Sweeping, result


def test_pages_follow_each_other():
    """Each page queues who differs and then the next page; one of states ends the sweep."""
    office = Sweeping(result(queue=[("a", "new")]), result(queue=[("b", "new"), ("c", "failed")]))
    office.sweep.start()
    assert office.orders() == [("sweep-page", 1)]
    office.sweep.work_off(office.log.id, 1)
    assert office.orders() == [("sweep-page", 2)]
    office.sweep.work_off(office.log.id, 2)
    assert office.orders() == [("sweep-page", 3)]
    office.sweep.work_off(office.log.id, 3)

    assert office.orders() == []
    assert office.queued() == [("a", "sweep"), ("b", "sweep"), ("c", "sweep")]
    assert (office.log.status, office.log.users) == ("finished", 2)
    assert office.log.changed == {"failed": 1, "new": 2}


def test_running_sweep_goes_on(caplog: pytest.LogCaptureFixture):
    """While one sweep is running the next is skipped, and the log says so."""
    office = Sweeping(result())
    office.sweep.start()
    first = office.log
    office.orders()
    with caplog.at_level(logging.INFO, "photosync"):
        office.sweep.start()

    assert office.log == first
    assert office.orders() == []
    assert "sweep.skipped" in caplog.text


def test_begun_though_storage_did_not_say_so(monkeypatch: pytest.MonkeyPatch):
    """A sweep whose beginning was written, but not answered, goes on at once."""
    office = Sweeping(result())
    begin = office.logs.begin

    def unanswered(*written: Any) -> None:
        begin(*written)
        raise ServiceDown("No answer.")

    monkeypatch.setattr(office.logs, "begin", unanswered)
    office.sweep.start()

    assert office.orders() == [("sweep-page", 1)]


def test_not_begun_if_storage_is_away(monkeypatch: pytest.MonkeyPatch):
    """A sweep whose beginning was not written is begun by another try."""
    office = Sweeping(result())
    monkeypatch.setattr(office.logs, "begin", Mock(side_effect=ServiceDown("No answer.")))

    with pytest.raises(ServiceDown):
        office.sweep.start()
    assert office.orders() == []


def test_lost_page_is_queued_again():
    """A sweep that was quiet for long has lost its message: the next start sends it again."""
    office = Sweeping(result(), result())
    office.sweep.start()
    office.sweep.work_off(office.log.id, 1)
    office.orders()
    office.now += QUIET + MINUTE
    office.sweep.start()

    assert office.orders() == [("sweep-page", 2)]
    assert office.log.stalls == 1


def test_page_lost_too_often_ends_the_sweep():
    """A page that is lost again and again fails its sweep, and a new one begins."""
    office = Sweeping(result())
    office.sweep.start()
    first = office.log.id
    for _ in range(STALLS + 1):
        office.now += QUIET + MINUTE
        office.sweep.start()
    found = office.logs.read(first)

    assert found
    assert found[0].status == "failed"
    assert office.log.previous == first


def test_deleted_log_begins_anew():
    """Without the blob of the newest sweep there is nothing to go on with."""
    office = Sweeping(result())
    office.sweep.start()
    running = office.log
    # Storage in memory deletes nothing.
    office.logs.read = lambda sweep_id: None  # type: ignore[method-assign]
    assert office.sweep._revived(running) is False


def test_duplicate_of_a_page_starts_no_second_chain():
    """A page that was done comes to nothing: later it waits once, then it finds the sweep moved."""
    office = Sweeping(result(), result(), result())
    office.sweep.start()
    office.sweep.work_off(office.log.id, 1)
    with pytest.raises(Conflict) as caught:
        office.sweep.work_off(office.log.id, 1)
    office.sweep.work_off(office.log.id, 2)
    office.orders()
    office.now += 5 * MINUTE
    office.sweep.work_off(office.log.id, 1)

    assert caught.value.retry_after == 360
    assert office.orders() == []


def test_duplicate_while_the_next_stretch_takes_its_time():
    """A run that lists for minutes is not taken for one that died: nobody runs beside it."""
    office = Sweeping(result(), result())
    office.sweep.start()
    office.sweep.work_off(office.log.id, 1)
    office.orders()
    office.now += LONGEST_RUN + MINUTE

    with pytest.raises(Conflict):
        office.sweep.work_off(office.log.id, 1)
    assert office.orders() == []


def test_death_before_the_next_page_was_queued():
    """A page that was done and is quiet since has died before it queued the next."""
    office = Sweeping(result(), result())
    office.sweep.start()
    office.sweep.work_off(office.log.id, 1)
    office.orders()
    office.now += 7 * MINUTE
    office.sweep.work_off(office.log.id, 1)

    assert office.orders() == [("sweep-page", 2)]


def test_two_runs_over_one_page():
    """Of two runs over one page, one writes it down and goes on; the other stops."""
    office = Sweeping(result(), result())
    office.sweep.start()

    def other() -> None:
        office.meanwhile = lambda: None
        office.sweep.work_off(office.log.id, 1)

    office.meanwhile = other
    office.orders()
    office.sweep.work_off(office.log.id, 1)

    assert office.orders() == [("sweep-page", 2)]
    assert office.log.users == 1


@pytest.mark.parametrize("ended", ["failed", "finished"])
def test_page_of_an_ended_sweep(ended: str):
    """Nothing is done for a sweep that has ended."""
    office = Sweeping(result(queue=[("a", "new")]))
    office.sweep.start()
    found = office.logs.read(office.log.id)
    assert found
    office.logs.write(replace(found[0], status=ended), after=found[1])
    office.orders()
    office.sweep.work_off(office.log.id, 1)
    office.sweep.work_off(office.log.id, 0)
    office.sweep.work_off("unknown", 1)

    assert office.queued() == []
    assert office.orders() == []


def test_page_that_fails_is_done_again():
    """An error leaves the sweep at its page."""
    office = Sweeping(ServiceDown("Broken."))
    office.sweep.start()
    with pytest.raises(ServiceDown):
        office.sweep.work_off(office.log.id, 1)

    assert office.log.page == 1


def test_failed_sweep_says_why():
    """A sweep that cannot go on keeps the reason; one that has ended is left alone."""
    office = Sweeping(result())
    office.sweep.start()
    office.sweep.fail(office.log.id, "No role.")
    office.sweep.fail(office.log.id, "Another.")
    office.sweep.fail("unknown", "Another.")

    assert (office.log.status, office.log.detail) == ("failed", "No role.")
    assert office.log.finished_at


def test_few_removals_are_queued():
    """The end of a sweep sends those who are gone to the worker, once."""
    office = Sweeping(result(gone=["a"]), result(), result(gone=["b"]))
    office.sweep.start()
    for page in (1, 2, 3, 4):
        office.orders()
        office.sweep.work_off(office.log.id, page)
    assert office.orders() == [("removals", 0)]
    office.sweep.removals.queue(office.log.id)
    office.sweep.removals.queue(office.log.id)
    office.sweep.removals.queue("unknown")

    assert office.queued() == [("a", "removal"), ("b", "removal")]
    assert {each.sweep_id for each in office.told()} == {office.log.id}
    assert office.log.removals == "queued"


def test_page_done_again_forgets_who_was_gone():
    """Whom the try that counts finds not gone is not removed for what an earlier one found."""
    office = Sweeping(result(gone=["a"]), result(gone=["b"]))
    office.sweep.start()
    assert office.logs.keep_gone(office.log.id, 1, ["x", "y"])
    office.results[0] = result()
    office.work_off_pages()
    office.sweep.removals.queue(office.log.id)

    assert office.queued() == [("b", "removal")]


def _outage(people: int = 21) -> Sweeping:
    gone = [str(each) for each in range(people)]
    return Sweeping(result(managed=100, gone=gone))


def test_brake_holds_removals_until_they_are_released(caplog: pytest.LogCaptureFixture):
    """Too many removals at once wait for a person, loudly; released ones go ahead, once."""
    office = _outage()
    assert office.sweep.removals.release() == 0
    office.run()
    office.sweep.removals.queue(office.log.id)
    assert office.queued() == []
    assert "sweep.braked" in caplog.text
    assert office.log.removals == "braked"

    assert office.sweep.removals.release() == 21
    assert office.orders() == [("removals", 0)]
    assert "A person released this at 2026-01-31 12" in office.log.detail
    office.sweep.removals.queue(office.log.id)
    assert len(office.queued()) == 21
    assert office.sweep.removals.release() == 0


def test_release_after_the_next_sweep_began():
    """The brake of the sweep before can be released, too."""
    office = _outage()
    office.run()
    office.now += 60 * MINUTE
    office.sweep.start()

    assert office.sweep.removals.release() == 21


def test_nothing_to_release_when_the_photos_are_back():
    """Once the next sweep has found them, what the one before held back is over."""
    office = _outage()
    office.run()
    office.now += 60 * MINUTE
    office.results = [result(managed=100)]
    office.run()

    assert office.sweep.removals.release() == 0


def test_twenty_removals_are_not_an_outage():
    """Up to twenty, however few pictures there are."""
    office = _outage(20)
    office.run()

    assert office.log.removals == "due"


class Circling(Sweeping):
    """Pages whose links are given."""

    def __init__(self, links: Mapping[str, str]) -> None:
        super().__init__(result(gone=["a"]))
        self.links = links
        self.asked = 0

    def page(self, path: str = "") -> UserPage:
        self.asked += 1
        self._number = 0
        return UserPage([], self.links.get(path, ""))

    def run_on(self) -> None:
        self.sweep.start()
        for page in range(1, 1000):
            self.sweep.work_off(self.log.id, page)
            if self.log.status != "running":
                return


@pytest.mark.parametrize("before", [0, 1, 5])
@pytest.mark.parametrize("length", [1, 2, 7])
def test_pages_in_a_circle_end_the_sweep(before: int, length: int):
    """Whether a page links to itself or far back: it is noticed, and nothing is removed."""
    last = before + length
    row = {str(n): str(n + 1) for n in range(1, last)}
    office = Circling({"": "1", **row, str(last): str(before + 1)})
    with pytest.raises(Refused, match="never end"):
        office.run_on()

    assert office.log.removals == "none"
    assert office.asked <= 4 * (last + 1)


def test_last_page_of_a_circle_is_looked_at():
    """Who is on the page that links back is served, although the sweep fails then."""
    office = Sweeping(result(queue=[("a", "new")]), result(queue=[("b", "new")]))
    office.page = lambda path="": replace(Sweeping.page(office, path), next="1")  # type: ignore[method-assign]
    office.sweep.start()
    office.sweep.work_off(office.log.id, 1)
    with pytest.raises(EndlessList):
        office.sweep.work_off(office.log.id, 2)

    assert office.queued() == [("a", "sweep"), ("b", "sweep")]


@pytest.mark.parametrize(("page", "status"), [(9_999, "running"), (10_000, "failed")])
def test_pages_on_and_on_end_the_sweep(page: int, status: str):
    """Ten thousand pages that each name a new one are more than any tenant has."""
    office = Circling({"a": "b"})
    office.sweep.start()
    found = office.logs.read(office.log.id)
    assert found
    at = replace(found[0], page=page, links=page - 1, next="a")
    office.logs.write(at, after=found[1])
    try:
        office.sweep.work_off(office.log.id, page)
    except EndlessList as error:
        office.sweep.fail(office.log.id, str(error))

    assert (office.log.status, office.log.removals) == (status, "none")


def test_pages_in_a_row_end_by_themselves():
    """However many different pages follow each other, no circle is seen in them."""
    office = Circling({"": "1", **{str(n): str(n + 1) for n in range(1, 300)}})
    office.run_on()

    assert (office.log.status, office.asked) == ("finished", 301)


def test_sweep_from_a_time_to_come():
    """A sweep whose last work was in 9998 has lost its message as one that was quiet for long."""
    office = Sweeping(result(), result())
    office.sweep.start()
    found = office.logs.read(office.log.id)
    assert found
    office.orders()
    odd = replace(found[0], updated_at="9998-01-01T00:00:00+00:00")
    office.logs.write(odd, after=found[1])
    office.sweep.start()
    assert office.orders() == [("sweep-page", 1)]
    office.sweep.work_off(office.log.id, 1)

    assert office.orders() == [("sweep-page", 2)]
    assert office.log.updated_at == office.now.isoformat()


def test_odd_user_of_a_page_is_named(caplog: pytest.LogCaptureFixture):
    """A user whom nobody can read is named in the log, without an address; the sweep goes on."""
    office = Sweeping(result(queue=[("a", "new")]))
    office.page = lambda path="": UserPage(  # type: ignore[method-assign]
        [], "", ["A user has no object id: id is null, userPrincipalName is 'bert@contoso.com'."]
    )
    office._number = 0
    office.run()

    assert (office.log.status, office.queued()) == ("finished", [("a", "sweep")])
    assert f"sweep.user_set_aside id={office.log.id} page=1 why=" in caplog.text
    assert "bert@" not in caplog.text


def test_missed_changes_begin_one_sweep(caplog: pytest.LogCaptureFixture):
    """However many say that changes were missed: a sweep begun since makes up for all."""
    office = Sweeping(result())
    missed = office.now - MINUTE
    for _ in range(3):
        office.sweep.make_up_for(missed)
    assert office.orders() == [("sweep-page", 1)]
    first = office.log.id
    office.sweep.work_off(first, 1)
    with caplog.at_level(logging.INFO, "photosync"):
        office.sweep.make_up_for(missed)

    assert office.log.id == first
    assert f"sweep.covered by={first}" in caplog.text


def test_missed_after_a_sweep_began():
    """What was missed since the newest sweep began waits for ten minutes, and is not forgotten."""
    office = Sweeping(result())
    office.run()
    first = office.log.id
    office.now += MINUTE
    with pytest.raises(Conflict) as caught:
        office.sweep.make_up_for(office.now)
    missed = office.now
    assert (office.log.id, caught.value.retry_after) == (first, 540)
    office.now += 9 * MINUTE
    office.sweep.make_up_for(missed)

    assert office.log.id != first


def test_failed_sweep_makes_up_for_nothing():
    """A sweep that failed has not looked at everybody; the next waits its time all the same."""
    office = Sweeping(result())
    office.sweep.start()
    office.sweep.fail(office.log.id, "No role.")
    first = office.log.id
    with pytest.raises(Conflict):
        office.sweep.make_up_for(office.now)
    missed = office.now
    office.now += 10 * MINUTE
    office.sweep.make_up_for(missed)

    assert office.log.id != first


def test_sweep_that_began_in_a_time_to_come():
    """What cannot have begun yet makes up for nothing, and nothing waits for it."""
    office = Sweeping(result())
    office.sweep.start()
    found = office.logs.read(office.log.id)
    assert found
    odd = replace(found[0], status="finished", started_at="9998-01-01T00:00:00+00:00")
    office.logs.write(odd, after=found[1])
    office.sweep.make_up_for(office.now)

    assert office.log.status == "running"
