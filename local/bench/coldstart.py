"""What a new process costs: importing the app, and answering Graph's first handshake."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from local.bench import fresh_process, import_costs
from local.bench.fresh_process import REPO
from local.bench.rows import Row, of_rounds

ROUNDS = 15
TELEMETRY_ROUNDS = 7
_GOAL_RATIO = 1.2
_DEAREST = 5
EMPTY = Path(__file__).resolve().parent / "apps" / "empty"
# As deployed; nobody listens there.
_TELEMETRY = {
    "PYTHON_ENABLE_OPENTELEMETRY": "true",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": (
        "InstrumentationKey=00000000-0000-4000-8000-000000000001;"
        "IngestionEndpoint=http://127.0.0.1:1/"
    ),
}


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Imports by turns, then handshakes by turns, without and with telemetry."""
    # Of everything, whatever the surroundings think of bytecode; the first try writes it.
    compiled = {
        "PYTHONPYCACHEPREFIX": str((folder / "bytecode").resolve()),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    say("imports")
    found = _imports(folder, compiled)
    say("first handshakes")
    found.append(_handshakes("first handshake answered", ROUNDS, compiled))
    say("first handshakes with telemetry")
    with_telemetry = "first handshake answered, telemetry on"
    settings = {**compiled, **_TELEMETRY}
    return [*found, _handshakes(with_telemetry, TELEMETRY_ROUNDS, settings)]


def _imports(folder: Path, compiled: Mapping[str, str]) -> list[Row]:
    copy, as_they_are = _uncompiled(folder / "app"), {"PYTHONDONTWRITEBYTECODE": "1"}
    ways = {
        "azure.functions": lambda: import_seconds("azure.functions", REPO, compiled),
        "function_app": lambda: import_seconds("function_app", REPO, compiled),
        "uncompiled": lambda: import_seconds("function_app", copy, as_they_are),
    }
    took = _by_turns(ways, ROUNDS)
    floor = statistics.median(took["azure.functions"])
    ours = import_costs.beyond("function_app", "azure.functions", environ=compiled)
    dearest = sorted(ours, key=lambda name: -ours[name])[:_DEAREST]
    return [
        of_rounds(
            "coldstart",
            "import function_app",
            took["function_app"],
            "ms",
            floor=floor,
            floor_is="import azure.functions",
            goal_ratio=_GOAL_RATIO,
        ),
        Row(
            "coldstart",
            "modules that it loads beyond azure.functions",
            len(ours),
            "",
            note="the dearest, in ms: "
            + ", ".join(f"{name} {ours[name] / 1000:.1f}" for name in dearest),
        ),
        of_rounds(
            "coldstart",
            "import function_app, its own files not compiled",
            took["uncompiled"],
            "ms",
            floor=floor,
            note="as where a package is mounted read-only and nobody compiled it",
        ),
    ]


def _uncompiled(folder: Path) -> Path:
    """A copy of the app without bytecode."""
    shutil.rmtree(folder, ignore_errors=True)
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPO / "shared", folder / "shared", ignore=without)
    shutil.copy(REPO / "function_app.py", folder)
    return folder


def _handshakes(what: str, rounds: int, settings: Mapping[str, str]) -> Row:
    ways = {
        "ours": lambda: handshake_seconds(REPO, settings),
        "empty": lambda: handshake_seconds(EMPTY, settings),
    }
    took = _by_turns(ways, rounds)
    return of_rounds(
        "coldstart",
        what,
        took["ours"],
        "ms",
        floor=statistics.median(took["empty"]),
        floor_is="an app with nothing behind its webhook, in the same engine",
        note="from the start of the process",
    )


def _by_turns(ways: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each way, after one try that compiles and warms the disk's cache."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            seconds = way()
            if number:
                took[name].append(seconds * 1000)
    return took


def import_seconds(module: str, folder: Path, environ: Mapping[str, str]) -> float:
    """What importing *module* takes in a fresh process in *folder*, without Python's own start."""
    program = (
        "import time; began = time.perf_counter()\n"
        f"import {module}; print(time.perf_counter() - began)"
    )
    return float(fresh_process.run(["-c", program], folder=folder, environ=environ).stdout)


def handshake_seconds(app: Path, settings: Mapping[str, str]) -> float:
    """From the start of a process to its answer to a handshake."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "local.bench.handshake", str(app)],
        cwd=REPO,
        env={**os.environ, **settings},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        seconds = time.perf_counter() - began
        _, errors = process.communicate()
    if line.strip() != "answered":
        raise RuntimeError(f"No handshake from {app}: {errors}")
    return seconds
