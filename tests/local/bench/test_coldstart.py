"""Fresh processes: what an import loads, and the first answer to Graph."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from local.bench.measuring import fresh_process
from local.bench.measuring.fresh_process import REPO, Failed
from local.bench.webhook import import_costs
from local.bench.webhook.coldstart import EMPTY, answer_seconds, by_turns, first, imports
from local.bench.webhook.first_answer import SETTINGS

REPORT = """\
import time: self [us] | cumulative | imported package
import time:       104 |        104 |   _io
import time:      1200 |       1304 | site
a line of the program
"""


def test_report_of_imports_is_understood():
    """Each module has the microseconds that it took with those it loads."""
    assert import_costs.parsed(REPORT) == {"_io": 104, "site": 1304}


def test_costs_are_of_what_is_loaded_beyond():
    """What the floor loads too is not counted."""
    found = import_costs.beyond("statistics", "decimal", environ={})

    assert "fractions" in found
    assert not {"decimal", "statistics"} & found.keys()


@pytest.mark.parametrize(
    ("app", "items", "queued"),
    [(REPO, 0, 0), (EMPTY, 0, 0), (REPO, 3, 3), (EMPTY, 3, 0)],
    ids=["handshake", "handshake, empty", "POST", "POST, empty"],
)
def test_first_answer_is_right(app: Path, items: int, queued: int):
    """Both apps answer through the engine as Graph expects, and ours queues what it accepts."""
    assert answer_seconds(app, items, SETTINGS, queued=queued) > 0


def test_refused_notifications_are_no_figure():
    """A POST that the app accepts without believing it is an error, not a fast answer."""
    with pytest.raises(Failed, match="3 should be queued, and it says: answered, 0 queued"):
        answer_seconds(REPO, 3, {**SETTINGS, "CLIENT_STATE": ""}, queued=3)


def test_app_that_does_not_answer_is_no_figure(tmp_path: Path):
    """An app that cannot be loaded is an error with its reason, not a fast start."""
    with pytest.raises(Failed, match="function_app.py is missing"):
        answer_seconds(tmp_path, 0, SETTINGS, queued=0)


def test_failure_says_why():
    """A measurement that fails tells what its process said."""
    with pytest.raises(Failed, match="ZeroDivisionError"):
        fresh_process.run(["-c", "1 / 0"])


def test_ways_are_measured_by_turns():
    """No way has all the quiet moments; the first try of each, which compiles, does not count."""
    calls: list[str] = []

    def way(name: str) -> float:
        calls.append(name)
        return len(calls) / 1000

    took = by_turns({name: functools.partial(way, name) for name in "ab"}, 2)

    assert calls == ["a", "b"] * 3
    assert took == {"a": [3, 5], "b": [4, 6]}


def test_import_has_its_goal_against_the_floor():
    """The figure is our app's, the floor azure.functions', and the goal is a ratio of the two."""
    took = {"azure.functions": [99.0, 100.0, 200.0], "function_app": [105.0, 130.0, 140.0]}
    app, modules, uncompiled = imports({**took, "uncompiled": [150.0]}, {"shared": 2_000.0})

    assert (app.figure, app.floor, app.goal_ratio, app.met) == (130, 100, 1.2, False)
    assert modules.figure == 1
    assert modules.note == "the dearest, each with what it loads, in ms: shared 2.0"
    assert (uncompiled.figure, uncompiled.floor, uncompiled.goal_ratio) == (150, 100, None)


def test_first_answer_stands_beside_the_empty_app():
    """The figure is our app's, the floor the empty one's."""
    row = first("first POST", {"ours": [3.0, 5.0, 4.0], "empty": [2.0]})

    assert (row.figure, row.floor, row.low, row.high) == (4, 2, 3, 5)
