"""One local cloud for most end-to-end tests; each test adds its own people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.bench.measuring.conditions import LIMITS
from tests.e2e.cloud import SHORT_LOCK, LiveCloud, quiet_cloud


@pytest.fixture(scope="session")
def running_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCloud]:
    settings = {
        "EXCLUDED_USERS": "Excluded@contoso.com",
        # An audit may use the whole budget, so that it does not wait for what other tests used.
        "AUDIT_SHARE": "1",
    }
    with quiet_cloud(tmp_path_factory.mktemp("cloud"), settings) as cloud:
        cloud.switch(**LIMITS)
        cloud.subscribe()
        yield cloud


@pytest.fixture
def cloud(running_cloud: LiveCloud) -> Iterator[LiveCloud]:
    """The shared cloud; switches, faults and latency are reset after the test."""
    switches = running_cloud.admin.control("GET", "/switches")
    yield running_cloud
    running_cloud.admin.control("POST", "/switches", switches)
    running_cloud.admin.control("DELETE", "/faults")
    running_cloud.admin.control("POST", "/latency", {"graph": 0, "sharepoint": 0, "login": 0})


@pytest.fixture
def fragile(tmp_path: Path) -> Iterator[LiveCloud]:
    """A separate cloud, whose host hides a message for 4 seconds instead of ten minutes."""
    with quiet_cloud(tmp_path, SHORT_LOCK) as cloud:
        yield cloud
