"""When telemetry is loaded, what that costs, and what happens if it cannot be loaded."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping

import pytest

from shared.telemetry.telemetry import (
    APPLICATION_INSIGHTS,
    COLLECTOR,
    SWITCH,
    Send,
    Telemetry,
    is_on,
)
from tests.shared.telemetry.receivers import receiving
from tests.test_webhook_path import run

ON = {SWITCH: "true", COLLECTOR: "http://localhost:4318"}
# Seconds; only a bound against hangs.
LONG = 120


class Exporters:
    """Stands in for packages that load slowly: they are loaded once `loaded` is set."""

    def __init__(self) -> None:
        self.begun, self.loaded = threading.Event(), threading.Event()
        self.loads = 0
        self.sent: list[str] = []
        self.error: Exception | None = None

    def load(self, env: Mapping[str, str]) -> Send:
        self.loads += 1
        self.begun.set()
        assert self.loaded.wait(LONG)
        if self.error:
            raise self.error
        return lambda record: self.sent.append(record.getMessage())


@pytest.fixture
def exporters() -> Exporters:
    return Exporters()


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """The product's logger before anything listens to it."""
    log = logging.getLogger("photosync")
    before, level = list(log.handlers), log.level
    yield log
    log.handlers[:] = before
    log.setLevel(level)


@pytest.fixture
def telemetry(exporters: Exporters, log: logging.Logger) -> Telemetry:
    telemetry = Telemetry(ON, load=exporters.load)
    telemetry.listen(log)
    return telemetry


@pytest.mark.parametrize(
    ("env", "on"),
    [
        ({}, False),
        ({SWITCH: "true"}, False),
        ({COLLECTOR: "http://localhost:4318"}, False),
        ({SWITCH: "false", COLLECTOR: "http://localhost:4318"}, False),
        ({SWITCH: "true", COLLECTOR: " ", APPLICATION_INSIGHTS: ""}, False),
        (ON, True),
        ({SWITCH: " Yes ", APPLICATION_INSIGHTS: "InstrumentationKey=x"}, True),
    ],
)
def test_switch(env, on):
    """It is on if the engine's switch is on, as the engine reads it, and there is a destination."""
    assert is_on(env) is on


def test_nothing_is_loaded_without_a_destination(exporters, log):
    """When off, there is no handler, nothing is loaded, and nothing waits."""
    telemetry = Telemetry({}, load=exporters.load)
    before = list(log.handlers)

    telemetry.listen(log)
    log.error("photo.failed user=anne")
    telemetry.ready()

    assert (exporters.loads, log.handlers) == (0, before)


def test_logging_does_not_wait(telemetry, exporters, log):
    """
    Records are kept while the packages load, and then sent in order: INFO, on which alerts depend,
    whatever log level is configured.
    """
    log.info("first n=%d", 1)
    log.debug("nothing for an operator")
    log.info("second")
    assert exporters.begun.wait(LONG)
    assert (exporters.loads, exporters.sent) == (1, [])

    exporters.loaded.set()
    telemetry.ready()
    log.info("third")

    assert exporters.sent == ["first n=1", "second", "third"]


def test_counting_waits(telemetry, exporters):
    """`ready` returns once the packages are loaded, even without a record, and loads them once."""
    waiting = threading.Thread(target=telemetry.ready)
    waiting.start()
    assert exporters.begun.wait(LONG)
    assert waiting.is_alive()

    exporters.loaded.set()
    waiting.join(LONG)
    telemetry.ready()

    assert not waiting.is_alive()
    assert exporters.loads == 1


def test_loaded_once(telemetry, exporters, log):
    """Threads that log and count at once load the packages once, and no record is lost."""
    threads = [threading.Thread(target=log.info, args=("n=%d", n)) for n in range(20)]
    threads += [threading.Thread(target=telemetry.ready) for _ in range(5)]
    for thread in threads:
        thread.start()
    exporters.loaded.set()
    for thread in threads:
        thread.join(LONG)

    assert exporters.loads == 1
    assert sorted(exporters.sent) == sorted(f"n={n}" for n in range(20))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModuleNotFoundError("No module named 'x'", name="opentelemetry.exporter"), "exporter"),
        (ValueError("Invalid connection string InstrumentationKey=s3cret"), "ValueError"),
    ],
)
def test_failure_to_load_is_logged(telemetry, exporters, log, caplog, error, reason):
    """The app works without telemetry; one line says what is missing, and quotes no setting."""
    exporters.error = error
    log.info("first")
    exporters.loaded.set()
    telemetry.ready()
    log.info("second")

    assert exporters.sent == []
    assert telemetry not in log.handlers
    [failed] = [line for line in caplog.messages if line.startswith("telemetry.failed")]
    assert reason in failed
    assert COLLECTOR in failed
    assert "s3cret" not in failed
    assert caplog.messages[-1] == "second"


SDK = "[m for m in sys.modules if m.startswith(('opentelemetry.sdk', 'azure.monitor'))]"


def test_off_costs_no_package():
    """When off, even the worker does not load the SDK; counting uses the API's no-op."""
    program = (
        "import sys, function_app, shared.runtime\n"
        "from shared.telemetry import metrics\n"
        "metrics.photos.add(1, {'outcome': 'synced'})\n"
        f"print(len({SDK}), type(metrics.photos).__name__)"
    )

    assert run(program) == "0 _ProxyCounter"


def test_first_count_of_a_process_is_not_lost():
    """The worker's components are returned only once counting is exported."""
    program = (
        "import function_app\n"
        "from shared.errors import SettingsError\n"
        "try: function_app.runtime()\n"
        "except SettingsError: pass\n"
        "from shared.telemetry import metrics\n"
        "metrics.photos.add(1, {'outcome': 'synced'})"
    )
    with receiving() as receiver:
        run(program, NO_PROXY="localhost", **{SWITCH: "true", COLLECTOR: receiver.url})

        assert list(receiver.metrics()) == ["photosync.photos"]


def test_webhook_loads_nothing_before_it_has_logged():
    """When on, importing the app loads neither the SDK nor the API."""
    program = (
        f"import os, sys; os.environ.update({ON!r}); import function_app\n"
        "print([m for m in sys.modules if m.startswith('opentelemetry')])"
    )

    assert run(program) == "[]"
