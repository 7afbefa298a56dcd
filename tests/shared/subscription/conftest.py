from __future__ import annotations

import pytest

from tests.shared.subscription.deployment import Deployment


@pytest.fixture
def here() -> Deployment:
    """A deployment that has subscribed."""
    deployment = Deployment()
    deployment.keep()
    deployment.sweeps = 0
    return deployment
