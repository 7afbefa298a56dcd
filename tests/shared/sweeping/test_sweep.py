"""The chain of a sweep's pages: it survives lost messages, and never continues twice."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import Conflict, EndlessList, Refused, ServiceDown
from shared.graph.user_listing import UserPage
from tests.shared.sweeping.sweeping_alone import MINUTE, Sweeping, result

QUIET = timedelta(minutes=15)
SECOND = timedelta(seconds=1)
FAR_FUTURE = "9998-01-01T00:00:00+00:00"


def test_pages_follow_each_other(caplog: pytest.LogCaptureFixture):
    """Each page queues the users who differ and then the next page; a page of states is last."""
    office = Sweeping(result(queue=[("a", "new")]), result(queue=[("b", "new"), ("c", "failed")]))
    with caplog.at_level(logging.INFO, "photosync"):
        began = office.sweep.start()
    [message] = office.upkeep.messages
    assert message.visible_at == office.now
    assert json.loads(message.body)["sweepId"] == began == "20260131T120000-00000001"
    for page in (1, 2, 3):
        assert office.orders() == [("sweep-page", page)]
        with caplog.at_level(logging.INFO, "photosync"):
            office.process(page)

    assert office.orders() == []
    assert caplog.messages == [
        f"sweep.started id={began}",
        f"sweep.finished id={began} users=2 inScope=2 failed=0 changed=3 managed=2 gone=0 "
        "removals=none left=0 forgetting=none",
    ]
    assert office.queued() == [("a", "sweep"), ("b", "sweep"), ("c", "sweep")]
    assert (office.log.status, office.log.users) == ("finished", 2)
    assert office.log.changed == {"failed": 1, "new": 2}


def test_running_sweep_continues(caplog: pytest.LogCaptureFixture):
    """A start is skipped and logged while a sweep is running, quiet for 15 minutes at most."""
    office = Sweeping(result())
    office.start()
    office.now += QUIET
    first = office.log
    with caplog.at_level(logging.INFO, "photosync"):
        office.sweep.start()

    assert office.log == first
    assert office.orders() == []
    assert caplog.messages == [f"sweep.skipped running={first.id} page=1"]


@pytest.mark.parametrize(("written", "earlier"), [(True, False), (False, False), (False, True)])
def test_start_without_an_answer(monkeypatch: pytest.MonkeyPatch, written: bool, earlier: bool):
    """If storage wrote the start but did not answer, the sweep goes on; else the start fails."""
    office = Sweeping(result())
    if earlier:
        office.run()
    begin = office.logs.begin

    def unanswered(*start: Any) -> None:
        if written:
            begin(*start)
        raise ServiceDown("No answer.")

    monkeypatch.setattr(office.logs, "begin", unanswered)
    with nullcontext() if written else pytest.raises(ServiceDown):
        office.sweep.start()

    assert office.orders() == ([("sweep-page", 1)] if written else [])


def test_first_page_that_was_not_queued_is_queued_by_the_next_attempt():
    """Until a page is processed, the next attempt of the order queues the first one again."""
    office = Sweeping(result())
    first = office.start()

    assert (office.sweep.start(again=True), office.orders()) == (first, [("sweep-page", 1)])
    office.sweep.make_up_for(office.now, again=True)
    assert office.orders() == [("sweep-page", 1)]

    office.now += timedelta(seconds=1)
    office.process(1)
    office.orders()
    office.sweep.start(again=True)
    office.sweep.make_up_for(office.now - timedelta(seconds=1), again=True)
    assert office.orders() == []


@pytest.mark.parametrize("in_the_future", [False, True])
def test_lost_page_is_queued_again(in_the_future: bool, caplog: pytest.LogCaptureFixture):
    """A sweep without progress for so long, or at an impossible time, has lost its message."""
    office = Sweeping(result(), result())
    office.start()
    if in_the_future:
        office.edit(updated_at=FAR_FUTURE)
    else:
        office.now += QUIET + SECOND
    assert office.sweep.start() == office.log.id
    assert office.orders() == [("sweep-page", 1)]
    assert office.log.stalls == 1
    assert caplog.messages == [f"sweep.revived id={office.log.id} page=1"]

    office.process(1)
    assert office.orders() == [("sweep-page", 2)]
    assert (office.log.stalls, office.log.updated_at) == (0, office.now.isoformat())


def test_page_lost_too_often_ends_the_sweep():
    """A page that was queued again three times fails its sweep, and a new one begins."""
    office = Sweeping(result())
    first = office.start()
    for lost in (1, 2, 3, 4):
        office.now += QUIET + MINUTE
        office.sweep.start()
        assert (office.log.id == first) is (lost < 4)
    found = office.logs.read(first)

    assert found
    assert (found[0].status, found[0].detail) == ("failed", "Page 1 was lost 3 times.")
    assert office.log.previous == first


def test_deleted_log_is_not_revived():
    """A sweep whose blob was deleted cannot continue."""
    office = Sweeping(result())
    office.sweep.start()
    running = office.log
    # Storage in memory deletes nothing.
    office.logs.read = lambda sweep_id: None  # type: ignore[method-assign]
    assert office.sweep._revived(running) is False


@pytest.mark.parametrize("age", [timedelta(), timedelta(minutes=6)])
def test_duplicate_of_a_page_waits(age: timedelta):
    """A duplicate waits as long as a run may take: the next stretch may be in progress."""
    office = Sweeping(result(), result(), result())
    office.start(pages=1)
    office.now += age
    with pytest.raises(Conflict) as caught:
        office.process(1)
    assert (caught.value.retry_after, office.orders()) == (360, [])
    why = "The run that finished page 1 may still be queueing the next one."
    assert str(caught.value) == why

    office.process(2)
    office.orders()
    office.now += 5 * MINUTE
    office.process(1)
    assert office.orders() == []


@pytest.mark.parametrize(("page", "following"), [(1, ("sweep-page", 2)), (2, ("removals", 0))])
def test_death_before_the_next_message_was_queued(page: int, following: tuple[str, int]):
    """A run that died after its write is noticed by the silence: the next message is queued."""
    office = Sweeping(result(gone=["a"]))
    office.start(pages=page)
    office.now += 6 * MINUTE + SECOND
    office.process(page)

    assert office.orders() == [following]


def test_two_runs_over_one_page(caplog: pytest.LogCaptureFixture):
    """Of two runs over one page, the first to write goes on, and its list of removals counts."""
    office = Sweeping(result(gone=["a"]), result())
    office.start()

    def other() -> None:
        office.meanwhile = lambda: None
        office.results[0] = result(gone=["b"])
        office.process(1)
        office.results[0] = result(gone=["c"])

    office.meanwhile = other
    with caplog.at_level(logging.INFO, "photosync"):
        office.process(1)
    assert caplog.messages == [f"sweep.duplicate id={office.log.id} page=1"]
    assert (office.orders(), office.log.users) == ([("sweep-page", 2)], 1)
    office.run_on()
    office.remove()

    assert office.queued() == [("b", "removal")]


@pytest.mark.parametrize("ended", ["failed", "finished"])
def test_page_of_an_ended_sweep(ended: str, caplog: pytest.LogCaptureFixture):
    """A message of an ended or unknown sweep does nothing."""
    office = Sweeping(result(queue=[("a", "new")]))
    office.start()
    office.edit(status=ended)
    with caplog.at_level(logging.INFO, "photosync"):
        # The page before is delivered again.
        office.process(0)
        office.process(1)
        office.process(3)
        office.sweep.process("unknown", 1)

    assert office.queued() == []
    assert office.orders() == []
    strays = [f"sweep.stray id={office.log.id} page=3", "sweep.stray id=unknown page=1"]
    assert caplog.messages == strays


def test_failed_sweep_records_why(caplog: pytest.LogCaptureFixture):
    """The first reason for a failed sweep is stored; an ended sweep is not changed."""
    office = Sweeping(result())
    office.start()
    office.sweep.fail(office.log.id, "No role.")
    office.sweep.fail(office.log.id, "Another.")
    office.sweep.fail("unknown", "Another.")

    assert (office.log.status, office.log.detail) == ("failed", "No role.")
    assert office.log.finished_at == office.now.isoformat()
    assert caplog.messages == [f'sweep.failed id={office.log.id} why="No role."']


class Circling(Sweeping):
    """A sweep whose list of users has these *links* from page to page; `asked` counts pages."""

    def __init__(self, links: Mapping[str, str]) -> None:
        super().__init__(result(gone=["a"]))
        self.links = links
        self.asked = 0

    def page(self, path: str = "") -> UserPage:
        self.asked += 1
        self._number = 0
        return UserPage([], self.links.get(path, ""))


@pytest.mark.parametrize("before", [0, 1, 5])
@pytest.mark.parametrize("length", [1, 2, 7])
def test_circular_list_ends_the_sweep(before: int, length: int):
    """A page that links to itself or far back is noticed, and nothing is removed."""
    last = before + length
    row = {str(n): str(n + 1) for n in range(1, last)}
    office = Circling({"": "1", **row, str(last): str(before + 1)})
    office.start()
    with pytest.raises(Refused, match="never end"):
        office.run_on()

    assert office.log.removals == "none"
    assert office.asked <= 4 * (last + 1)


def test_last_page_of_a_circle_is_processed():
    """Users on the page that links back are queued before the sweep fails."""
    office = Sweeping(result(queue=[("a", "new")]), result(queue=[("b", "new")]))
    office.page = lambda path="": replace(Sweeping.page(office, path), next="1")  # type: ignore[method-assign]
    office.start(pages=1)
    with pytest.raises(EndlessList):
        office.process(2)

    assert office.queued() == [("a", "sweep"), ("b", "sweep")]


@pytest.mark.parametrize(("page", "status"), [(9_999, "running"), (10_000, "failed")])
def test_too_many_pages_end_the_sweep(page: int, status: str):
    """A list of 10,000 pages, each with a new link, is longer than any tenant's."""
    office = Circling({"a": "b"})
    office.start()
    office.edit(page=page, links=page - 1, next="a")
    try:
        office.process(page)
    except EndlessList as error:
        office.sweep.fail(office.log.id, str(error))

    assert (office.log.status, office.log.removals) == (status, "none")


