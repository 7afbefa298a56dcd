"""Stretches of pages: the source before the state, whatever happens between, before and after."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import EndlessList, PhotoSyncError, Refused, ServiceDown, Throttled
from shared.storage.roster_entry import Leaf
from shared.storage.user_state import Claim
from shared.sweeping import state_page, stretch, sweep_rules
from tests.shared.sweeping.sweeping_alone import MINUTE, Sweeping, result
from tests.shared.sweeping.swept_town import Town, copied

LONG = timedelta(hours=2)


def began(town: Town, *, runs: int = 0) -> Town:
    """A sweep of *town* that has had so many runs."""
    sweep = town.instance()
    sweep.start()
    for _ in range(runs):
        sweep.work_off(town.log.id, town.log.page)
    return town


def test_pages_share_one_write():
    """A run lists many pages and writes the log once; the next one lists states."""
    town = began(Town(9), runs=1)

    assert (town.log.page, town.log.links, town.log.users) == (2, 5, 9)
    assert len(town.log.parts) == len(town.parts()) == 1
    town.run(town.instance())
    assert (town.log.status, town.queued(), town.parts()) == ("finished", [], [])


def test_run_ends_after_so_many_pages():
    """What a death does again is bounded, and the next run goes on behind it."""
    town = began(Town(9, pages_a_run=2), runs=2)

    assert (town.log.page, town.log.links, town.log.users) == (3, 4, 8)
    town.run(town.instance())
    assert (town.log.users, town.log.managed) == (9, 9)


def test_run_ends_after_so_much_time():
    """Where Graph is slow a run does fewer pages: a sweep at work is not quiet for long."""
    town = Town(9)

    def slow() -> None:
        town.now += stretch.LONGEST_RUN / 2

    town.meanwhile = slow
    began(town, runs=1)

    assert (town.log.links, town.log.status) == (2, "running")


def test_run_ends_after_so_many_people(monkeypatch: pytest.MonkeyPatch):
    """Whom a run has queued it writes down before it queues many more."""
    monkeypatch.setattr(stretch, "SENT_A_RUN", 2)
    office = Sweeping(*[result(queue=[(str(n), "new")]) for n in range(5)], pages_a_run=40)
    office.sweep.start()
    office.sweep.work_off(office.log.id, 1)

    assert office.log.users == 2


def test_many_without_a_state_are_judged_some_at_a_time(monkeypatch: pytest.MonkeyPatch):
    """Of a first sweep no run queues everybody at once, and nobody is queued twice."""
    monkeypatch.setattr(state_page, "JUDGED_AT_ONCE", 3)
    monkeypatch.setattr(stretch, "SENT_A_RUN", 3)
    town = Town(8)
    for user in town.people:
        town.blobs.texts.pop(user.id)
    began(town, runs=2)
    assert len(town.queued()) == 3
    town.run(town.instance())

    assert town.queued() == [user.id for user in town.people]
    assert town.log.changed == {"new": 8}


def test_snapshot_is_stale_and_nobody_is_judged_wrongly():
    """A photo changed and put back while a sweep is at work: the state copied between is found."""
    town = began(Town(4), runs=1)
    # Graph has said A. The worker copies B, and of the way back to A nobody is told.
    town.copy(town.people[2], "B")
    town.run(town.instance())

    assert town.queued() == [town.people[2].id]


def test_source_is_asked_before_any_state_is_listed():
    """A copy that ends while Graph is asked is seen: what it was before passes for nothing."""
    town = Town(4)

    def copy() -> None:
        town.meanwhile = lambda: None
        town.copy(town.people[0], "B")

    town.meanwhile = copy
    began(town).run(town.instance())

    assert town.queued() == [town.people[0].id]


def test_photo_that_changes_after_the_look_is_the_workers():
    """Who was copied since is not what the snapshot says: the worker looks, and finds it right."""
    town = began(Town(4), runs=1)
    town.photos[town.people[1].id] = "B"
    town.copy(town.people[1], "B")
    town.run(town.instance())

    assert town.queued() == [town.people[1].id]


@pytest.mark.parametrize("left", [0.0, 60.0])
def test_claim_since_the_snapshot(left: float):
    """Of whom a run has claimed since, the state itself tells whether that run is alive."""
    town = began(Town(2), runs=1)
    user = town.people[0]
    read = town.states.read(user.id)
    assert read
    claim = Claim("run", left or 0.001, left)
    town.states.replace(replace(copied(user, "A"), claim=claim), version=read.version)
    if not left:
        text, version, _ = town.blobs.texts[user.id]
        town.blobs.texts[user.id] = text, version, -LONG.total_seconds()
    town.run(town.instance())

    assert town.queued() == ([] if left else [user.id])


def test_user_who_was_forgotten_since_the_snapshot():
    """Whose state is gone by now is new: the worker looks whether there is a photo."""
    town = began(Town(2), runs=1)
    town.blobs.texts.pop(town.people[1].id)
    town.run(town.instance())

    assert town.queued() == [town.people[1].id]


def test_two_runs_over_one_stretch():
    """Each keeps what it has found under a name of its own, and the log says which counts."""
    town = Town(4)
    other = town.instance()

    def work() -> None:
        town.meanwhile = lambda: None
        town.photos[town.people[3].id] = "B"
        other.work_off(town.log.id, 1)
        town.photos[town.people[3].id] = "A"

    town.meanwhile = work
    began(town, runs=1)
    first = town.log

    assert (first.page, first.users, len(first.parts)) == (2, 4, 1)
    # The page of the slower run was asked about before the photo changed.
    assert len(town.parts()) == 2
    town.run(town.instance())
    assert town.queued() == [town.people[3].id]


def test_two_runs_over_the_same_leavers():
    """A list that a slower run writes is not the one that counts."""
    office = Sweeping(result(gone=["a"]), result())
    office.sweep.start()

    def other() -> None:
        office.meanwhile = lambda: None
        office.results[0] = result(gone=["b"])
        office.sweep.work_off(office.log.id, 1)
        office.results[0] = result(gone=["c"])

    office.meanwhile = other
    office.work_off_pages()
    office.sweep.removals.queue(office.log.id)

    assert office.queued() == [("b", "removal")]


def test_run_that_dies_is_done_again():
    """Before the log is written a death leaves nothing that counts."""

    class Death(Exception):
        pass

    def die() -> None:
        raise Death

    town = began(Town(4))
    town.meanwhile = die
    with pytest.raises(Death):
        town.instance().work_off(town.log.id, 1)
    town.meanwhile = lambda: None
    town.run(town.instance())

    assert (town.log.users, town.log.managed, town.queued()) == (4, 4, [])


def test_error_behind_some_pages():
    """What a run has listed before an error is written down, and the next meets the error."""
    town = Town(8)
    town.errors["4"] = ServiceDown("Broken.")
    began(town, runs=1)
    assert (town.log.users, town.log.page) == (4, 2)

    with pytest.raises(ServiceDown):
        town.instance().work_off(town.log.id, 2)


@pytest.mark.parametrize("error", [Refused("Odd."), EndlessList("Never.")])
def test_list_that_leads_no_further(error: PhotoSyncError, caplog: pytest.LogCaptureFixture):
    """Whoever was listed before is served; the sweep has failed all the same, and says why."""
    town = Town(8)
    town.photos[town.people[1].id] = "B"
    town.errors["4"] = error
    began(town).run(town.instance())

    assert town.queued() == [town.people[1].id]
    assert (town.log.status, town.log.detail) == ("failed", str(error))
    assert f'sweep.failed id={town.log.id} why="{error}"' in caplog.text


def test_states_after_a_list_without_an_end(monkeypatch: pytest.MonkeyPatch):
    """However many pages Graph has named, the states have a count of their own."""
    monkeypatch.setattr(sweep_rules, "MOST_PAGES", 3)
    monkeypatch.setattr(state_page, "STATES_A_PAGE", 4)
    town = Town(8)
    town.photos[town.people[5].id] = "B"
    began(town).run(town.instance())

    assert town.queued() == [town.people[5].id]
    assert "does not end" in town.log.detail


def test_page_that_goes_unanswered_for_long():
    """Those before it do not wait for it longer than an hour; where nobody was listed all wait."""
    town = Town(8)
    town.photos[town.people[1].id] = "B"
    town.errors["4"] = Throttled("Busy.")
    began(town, runs=1)
    town.now += LONG
    town.run(town.instance())
    assert (town.log.status, town.queued()) == ("failed", [town.people[1].id])

    alone = Town(8)
    alone.errors[""] = Throttled("Busy.")
    began(alone)
    alone.now += LONG
    with pytest.raises(Throttled):
        alone.instance().work_off(alone.log.id, 1)


def test_error_among_states(monkeypatch: pytest.MonkeyPatch):
    """What was compared before an error is written down, and nobody is queued once more."""
    monkeypatch.setattr(state_page, "STATES_A_PAGE", 2)
    town = Town(4)
    for user in town.people:
        town.photos[user.id] = "B"
    began(town, runs=1)
    sound = town.states.leaf

    def fails(token: str, size: int) -> Leaf:
        if token:
            raise ServiceDown("Broken.")
        return sound(token, size)

    town.states.leaf = fails  # type: ignore[method-assign]
    town.instance().work_off(town.log.id, 2)
    assert (town.log.page, town.log.listed_to) == (3, town.people[1].id)
    with pytest.raises(ServiceDown):
        town.instance().work_off(town.log.id, 3)
    town.states.leaf = sound  # type: ignore[method-assign]
    town.run(town.instance())

    assert town.queued() == [user.id for user in town.people]


def test_part_that_was_deleted():
    """Without what Graph said nobody is judged: the sweep is given up, and the next lists anew."""
    town = began(Town(4), runs=1)
    [name] = town.parts()
    town.documents.drop_part(name)
    with pytest.raises(Refused, match="deleted or changed"):
        town.instance().work_off(town.log.id, 2)


def test_sweep_that_failed_leaves_no_parts(caplog: pytest.LogCaptureFixture):
    """Nor does storage that is away then keep anything from ending."""
    town = began(Town(4), runs=1)
    town.instance().fail(town.log.id, "No role.")
    assert town.parts() == []

    town = began(Town(4), runs=1)

    def away(name: str) -> None:
        raise ServiceDown("Storage is away.")

    town.documents.drop_part = away  # type: ignore[method-assign]
    town.run(town.instance())
    assert town.log.status == "finished"
    assert f"sweep.parts_left id={town.log.id}" in caplog.text


def test_sweep_of_an_older_version_goes_on():
    """Its users were compared page by page; those who are left are compared with the states."""
    town = began(Town(6))
    for user in (town.people[0], town.people[5]):
        town.photos[user.id] = "B"
    found = town.logs.read(town.log.id)
    assert found
    fields = {name: value for name, value in found[1].fields.items() if name in OLD_FIELDS}
    at = fields | {"page": 3, "next": "4", "users": 4, "managed": 4}
    town.documents.write(f"sweeps/{town.log.id}.json", at, after=found[1])
    town.run(town.instance())

    assert (town.log.status, town.log.users, town.log.managed) == ("finished", 6, 6)
    assert town.queued() == [town.people[5].id]


OLD_FIELDS = (
    "id startedAt updatedAt status detail page next users inScope failed changed managed gone "
    "removals left forgetting asked askedTo stalls previous expectedUsers finishedAt mark pages eta"
).split()


def test_photos_that_are_gone():
    """Two sweeps miss a photo, ten minutes apart: the second one has it removed."""
    town = Town(4)
    user = town.people[0]
    del town.photos[user.id]
    began(town).run(town.instance())
    assert town.queued() == [user.id]
    read = town.states.read(user.id)
    assert read
    missed = replace(read.state, status="no-photo", missing_since=town.now, source_etag="")
    town.states.replace(missed, version=read.version)
    town.users.messages.clear()
    town.now += 11 * MINUTE
    began(town).run(town.instance())
    assert (town.log.gone, town.log.removals) == (1, "due")
    town.instance().removals.queue(town.log.id)

    assert town.queued() == [user.id]
