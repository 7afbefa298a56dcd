"""Stretches of pages: Graph is asked before any state is listed, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import EndlessList, PhotoSyncError, Refused, ServiceDown, Throttled
from shared.storage.roster_entry import Leaf
from shared.storage.user_state import Claim
from shared.sweeping import state_page, stretch, sweep_rules
from tests.doubles.office import failing
from tests.shared.sweeping.sweeping_alone import Sweeping, result
from tests.shared.sweeping.swept_town import Town, copied

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
# The fields of a log that a version without snapshots wrote.
OLD_FIELDS = (
    "id startedAt updatedAt status detail page next users inScope failed changed managed gone "
    "removals left forgetting asked askedTo stalls previous expectedUsers finishedAt mark pages eta"
).split()


def began(town: Town, *, runs: int = 0) -> Town:
    """Begin a sweep of *town*, and process so many stretches."""
    sweep = town.instance()
    sweep.start()
    for _ in range(runs):
        sweep.process(town.log.id, town.log.page)
    return town


def once(town: Town, act: Callable[[], object]) -> Callable[[], None]:
    """Set as `meanwhile`: *act* the first time that Graph is asked for photos."""

    def meanwhile() -> None:
        town.meanwhile = lambda: None
        act()

    return meanwhile


@pytest.mark.parametrize(
    ("pages_a_run", "first"), [(40, (2, 5, 9)), (2, (2, 2, 4))], ids=["all", "two"]
)
def test_pages_share_one_write(pages_a_run: int, first: tuple[int, int, int]):
    """A run lists a number of pages and writes the log once; the next continues behind them."""
    town = began(Town(9, pages_a_run=pages_a_run), runs=1)

    assert (town.log.page, town.log.links, town.log.users) == first
    assert len(town.log.parts) == len(town.parts()) == 1
    town.run(town.instance())
    assert (town.log.status, town.queued(), town.parts()) == ("finished", [], [])
    assert (town.log.users, town.log.managed) == (9, 9)


def test_run_ends_after_a_time():
    """If Graph is slow, a run does fewer pages, so that the log shows progress in time."""
    town = Town(9)

    def slow() -> None:
        town.now += stretch.LONGEST_RUN / 2

    town.meanwhile = slow
    began(town, runs=1)

    assert (town.log.links, town.log.status) == (2, "running")


def test_run_ends_after_a_number_of_users(monkeypatch: pytest.MonkeyPatch):
    """A run that has queued many users writes the log before it queues more."""
    monkeypatch.setattr(stretch, "SENT_A_RUN", 2)
    office = Sweeping(*[result(queue=[(str(n), "new")]) for n in range(5)], pages_a_run=40)
    office.start(pages=1)

    assert office.log.users == 2


def test_users_without_a_state_are_compared_in_portions(monkeypatch: pytest.MonkeyPatch):
    """In a first sweep no run queues everyone at once, and no user is queued twice."""
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


def test_change_and_change_back_after_graph_was_asked():
    """A state that the worker wrote in between differs from the snapshot: the user is checked."""
    town = began(Town(4), runs=1)
    # Graph said A. The worker copies B; no notification reports the change back to A.
    town.copy(town.people[2], "B")
    town.run(town.instance())

    assert town.queued() == [town.people[2].id]


def test_copy_while_graph_is_asked():
    """States are listed after Graph was asked: a copy that ends in between is seen."""
    town = Town(4)
    town.meanwhile = once(town, lambda: town.copy(town.people[0], "B"))
    began(town).run(town.instance())

    assert town.queued() == [town.people[0].id]


@pytest.mark.parametrize("left", [0.0, 60.0])
def test_claim_since_the_snapshot(left: float):
    """For a user claimed since, the state itself says whether the run is still working."""
    town = began(Town(2), runs=1)
    user = town.people[0]
    read = town.states.read(user.id)
    assert read
    claim = Claim("run", left or 0.001, left)
    town.states.replace(replace(copied(user, "A"), claim=claim), version=read.version)
    if not left:
        text, version, _ = town.blobs.texts[user.id]
        town.blobs.texts[user.id] = text, version, -HOUR.total_seconds()
    town.run(town.instance())

    assert town.queued() == ([] if left else [user.id])


def test_two_runs_over_one_stretch():
    """Each stores its findings under another name, and the log says which of them count."""
    town = Town(4)
    other = town.instance()

    def work() -> None:
        town.photos[town.people[3].id] = "B"
        other.process(town.log.id, 1)
        town.photos[town.people[3].id] = "A"

    town.meanwhile = once(town, work)
    began(town, runs=1)
    first = town.log

    assert (first.page, first.users, len(first.parts)) == (2, 4, 1)
    # The slower run asked about the page before the photo changed.
    assert len(town.parts()) == 2
    town.run(town.instance())
    assert town.queued() == [town.people[3].id]


def test_stretch_of_a_dead_run_is_repeated():
    """A run that dies before it writes the log leaves nothing that counts."""
    town = began(Town(4))
    town.meanwhile = once(town, failing(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        town.instance().process(town.log.id, 1)
    town.run(town.instance())

    assert (town.log.users, town.log.managed, town.queued()) == (4, 4, [])


def test_error_after_some_pages():
    """A run saves the pages listed before an error; the next run raises it, and stays there."""
    town = Town(8)
    town.errors["4"] = ServiceDown("Broken.")
    began(town, runs=1)
    assert (town.log.users, town.log.page) == (4, 2)

    with pytest.raises(ServiceDown):
        town.instance().process(town.log.id, 2)
    assert town.log.page == 2


@pytest.mark.parametrize("error", [Refused("Odd."), EndlessList("Never.")])
def test_list_that_cannot_be_followed(error: PhotoSyncError, caplog: pytest.LogCaptureFixture):
    """Users listed before are compared; then the sweep fails, and says why."""
    town = Town(8)
    town.photos[town.people[1].id] = "B"
    town.errors["4"] = error
    began(town).run(town.instance())

    assert town.queued() == [town.people[1].id]
    assert (town.log.status, town.log.detail) == ("failed", str(error))
    assert town.log.page == 3, "one run for the users, one for the states"
    assert f'sweep.failed id={town.log.id} why="{error}"' in caplog.messages


def test_states_after_an_endless_list(monkeypatch: pytest.MonkeyPatch):
    """Pages of states have a limit of their own, apart from the pages of Graph's list."""
    monkeypatch.setattr(sweep_rules, "MOST_PAGES", 3)
    monkeypatch.setattr(state_page, "STATES_A_PAGE", 3)
    town = Town(8)
    town.photos[town.people[5].id] = "B"
    began(town).run(town.instance())

    assert town.queued() == [town.people[5].id]
    assert "does not end" in town.log.detail


