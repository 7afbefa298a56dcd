"""One local cloud for all end-to-end tests; each test brings people of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.cloud.stack import Stack
from tests.e2e.cloud import LiveCloud

NEVER = "0 0 0 29 2 *"

# The documented limits of Graph's photos and of the smallest tenant's profile calls.
STRICT = {
    "photoRequestsAtOnce": 4,
    "photoRequestsPer10Minutes": 10_000,
    "peopleCallsPer5Minutes": 3_000,
}


@pytest.fixture(scope="session")
def running_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCloud]:
    settings = {
        "EXCLUDED_USERS": "Excluded@contoso.com",
        # Years away: upkeep runs when a test asks for it, not beside one that does not.
        "RENEW_SCHEDULE": NEVER,
        "SWEEP_SCHEDULE": NEVER,
        # Nobody waits here for what other tests have spent.
        "AUDIT_SHARE": "1",
    }
    with Stack(tmp_path_factory.mktemp("cloud"), settings=settings) as stack:
        cloud = LiveCloud(stack)
        cloud.switch(**STRICT)
        cloud.subscribe()
        yield cloud


@pytest.fixture
def cloud(running_cloud: LiveCloud) -> Iterator[LiveCloud]:
    """The cloud with every switch and fault as a new tenant has them."""
    switches = running_cloud.admin.control("GET", "/switches")
    yield running_cloud
    running_cloud.admin.control("POST", "/switches", switches)
    running_cloud.admin.control("DELETE", "/faults")
    running_cloud.admin.control("POST", "/latency", {"graph": 0, "sharepoint": 0, "login": 0})
