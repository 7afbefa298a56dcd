"""What each case costs in calls is exact: counted in a small tenant as `make bench` counts it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.bench.calls.calls import rows_of
from local.bench.calls.cases import KINDS, Case, Unexpected, cases
from local.bench.measuring.conditions import SETTINGS
from local.bench.measuring.settled_tenant import SettledTenant
from local.bench.sweep.sweep import fewest_graph_calls
from local.cloud.stack import Stack
from local.soak.pictures import pictures


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Case]]:
    with Stack(tmp_path_factory.mktemp("calls"), settings=SETTINGS, log_storage=True) as stack:
        tenant = SettledTenant(stack, pictures(4))
        yield {case.what: case for case in cases(tenant, 30, 3, lambda text: None)}


@pytest.mark.parametrize(
    ("what", "calls"),
    {
        "notification about something else": "1 Graph + 1 blob",
        "changed photo of a known user": "2 Graph + 3 upload + 2 profile + 3 blob",
        "first photo of a user": "2 Graph + 3 upload + 2 profile + 4 blob",
        # The profile was read beside the photo, of which nobody knew yet that it is the same.
        "the same picture uploaded again": "2 Graph + 1 profile + 3 blob",
        # What a person orders, or types into a queue, is signed: its beginning and its end.
        "replay of a user who is right": "2 Graph + 3 other file + 1 profile + 3 blob"
        " + 2 order line",
        "replay with force": "2 Graph + 3 upload + 2 profile + 3 blob + 2 order line",
        # One of the blob calls is the sweep's, which finds that the photo is gone.
        "removal, both looks": "5 Graph + 3 other file + 2 profile + 7 blob",
        # One of the blob calls says that this run is at work.
        "subscription renewal": "2 Graph + 3 blob + 2 order line",
        # A page and two batches, and two of users asked for by their ids; a state a user, a page of
        # all of them, and the sweep's own documents. Before it begins, the log is told how many
        # messages each of the four queues has.
        "sweep of 30 users, 0 changed": "5 Graph + 13 blob + 2 queue + 4 queue length"
        " + 2 order line",
        # Besides, for each who changed, a message and what a changed photo costs.
        "sweep of 30 users, 3 changed": "11 Graph + 9 upload + 6 profile + 25 blob + 5 queue"
        " + 4 queue length + 2 order line",
        # No byte of a picture, and nothing of Graph. The list, the log and its pointer besides.
        "audit of 29 pictures, none damaged": "87 other file + 29 profile + 37 blob + 1 queue"
        " + 2 order line",
    }.items(),
)
def test_calls_of_a_case(found: dict[str, Case], what: str, calls: str):
    """The case costs just these calls, at the simulator and at Azurite."""
    assert str(found[what]) == calls


def test_no_case_is_left_out(found: dict[str, Case]):
    """Each of the cases that the bench counts is asserted here."""
    assert len(found) == 11


def test_goals_are_met(found: dict[str, Case]):
    """No kind of call is made more often than performance.md allows."""
    over = [(case.what, kind) for case in found.values() for kind in case.over]

    assert over == []
    assert sum(bool(case.goals) for case in found.values()) == 7


@pytest.mark.parametrize(
    ("what", "allowed"),
    {
        "notification about something else": {"Graph": 1, "blob": 1},
        "changed photo of a known user": {"Graph": 3, "upload": 3, "profile": 2, "blob": 3},
        "first photo of a user": {"Graph": 3, "upload": 3, "profile": 2, "blob": 4},
    }.items(),
)
def test_goals_of_a_message(found: dict[str, Case], what: str, allowed: dict[str, int]):
    """performance.md's numbers, and none of any other kind."""
    assert found[what].goals == {**dict.fromkeys(KINDS, 0), **allowed}


def test_no_goal_lets_the_unknown_pass(found: dict[str, Case]):
    """Wherever there are goals, no call may be of a kind that nobody is known for."""
    assert {case.goals["unknown"] for case in found.values() if case.goals} == {0}


def test_a_case_keeps_what_was_counted(found: dict[str, Case]):
    """Beside its figures a case has the lines of the journal and of storage's log."""
    told = found["changed photo of a known user"].told

    assert any("SetSingleValueProfileProperty" in line for line in told)
    assert any("/photo-sync-state/users/" in line for line in told)


def test_goal_of_a_sweep():
    """A sweep may cost what Graph's largest pages and batches cost, however small ours are."""
    assert [fewest_graph_calls(users) for users in (30, 999, 100_000)] == [5, 56, 5_156]


def test_rows_of_a_case_with_goals(tmp_path: Path):
    """Each kind that is asked, or may be, has a row with its goal; the host's have none."""
    calls = Counter({"Graph": 1, "blob": 2, "host": 2, "polls": 9, "bytes": 50})
    case = Case("a case", {"Graph": 3, "upload": 3, "blob": 2, "queue": 0}, calls)
    told = [(row.what, row.figure, row.goal, row.met) for row in rows_of([case], tmp_path)]

    assert told == [
        ("a case: Graph", 1, 3, True),
        ("a case: upload", 0, 3, True),
        ("a case: blob", 2, 2, True),
        ("a case: host", 2, None, None),
        ("all cases: calls of no known kind", 0, 0, True),
    ]


def test_rows_of_a_case_that_asks_no_graph(tmp_path: Path):
    """An audit looks into SharePoint alone."""
    case = Case("an audit", {"Graph": 0, "profile": 1}, Counter(profile=1, blob=2))
    assert rows_of([case], tmp_path)[0].what == "an audit: profile"


def test_rows_of_a_case_without_goals(tmp_path: Path):
    """One row has all that the app asked, whether anybody is known for it or not."""
    case = Case("a case", calls=Counter({"blob": 2, "queue": 1, "unknown": 3, "host": 2}))
    one, unknown = rows_of([case], tmp_path)

    assert (one.figure, one.goal, one.note) == (6, None, "2 blob + 1 queue + 3 unknown")
    assert (unknown.figure, unknown.met) == (3, False)


@pytest.mark.parametrize("kind", ["Graph", "blob"])
def test_a_ledger_that_counts_nothing_is_no_success(tmp_path: Path, kind: str):
    """A case with goals asks Graph and reads a state, or it was not counted."""
    case = Case("a case", {"Graph": 3, "blob": 3}, Counter({kind: 1}))

    with pytest.raises(Unexpected, match="a case: not a call .* was counted"):
        rows_of([case], tmp_path)


def test_what_is_over_its_goal_can_be_looked_at(tmp_path: Path):
    """The row of a kind that was called too often names a file with all that was counted."""
    case = Case("a case", {"Graph": 1, "blob": 1}, Counter(Graph=2, blob=1), told=["one", "two"])
    graph, blob, _ = rows_of([case], tmp_path)

    assert (graph.met, blob.note) == (False, "")
    assert Path(graph.note.removeprefix("counted: ")).read_text() == "one\ntwo\n"