def test_page_without_an_answer_for_an_hour():
    """The sweep goes on with the users listed before it; without any, it keeps waiting."""
    town = Town(8)
    town.photos[town.people[1].id] = "B"
    town.errors["4"] = Throttled("Busy.")
    began(town, runs=1)
    town.now += HOUR
    with pytest.raises(Throttled):
        town.instance().process(town.log.id, 2)
    town.now += SECOND
    town.run(town.instance())
    assert (town.log.status, town.queued()) == ("failed", [town.people[1].id])

    alone = Town(8)
    alone.errors[""] = Throttled("Busy.")
    began(alone)
    alone.now += HOUR + SECOND
    with pytest.raises(Throttled):
        alone.instance().process(alone.log.id, 1)


def test_error_among_states(monkeypatch: pytest.MonkeyPatch):
    """A run saves the states compared before an error; no user is queued twice."""
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
    town.instance().process(town.log.id, 2)
    assert (town.log.page, town.log.listed_to) == (3, town.people[1].id)
    with pytest.raises(ServiceDown):
        town.instance().process(town.log.id, 3)
    town.states.leaf = sound  # type: ignore[method-assign]
    town.run(town.instance())

    assert town.queued() == [user.id for user in town.people]


def test_deleted_part_ends_the_sweep():
    """Without Graph's answers no user is compared: the sweep is given up."""
    town = began(Town(4), runs=1)
    [name] = town.parts()
    town.documents.drop_part(name)
    with pytest.raises(Refused, match="deleted or changed"):
        town.instance().process(town.log.id, 2)


def test_ended_sweep_deletes_its_parts(caplog: pytest.LogCaptureFixture):
    """A failed sweep does too; a sweep ends although storage cannot delete them."""
    town = began(Town(4), runs=1)
    town.instance().fail(town.log.id, "No role.")
    assert town.parts() == []

    town = began(Town(4), runs=1)
    town.documents.drop_part = lambda name: failing(ServiceDown("Down."))()  # type: ignore[method-assign]
    town.run(town.instance())
    assert town.log.status == "finished"
    assert f'sweep.parts_left id={town.log.id} why="Down."' in caplog.messages


def test_sweep_of_an_older_version_continues():
    """Its users were compared page by page; the remaining users are compared with the states."""
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
