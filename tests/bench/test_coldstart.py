"""Fresh processes: what an import loads, and the first handshake."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.bench import fresh_process, import_costs
from local.bench.coldstart import EMPTY, handshake_seconds
from local.bench.fresh_process import REPO, Failed

REPORT = """\
import time: self [us] | cumulative | imported package
import time:       104 |        104 |   _io
import time:      1200 |       1304 | site
a line of the program
"""


def test_report_of_imports_is_understood():
    """Each module has the microseconds that it took itself, without those it loads."""
    assert import_costs.parsed(REPORT) == {"_io": 104, "site": 1200}


def test_costs_are_of_what_is_loaded_beyond():
    """What the floor loads too is not counted."""
    found = import_costs.beyond("fractions", "decimal", environ={})

    assert "fractions" in found
    assert "decimal" not in found


@pytest.mark.parametrize("app", [REPO, EMPTY], ids=["ours", "empty"])
def test_handshake_is_answered(app: Path):
    """Both apps answer through the engine with the token; else there would be no figure."""
    assert handshake_seconds(app, {}) > 0


def test_app_that_does_not_answer_is_no_figure(tmp_path: Path):
    """An app that cannot be loaded is an error with its reason, not a fast start."""
    with pytest.raises(RuntimeError, match="function_app.py is missing"):
        handshake_seconds(tmp_path, {})


def test_failure_says_why():
    """A measurement that fails tells what its process said."""
    with pytest.raises(Failed, match="ZeroDivisionError"):
        fresh_process.run(["-c", "1 / 0"])
