"""The app's version; another version of manage.py says so once, and continues."""

from __future__ import annotations

import pytest

from shared.version import HEADER, VERSION
from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import ConsoleDouble
from tests.doubles.console_answers import overview


def test_version(manage: Manage):
    """--version needs no app."""
    assert manage("--version").out == f"PhotoSync {VERSION}\n"


@pytest.mark.parametrize(
    ("version", "says"),
    [
        (VERSION, ""),
        ("0.1.9", f"The app (0.1.9) is older than this manage.py ({VERSION})"),
        ("10.0.0", f"The app (10.0.0) is newer than this manage.py ({VERSION})"),
        ("", "does not send its version"),
        ("<b>1.0.0</b>", "does not send its version"),
    ],
)
def test_another_version(manage, console, failed, version, says):
    """It is one line on stderr, however many requests, and changes nothing else."""
    console.headers = {HEADER: version} if version else {}
    result = manage("failures", "--json")

    assert (result.code, len(result.document)) == (1, len(failed))
    assert len(console.asked) == 3
    assert len(result.err.splitlines()) == bool(says)
    assert says in result.err


def test_version_of_the_app(manage: Manage, console: ConsoleDouble):
    """Both show the app's version and, if known, when it was packed."""
    packed = {"version": "0.2.0", "packedAt": "2026-01-31T12:00:00+00:00"}
    console.routes["GET", "overview"] = (200, overview(**packed))
    console.routes["GET", "doctor"] = (200, {"ok": True, "checks": [], **packed, "packedAt": ""})

    assert "PhotoSync 0.2.0, packaged 2026-01-31 12:00:00Z" in manage("status").out
    assert manage("doctor").out.startswith("PhotoSync 0.2.0\n")
