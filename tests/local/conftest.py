"""Shared fixtures for tests of the local cloud: a simulated Microsoft 365, and storage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.local.m365.simulator import Cloud, cloud


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
def my(office: Cloud) -> Iterator[requests.Session]:
    """A session with the host of the picture library."""
    with office.session(office.tenant.urls.my) as session:
        yield session
