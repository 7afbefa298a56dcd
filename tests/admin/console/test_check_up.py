"""`doctor` and `renew`."""

from __future__ import annotations

from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import ConsoleDouble
from tests.admin.said import assert_told


def test_doctor(manage: Manage, console: ConsoleDouble):
    """Each check is shown with what to do; a failed one is code 1."""
    checks = [
        {"name": "settings", "ok": True, "detail": "All are set.", "action": ""},
        {"name": "token", "ok": False, "detail": "A role is missing.", "action": "Grant it."},
    ]
    console.routes["GET", "doctor"] = (200, {"ok": False, "checks": checks})
    assert_told(
        manage("doctor"), 1, "All are set.", "A role is missing.", "Grant it.", "1 of 2 checks"
    )
    console.routes["GET", "doctor"] = (200, {"ok": True, "checks": checks[:1]})
    assert manage("doctor").code == 0


def test_checks_that_could_not_be_made(manage: Manage, console: ConsoleDouble):
    """A check that another one prevented does not count as failed."""
    good = {"ok": True, "looked": True, "detail": "Good.", "action": ""}
    wrong = {"ok": False, "looked": True, "detail": "Bad.", "action": "Mend it."}
    unseen = {"ok": False, "looked": False, "detail": "Not looked at.", "action": "Mend first."}
    checks = [{"name": f"check {n}", **one} for n, one in enumerate((good, wrong, unseen, unseen))]
    console.routes["GET", "doctor"] = (200, {"ok": False, "checks": checks})
    said = manage("doctor")

    assert said.code == 1
    assert "1 of 4 checks failed, 2 not checked." in said.out
    assert said.out.count("  not checked  ") == 2


def test_renew(manage: Manage, console: ConsoleDouble):
    """`renew` is one POST of an order for the subscription, and not of a sweep."""
    said = manage("renew")

    assert (said.code, console.asked[-1].body) == (0, {"renew": True})
    assert "manage.py doctor" in said.out
    assert manage("renew", "--json").document == {"queued": True}
