"""How many calls the tenant may make: as set, or by its size class."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.budget.tenant_limit import SMALLEST_CLASS, TenantLimit, calls_of_class
from shared.budget.work import Kind
from shared.errors import ServiceDown
from tests.shared.budget.fleet import AWAY, DOCUMENT, Fleet


class Asked:
    """Graph's number of licences; counts how often it was asked."""

    def __init__(self, number: int | None) -> None:
        self.number = number
        self.times = 0

    def __call__(self) -> int:
        self.times += 1
        if self.number is None:
            raise ServiceDown("Nobody answers.", service="graph")
        return self.number


@pytest.mark.parametrize(
    ("licences", "calls"),
    [
        (0, 3000),
        (1000, 3000),
        (1001, 6000),
        (5000, 6000),
        (15_000, 9000),
        (50_000, 12_000),
        (50_001, 15_000),
        (1_000_000, 15_000),
    ],
)
def test_classes(licences: int, calls: int):
    """The documented table, each class up to its number of licences."""
    assert calls_of_class(licences) == calls


def test_setting():
    """A number that a person has set is used without asking Graph."""
    licences = Asked(50_000)

    assert TenantLimit(120, licences, licences).of({"limit": 9}, 0.0) == (120, 0.0)
    assert licences.times == 0


@pytest.mark.parametrize(
    ("licences", "users", "calls"),
    [
        (lambda: 5001, 60_000, 9000),
        (lambda: None, 60_000, 15_000),
        (lambda: None, 0, SMALLEST_CLASS),
    ],
)
def test_size_class(licences: Callable[[], int | None], users: int, calls: int):
    """By licences, else by the users that a sweep has counted, else the smallest class."""
    assert TenantLimit(0, licences, lambda: users).of({}, 7.0) == (calls, 7.0)


def test_fleet_asks_once():
    """All instances use what one has found out, until it is old."""
    fleet, licences = Fleet(), Asked(5000)
    budgets = [fleet.instance(limit=TenantLimit(0, licences, lambda: 0)) for _ in range(3)]
    for budget in budgets:
        fleet.spend(budget, Kind.CHANGE, 10)

    assert licences.times == 1
    assert fleet.documents.blobs[DOCUMENT].fields["limit"] == 6000
    licences.number = 5001
    fleet.pass_time(901)
    fleet.spend(budgets[0], Kind.CHANGE, 10)
    assert fleet.documents.blobs[DOCUMENT].fields["limit"] == 9000


def test_limit_without_a_call():
    """An instance that makes no profile call, such as a sweep's, can ask for the limit, too."""
    fleet, licences = Fleet(), Asked(5000)
    one, other = (fleet.instance(limit=TenantLimit(0, licences, lambda: 0)) for _ in range(2))

    assert [one.limit(), one.limit(), licences.times] == [6000, 6000, 1]
    fleet.spend(one, Kind.CHANGE, 1)
    assert (other.limit(), licences.times) == (6000, 1)
    fleet.documents.error = AWAY
    assert fleet.instance(limit=TenantLimit(0, licences, lambda: 0)).limit() == SMALLEST_CLASS


def test_no_answer_changes_nothing():
    """While Graph does not answer, the class stays the same."""
    licences = Asked(20_000)
    limit = TenantLimit(0, licences, lambda: 0)
    assert limit.of({}, 0.0) == (12_000, 0.0)
    licences.number = None

    assert limit.of({"limit": 12_000, "limitFoundAt": 0.0}, 1000.0) == (12_000, 1000.0)
    fresh = TenantLimit(0, licences, lambda: 0)
    assert fresh.of({"limit": 9000, "limitFoundAt": 0.0}, 1000.0) == (9000, 1000.0)
    assert fresh.of({"limit": "many", "limitFoundAt": None}, 1.0) == (9000, 1.0)


@pytest.mark.parametrize(
    ("limit", "found_at"),
    [(6000, -(10**400)), (6000, 10**400), (10**400, 1.0), (15_001, 1.0), (0, 1.0), (True, 1.0)],
    ids=range(6),
)
def test_damaged_limit(limit: int, found_at: float):
    """A stored limit that no instance can have written is determined anew."""
    fields = {"limit": limit, "limitFoundAt": found_at}

    assert TenantLimit(0, lambda: 5001, lambda: 0).of(fields, 2.0) == (9000, 2.0)
