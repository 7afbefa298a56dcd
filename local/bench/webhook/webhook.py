"""
How fast the worker takes notifications: at rest, during copying, and on a saturated machine. And
how long the import of the app takes, on which a cold start depends.

Measured from the call of the function to its return, as the goal says. That excludes the host,
which stores the messages before it answers Graph; `answers` measures a complete host.
"""

from __future__ import annotations

import base64
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from local.bench.measuring import fresh_process
from local.bench.measuring.conditions import AT_ONCE, LATENCY, PICTURE_SIZES, SETTINGS
from local.bench.measuring.ledger import UPLOADS, counted
from local.bench.measuring.rows import Row, of_rounds, percentile
from local.bench.webhook.webhook_process import ITEMS
from local.cloud.stack import Stack, app_settings
from local.demo import photo_files
from local.demo.portraits.portraits import portrait
from local.outside.tenant_client import TenantClient

_GOAL_MS = 50
IMPORTS = 15
_GOAL_IMPORT = 1.2
_OURS, _FLOOR = "function_app", "azure.functions"
_USERS = 48
# The budget must not stop the copying during the measurement.
_SETTINGS = {**SETTINGS, "PROFILE_CALLS_PER_5_MINUTES": "1000000"}


class NothingCopied(RuntimeError):
    """The copying did not run as intended, so the figures mean something else."""


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """The same POSTs three times, with more and more other work."""
    folder.mkdir(parents=True, exist_ok=True)
    say("starting the local cloud")
    with Stack(folder / "cloud", settings=_SETTINGS) as stack:
        at = stack.endpoints
        admin = TenantClient(at, at.client_id, Path(at.client_certificate))
        photo = base64.b64encode(photo_files.jpeg(portrait(1))).decode()
        seeds = [
            {"userPrincipalName": f"user{n}@contoso.com", "photo": photo} for n in range(_USERS)
        ]
        users: list[str] = admin.control("POST", "/users", seeds)["ids"]
        settings = {**app_settings(at), **_SETTINGS, "REQUESTS_CA_BUNDLE": at.ca}
        found = []
        for when, copy, latency, note in (
            ("at rest", [], LATENCY, ""),
            (
                "during copying",
                users,
                LATENCY,
                f"Graph {LATENCY['graph']} ms and SharePoint {LATENCY['sharepoint']} ms away",
            ),
            ("machine saturated", users, dict.fromkeys(LATENCY, 0), "no latency"),
        ):
            say(when)
            admin.control("POST", "/latency", latency)
            before = admin.control("GET", "/journal?after=0")["last"]
            figures = measured(settings, copy)
            entries = admin.control("GET", f"/journal?after={before}")["entries"]
            done = [entry for entry in entries if entry["status"] < 300]
            check_copies(figures, counted(done, at.app_client_id)[UPLOADS], expected=bool(copy))
            found.append(row(figures, when, note))
    return found


def check_copies(figures: Mapping[str, Any], uploads: int, *, expected: bool) -> None:
    """Raises NothingCopied unless SharePoint saw three *uploads* for each run."""
    runs = figures["runs"]
    if bool(runs) != expected or uploads < len(PICTURE_SIZES) * runs:
        raise NothingCopied(f"{runs} runs made {uploads} uploads.")


def row(figures: Mapping[str, Any], when: str, note: str) -> Row:
    """The p99 of all POSTs of a measurement."""
    # Of all rounds together: in one round of a hundred POSTs, a p99 would be the second slowest.
    ours, empty = (figures["posts"][name] for name in ("notifications", "empty"))
    of_each = [percentile(took, 99) for took in ours]
    notes = [f"of {sum(map(len, ours))} POSTs together; noise is that of the rounds"]
    if note:
        rate = figures["copies"] / figures["seconds"]
        notes.append(f"{AT_ONCE} concurrent runs of sync_photo in the same process, {note}")
        notes.append(f"{rate:.0f} photos a second")
    return Row(
        f"POSTs of {ITEMS}, {when}: p99 in the worker",
        percentile(list(chain.from_iterable(ours)), 99),
        "ms",
        goal=_GOAL_MS,
        low=min(of_each),
        high=max(of_each),
        rounds=len(of_each),
        floor=percentile(list(chain.from_iterable(empty)), 99),
        floor_is="an empty function with the same bindings",
        note="; ".join(notes),
    )


def measured(settings: Mapping[str, str], copy: Sequence[str]) -> Any:
    """One measurement of `webhook_process`, in a fresh process with these app settings."""
    command = ["-m", "local.bench.webhook.webhook_process", json.dumps(copy)]
    return fresh_process.answer(command, environ=settings)


def import_rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """
    What a new instance loads: both imports in turn, in fresh processes, after one of each that
    compiles and warms the disk cache.
    """
    say(f"{IMPORTS} imports")
    # Bytecode of everything, whatever the environment's settings.
    environ = {
        "PYTHONPYCACHEPREFIX": str((folder / "bytecode").resolve()),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    took = [
        {module: import_seconds(module, environ) * 1000 for module in (_OURS, _FLOOR)}
        for _ in range(IMPORTS + 1)
    ][1:]
    row = of_rounds(
        f"import {_OURS}",
        [each[_OURS] for each in took],
        "ms",
        floor=statistics.median(each[_FLOOR] for each in took),
        floor_is=f"import {_FLOOR}",
        goal_ratio=_GOAL_IMPORT,
    )
    return [row]


def import_seconds(module: str, environ: Mapping[str, str]) -> float:
    """Seconds to import *module* in a fresh process, without Python's own start."""
    program = (
        "import time; began = time.perf_counter()\n"
        f"import {module}; print(time.perf_counter() - began)"
    )
    return float(fresh_process.answer(["-c", program], environ=environ))
