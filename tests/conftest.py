"""Anne, as most tests of runs and messages meet her, and storage that is real."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from local.cloud.azurite import Azurite, Storage
from tests.doubles.office import Office
from tests.shared.copying.runs import OLD, bring_up_to_date

NAMES = (f"container-{number}" for number in itertools.count(1))


@pytest.fixture(scope="session", autouse=True)
def _heed_ctrl_c() -> None:
    # A run in the background ignores SIGINT, and what the tests start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def office() -> Office:
    """Anne has a photo that nobody has copied yet."""
    office = Office()
    office.exchange.upload(OLD)
    return office


@pytest.fixture
def synced(office: Office) -> Office:
    """Anne's photo has been copied."""
    bring_up_to_date(office)
    office.sharepoint.writes = 0
    return office


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """One Azurite for a file of tests."""
    azurite = Azurite(tmp_path_factory.mktemp("azurite") / "azurite.log")
    yield azurite.wait_until_ready()
    azurite.stop()


@pytest.fixture
def container(storage: Storage) -> Iterator[ContainerClient]:
    """A container of its own for each test, not made yet."""
    with BlobServiceClient.from_connection_string(storage.connection_string) as service:
        yield service.get_container_client(next(NAMES))
