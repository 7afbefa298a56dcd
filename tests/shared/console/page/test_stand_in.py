"""The stand-in for the API answers with fields that the console has, and no others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.auditing.audit_log import AuditLog, AuditLogs
from shared.console.api import Console
from shared.doctor.examination import Check
from shared.signature import PERSON, Signature
from shared.storage.user_state import SYNCED, UserState
from tests.doubles.office import ANNE, NOON
from tests.shared.console.console_desk import ENTRY, Desk
from tests.shared.console.page.stand_in import Person, StandIn, given

# Their names are data.
MAPPINGS = {"counts", "queues", "changed", "profile", "groups", "subscription"}


def surplus(double: Any, real: Any) -> list[str]:
    """The fields of *double*, at any depth, that *real* does not have."""
    if isinstance(double, list) and isinstance(real, list) and double and real:
        return surplus(double[0], real[0])
    if not (isinstance(double, dict) and isinstance(real, dict)):
        return []
    within = (surplus(double[name], real.get(name)) for name in double.keys() - MAPPINGS)
    return sorted([*(double.keys() - real.keys()), *(name for found in within for name in found)])


@pytest.mark.parametrize(
    ("path", "ask"),
    [
        ("overview", lambda console: console.overview()),
        ("users?size=5", lambda console: console.users({})),
        ("users/anne@contoso.com", lambda console: console.user(ANNE.id)),
        (
            "users/anne@contoso.com?sides=none",
            lambda console: console.user(ANNE.id, {"sides": "none"}),
        ),
        ("history", lambda console: console.history({})),
    ],
)
def test_no_other_fields(path: str, ask: Callable[[Console], dict[str, Any]]):
    """A field that the page reads is one that the real console returns."""
    desk, at = Desk(), NOON.isoformat()
    desk.kept.entries = [ENTRY]
    desk.kept.states.put(UserState(ANNE.id, status=SYNCED, checked_at=NOON))
    desk.log_sweep()
    AuditLogs(desk.documents).begin(AuditLog("one", at, at), None)
    desk.order("replay", by=Signature(PERSON, "jo@contoso.com", "0b"))
    person = Person("Anne Keller", "anne@contoso.com", "failed")
    stand_in = StandIn([person], log=[given()])

    assert surplus(stand_in.answer("GET", f"/api/console/{path}", b""), ask(desk.console)) == []


def test_checks():
    """The health check has the real fields too; `looked` may be absent."""
    checks = StandIn([]).doctor["checks"]

    assert all(set(Check._fields) - {"looked"} <= check.keys() for check in checks)
    assert all(check.keys() <= set(Check._fields) for check in checks)
