"""Nothing is deployed under a licence that nobody has agreed to."""

from __future__ import annotations

import pytest

from tools import licences
from tools.pins import pins


def test_everything_deployed_is_agreed(capsys):
    """Each deployed package has a licence on the list; the command names it with its version."""
    assert licences.main() == 0
    shown = capsys.readouterr().out.partition("On an admin's")[0]

    lines = [line.split() for line in shown.splitlines()[1:] if line]
    assert {line[0]: line[1] for line in lines} == pins()
    assert ["pillow", pins()["pillow"], "MIT-CMU"] in lines


def test_a_licence_nobody_read_fails(capsys, monkeypatch):
    """One package under another licence, and the command fails and names it."""
    monkeypatch.setattr(licences, "AGREED", licences.AGREED - {"MIT-CMU"})

    assert licences.main() == 1
    assert "pillow (MIT-CMU)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "enough"),
    [
        ("MIT", True),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("Apache-2.0 AND MIT", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("unknown", False),
    ],
)
def test_of_several_licences(name, enough):
    """One of those to choose from is enough; of those that all hold, each has to be agreed."""
    assert licences.agreed(name) is enough
