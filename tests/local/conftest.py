"""Shared by the tests of the local cloud: a simulated Microsoft 365, and sessions with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.m365.tenant.records import User
from tests.local.m365.simulator import Cloud, HostSession, cloud
from tests.local.m365.webhook import DEADLINE, Webhook, webhook


@pytest.fixture
def m365(tmp_path: Path) -> Iterator[Cloud]:
    """A separate simulator for each test."""
    with cloud(tmp_path) as simulated:
        yield simulated


@pytest.fixture(scope="module")
def running_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with cloud(tmp_path_factory.mktemp("office")) as simulated:
        yield simulated


@pytest.fixture
def office(running_office: Cloud) -> Cloud:
    """One simulator for a module, emptied before each test, with the documented limits."""
    running_office.renew()
    return running_office


@pytest.fixture
def graph(m365: Cloud) -> Iterator[HostSession]:
    """A session with Graph; paths start after the version."""
    with m365.session(m365.tenant.urls.graph) as session:
        yield session


@pytest.fixture
def my(office: Cloud) -> Iterator[HostSession]:
    """A session with the host of the picture library."""
    with office.session(office.tenant.urls.my) as session:
        yield session


@pytest.fixture
def admin(office: Cloud) -> Iterator[HostSession]:
    """A session with the host of the profiles."""
    with office.session(office.tenant.urls.admin) as session:
        yield session


@pytest.fixture
def anna(m365: Cloud) -> User:
    """A user of the separate simulator."""
    return m365.add_user("anna")


@pytest.fixture
def anne(office: Cloud) -> User:
    """A user of the shared simulator."""
    return office.add_user("anne")


@pytest.fixture
def hook(m365: Cloud) -> Iterator[Webhook]:
    """A webhook, for which Graph waits however late it answers; a test may set other budgets."""
    switches = m365.tenant.switches
    switches.first_budget_seconds = switches.retry_budget_seconds = DEADLINE
    switches.handshake_budget_seconds = DEADLINE
    with webhook(m365.certificates) as running:
        yield running
