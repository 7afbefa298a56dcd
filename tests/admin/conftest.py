"""A simulated tenant for the commands that call Microsoft 365."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.local.m365.simulator import Cloud, cloud


@pytest.fixture(scope="module")
def running_tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with cloud(tmp_path_factory.mktemp("tenant")) as simulated:
        yield simulated
