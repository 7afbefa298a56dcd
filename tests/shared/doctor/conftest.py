"""One simulated Microsoft 365 and one storage account for the doctor's tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from local.cloud.azurite import Storage
from tests.local.m365.simulator import Cloud, cloud
from tests.shared.doctor.clinic import Clinic


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with cloud(tmp_path_factory.mktemp("clinic")) as simulated:
        yield simulated


@pytest.fixture
def clinic(running: Cloud, storage: Storage) -> Iterator[Clinic]:
    """A valid deployment, restored after each test."""
    running.tenant.reset()
    # Graph lets an app list its subscriptions 25 times in 20 seconds.
    running.tenant.skew += timedelta(seconds=30)
    registered = dict(running.tenant.apps)
    yield Clinic(running, storage.connection_string)
    running.tenant.apps = registered
