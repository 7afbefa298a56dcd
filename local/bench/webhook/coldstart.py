"""The cost of a new process: importing the app, and its first answer to Graph."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local.bench.measuring import fresh_process
from local.bench.measuring.fresh_process import REPO
from local.bench.measuring.rows import Row, of_rounds
from local.bench.webhook import first_answer, import_costs

ROUNDS = 15
TELEMETRY_ROUNDS = 7
# The number of notifications in a POST for README's goal.
ITEMS = 100
_GOAL_RATIO = 1.2
_DEAREST = 5
EMPTY = Path(__file__).resolve().parent / "apps" / "empty"
# As deployed; nothing listens at this address.
_TELEMETRY = {
    "PYTHON_ENABLE_OPENTELEMETRY": "true",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": (
        "InstrumentationKey=00000000-0000-4000-8000-000000000001;"
        "IngestionEndpoint=http://127.0.0.1:1/"
    ),
}


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Imports in turn, then first answers in turn: a handshake, a POST, and with telemetry."""
    # Bytecode of everything, whatever the environment's settings; the first try writes it.
    compiled = {
        "PYTHONPYCACHEPREFIX": str((folder / "bytecode").resolve()),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    say("imports")
    took = _imports(folder, compiled)
    found = imports(took, import_costs.beyond("function_app", "azure.functions", environ=compiled))
    settings = {**compiled, **first_answer.SETTINGS}
    say("first handshakes")
    found.append(_first("first handshake answered", 0, ROUNDS, settings))
    say("first POSTs")
    found.append(_first(f"first POST of {ITEMS} answered", ITEMS, ROUNDS, settings))
    say("first handshakes with telemetry")
    with_telemetry = "first handshake answered, telemetry on"
    return [*found, _first(with_telemetry, 0, TELEMETRY_ROUNDS, {**settings, **_TELEMETRY})]


def _imports(folder: Path, compiled: Mapping[str, str]) -> dict[str, list[float]]:
    copy, as_they_are = _uncompiled(folder / "app"), {"PYTHONDONTWRITEBYTECODE": "1"}
    ways = {
        "azure.functions": lambda: import_seconds("azure.functions", REPO, compiled),
        "function_app": lambda: import_seconds("function_app", REPO, compiled),
        "uncompiled": lambda: import_seconds("function_app", copy, as_they_are),
    }
    return by_turns(ways, ROUNDS)


def imports(took: Mapping[str, Sequence[float]], ours: Mapping[str, float]) -> list[Row]:
    """From the milliseconds of each variant, and the microseconds of each module only we load."""
    floor = statistics.median(took["azure.functions"])
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
            note="the dearest, each with what it loads, in ms: "
            + ", ".join(f"{name} {ours[name] / 1000:.1f}" for name in dearest),
        ),
        of_rounds(
            "coldstart",
            "import function_app, its own files not compiled",
            took["uncompiled"],
            "ms",
            floor=floor,
            floor_is="import azure.functions",
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


def _first(what: str, items: int, rounds: int, settings: Mapping[str, str]) -> Row:
    ways = {
        "ours": lambda: answer_seconds(REPO, items, settings, queued=items),
        "empty": lambda: answer_seconds(EMPTY, items, settings, queued=0),
    }
    return first(what, by_turns(ways, rounds))


def first(what: str, took: Mapping[str, Sequence[float]]) -> Row:
    """From the milliseconds until each app first answered."""
    return of_rounds(
        "coldstart",
        what,
        took["ours"],
        "ms",
        floor=statistics.median(took["empty"]),
        floor_is="an app with nothing behind its webhook, in the same engine",
        note="from the start of the process",
    )


def by_turns(ways: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each variant, after one try that compiles and warms the disk cache."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            seconds = way()
            if number:
                took[name].append(seconds * 1000)
    return took


def import_seconds(module: str, folder: Path, environ: Mapping[str, str]) -> float:
    """Seconds to import *module* in a fresh process in *folder*, without Python's own start."""
    program = (
        "import time; began = time.perf_counter()\n"
        f"import {module}; print(time.perf_counter() - began)"
    )
    return float(fresh_process.run(["-c", program], folder=folder, environ=environ).stdout)


def answer_seconds(app: Path, items: int, settings: Mapping[str, str], *, queued: int) -> float:
    """
    From the start of a process to its first answer: to a handshake, or to a POST of *items*.

    Raises Failed unless it queues exactly *queued* users.
    """
    command = ["-m", "local.bench.webhook.first_answer", str(app), str(items)]
    line, seconds = fresh_process.first_line(command, environ=settings)
    if line != f"answered, {queued} queued":
        raise fresh_process.Failed(f"{app}: {queued} should be queued, and it says: {line}")
    return seconds