def test_unreadable_user_of_a_page_is_logged(caplog: pytest.LogCaptureFixture):
    """An entry that cannot be read is logged without an address; the sweep goes on."""
    office = Sweeping(result(queue=[("a", "new")]))
    office.page = lambda path="": UserPage(  # type: ignore[method-assign]
        [], "", ["A user has no object id: id is null, userPrincipalName is 'bert@contoso.com'."]
    )
    office._number = 0
    office.run()

    assert (office.log.status, office.queued()) == ("finished", [("a", "sweep")])
    [line] = caplog.messages
    assert line.startswith(f'sweep.user_set_aside id={office.log.id} page=1 why="A user has no ')
    assert line.endswith('"')
    assert "bert@" not in line


def test_missed_changes_begin_one_sweep(caplog: pytest.LogCaptureFixture):
    """One sweep that began after the missed changes makes up for all of them."""
    office = Sweeping(result())
    missed = office.now - MINUTE
    for _ in range(3):
        office.sweep.make_up_for(missed)
    assert office.orders() == [("sweep-page", 1)]
    first = office.log.id
    office.process(1)
    with caplog.at_level(logging.INFO, "photosync"):
        office.sweep.make_up_for(missed)

    assert office.log.id == first
    assert caplog.messages == [f"sweep.covered by={first}"]


@pytest.mark.parametrize("failed", [False, True])
def test_changes_missed_after_the_newest_sweep_began(failed: bool):
    """They wait until the sweep is ten minutes old; a failed one never makes up for anything."""
    office = Sweeping(result())
    first = office.start()
    office.run_on()
    office.edit(status="failed" if failed else "finished")
    office.now += timedelta() if failed else MINUTE
    missed = office.now
    with pytest.raises(Conflict, match=r"^A sweep began a moment ago\.$") as caught:
        office.sweep.make_up_for(missed)
    assert (office.log.id, caught.value.retry_after) == (first, 600 if failed else 540)
    office.now += timedelta(seconds=caught.value.retry_after or 0)
    office.sweep.make_up_for(missed)

    assert office.log.id != first


def test_sweep_that_began_in_the_future():
    """Such a sweep makes up for nothing, and a new one does not wait for it."""
    office = Sweeping(result())
    office.start()
    office.edit(status="finished", started_at=FAR_FUTURE)
    office.sweep.make_up_for(office.now)

    assert office.log.status == "running"
