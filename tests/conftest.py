"""Fixtures that most tests share: Anne in a simulated office, and a real Azurite."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator

import hypothesis
import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from local.cloud import proxies
from local.cloud.azurite import Azurite, Storage
from local.cloud.host_command import NoHost, host_command, is_another
from tests.doubles.office import Office
from tests.shared.copying.runs import OLD, bring_up_to_date

# On a busy machine an example may take long, so its time is no failure.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")
NAMES = (f"container-{number}" for number in itertools.count(1))
# Fixtures that start a process: storage, Microsoft 365, the host, a browser.
_SERVERS = frozenset(
    "storage m365 clinic cloud running_office running_tenant soaked fragile stack up "
    "started found burst eventful installed chromium thousand asked".split()
)
# The longest tests come first: at the end, the whole run would wait for them.
_FIRST = (
    *("tests/e2e/", "tests/machine/", "tests/admin/", "tests/foreign/", "tests/race/"),
    "tests/shared/telemetry/",
)


def pytest_configure() -> None:
    """Exclude this machine from proxies; fail with one sentence if the host of HOST is missing."""
    os.environ.update(proxies.bypassed(os.environ))
    try:
        host_command(os.environ)
    except NoHost as problem:
        raise pytest.UsageError(str(problem)) from problem


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that `make check` or another host leaves out; put the longest tests first."""
    for item in items:
        ours = item.get_closest_marker("local_host")
        if ours and is_another(os.environ):
            item.add_marker(pytest.mark.skip(reason=f"only our own host: {ours.args[0]}"))
        if _SERVERS & _fixtures(item):
            item.add_marker("server")
    items.sort(key=lambda item: not item.nodeid.startswith(_FIRST))


def _fixtures(item: pytest.Item) -> set[str]:
    """The fixtures of *item*, without parameters, which may have the same names."""
    names = {mark.args[0] for mark in item.iter_markers("parametrize")}
    parameters = {each for name in names for each in ([name] if isinstance(name, str) else name)}
    return set(getattr(item, "fixturenames", ())) - parameters


@pytest.fixture(scope="session", autouse=True)
def _accept_ctrl_c() -> None:
    # A background run ignores SIGINT, and processes that the tests start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def office() -> Office:
    """Anne has a photo that has not been copied yet."""
    office = Office()
    office.exchange.upload(OLD)
    return office


@pytest.fixture
def synced(office: Office) -> Office:
    """Anne's photo has been copied."""
    bring_up_to_date(office)
    office.sharepoint.writes = 0
    return office


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """One Azurite for the whole run; each test uses its own names of containers and queues."""
    azurite = Azurite(tmp_path_factory.mktemp("azurite") / "azurite.log")
    yield azurite.wait_until_ready()
    azurite.stop()


@pytest.fixture
def container(storage: Storage) -> Iterator[ContainerClient]:
    """A separate container for each test, not created yet."""
    with BlobServiceClient.from_connection_string(storage.connection_string) as service:
        yield service.get_container_client(next(NAMES))


@pytest.fixture
def no_runtime() -> Iterator[None]:
    """A process that has built nothing yet, and forgets what it builds."""
    # Imported here because other tests do not need it.
    import function_app

    function_app._runtime.cache_clear()
    yield
    function_app._runtime.cache_clear()
