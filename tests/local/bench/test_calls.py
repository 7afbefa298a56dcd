"""What each case costs in calls is exact: counted in a small tenant as `make bench` counts it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from local.bench.calls.calls import KINDS, Case, Unexpected, cases, rows_of
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
        "changed photo of a known user": "3 Graph + 3 upload + 2 profile + 3 blob",
        "first photo of a user": "3 Graph + 3 upload + 2 profile + 4 blob",
        # The profile is read in parallel with the photo, before the photo is known to be the same.
        "the same picture uploaded again": "3 Graph + 1 profile + 3 blob",
        # What a person orders, or types into a queue, is signed: its beginning and its end.
        "replay of a user who is right": "3 Graph + 3 other file + 1 profile + 3 blob"
        " + 2 order line",
        "replay with force": "3 Graph + 3 upload + 2 profile + 3 blob + 2 order line",
        # One of the blob calls is the sweep's, which finds that the photo is gone.
        "removal, both looks": "5 Graph + 3 other file + 2 profile + 7 blob",
        # One of the blob calls says that this run is at work.
        "subscription renewal": "2 Graph + 3 blob + 2 order line",
        # A page and two batches, and two of users checked by id; a state per user, a page of all of
        # them, and the sweep's own documents. Before it begins, the lengths of the four queues are
        # logged.
        "sweep of 30 users, 0 changed": "5 Graph + 13 blob + 2 queue + 4 queue length"
        " + 2 order line",
        # Besides, for each who changed, a message and what a changed photo costs.
        "sweep of 30 users, 3 changed": "14 Graph + 9 upload + 6 profile + 25 blob + 5 queue"
        " + 4 queue length + 2 order line",
        # No byte of a picture, and nothing of Graph. The list, the log and its pointer besides.
        "audit of 29 pictures, none damaged": "87 other file + 29 profile + 37 blob + 1 queue"
        " + 2 order line",
    }.items(),
)
def test_calls_of_a_case(found: dict[str, Case], what: str, calls: str):
    """The case costs just these calls, at the simulator and at Azurite."""
    assert str(found[what]) == calls


def test_goals_are_met(found: dict[str, Case]):
    """Every case is asserted above, no kind of call exceeds its goal, and none is unknown."""
    with_goals = [case for case in found.values() if case.goals]

    assert (len(found), len(with_goals)) == (11, 7)
    assert [row.what for row in rows_of(list(found.values())) if row.met is False] == []
    assert {case.goals["unknown"] for case in with_goals} == {0}


@pytest.mark.parametrize(
    ("what", "allowed"),
    {
        "notification about something else": {"Graph": 1, "blob": 1},
        "changed photo of a known user": {"Graph": 3, "upload": 3, "profile": 2, "blob": 3},
        "first photo of a user": {"Graph": 3, "upload": 3, "profile": 2, "blob": 4},
    }.items(),
)
def test_goals_of_a_message(found: dict[str, Case], what: str, allowed: dict[str, int]):
    """The goals are performance.md's numbers, and 0 for any other kind."""
    assert found[what].goals == {**dict.fromkeys(KINDS, 0), **allowed}


def test_goal_of_a_sweep():
    """The goal follows from Graph's largest pages and batches, even if ours are smaller."""
    assert [fewest_graph_calls(users) for users in (30, 999, 100_000)] == [5, 56, 5_156]


def test_rows_of_cases():
    """With goals each kind has a row, the host's without a goal; without goals there is one row."""
    calls = Counter({"Graph": 1, "blob": 2, "host": 2, "polls": 9, "budget": 4})
    one = Case("one", {"Graph": 3, "upload": 3, "blob": 1, "queue": 0}, calls, remark="why")
    audit = Case("an audit", {"Graph": 0, "profile": 1}, Counter(profile=1, blob=2))
    other = Case("other", calls=Counter({"blob": 2, "queue": 1, "unknown": 3, "host": 2}))
    evidence = [(row.what, row.figure, row.goal, row.met) for row in rows_of([one, audit, other])]

    assert evidence == [
        ("one: Graph", 1, 3, True),
        ("one: upload", 0, 3, True),
        ("one: blob", 2, 1, False),
        ("one: host", 2, None, None),
        ("an audit: profile", 1, 1, True),
        ("an audit: blob", 2, None, None),
        ("other", 6, None, None),
        ("all cases: calls of the budget", 4, None, None),
        ("all cases: calls of unknown kinds", 3, 0, False),
    ]
    notes = [row.note for row in rows_of([one, other])]
    assert (notes[2], notes[4]) == ("why", "2 blob + 1 queue + 3 unknown")


@pytest.mark.parametrize("kind", ["Graph", "blob"])
def test_uncounted_calls_are_an_error(kind: str):
    """A case with goals calls Graph and reads a state; otherwise nothing was counted."""
    case = Case("a case", {"Graph": 3, "blob": 3}, Counter({kind: 1}))

    with pytest.raises(Unexpected, match="a case: no call to Graph or no blob call was counted"):
        rows_of([case])
