"""`doctor` and `renew`."""

from __future__ import annotations

from tests.admin.command_result import assert_printed
from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import ConsoleDouble


def test_doctor(manage: Manage, console: ConsoleDouble):
    """Each check is shown with what to do; a failed one is code 1; one that did not run is not."""
    good = {"name": "settings", "ok": True, "detail": "All are set.", "action": ""}
    bad = {"name": "token", "ok": False, "detail": "A role is missing.", "action": "Grant it."}
    skipped = {**bad, "name": "users", "looked": False}
    console.answers(
        "doctor",
        {"ok": False, "checks": [good, bad]},
        {"ok": False, "checks": [good, {**bad, "looked": True}, skipped, skipped]},
        {"ok": True, "checks": [good]},
    )
    words = ("All are set.", "A role is missing.", "Grant it.", "1 of 2 checks failed.")
    assert_printed(manage("doctor"), 1, *words)
    some_skipped = manage("doctor")
    assert_printed(some_skipped, 1, "1 of 4 checks failed, 2 not checked.")
    assert some_skipped.out.count("  not checked  ") == 2
    assert manage("doctor").code == 0


def test_renew(manage: Manage, console: ConsoleDouble):
    """`renew` is one POST of an order for the subscription, and not of a sweep."""
    result = manage("renew")

    assert (result.code, console.asked[-1].body) == (0, {"renew": True})
    assert "manage.py doctor" in result.out
    assert manage("renew", "--json").document == {"queued": True}
