"""Runs a measurement in a separate Python process, with no caches and memory from earlier ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[3]


class Failed(RuntimeError):
    """A measurement failed; the text is the end of its output."""


def run(
    arguments: Sequence[str],
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path = REPO,
    text: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run Python with *arguments* in *folder*, *environ* added to ours and *text* as its stdin."""
    with _started(arguments, environ, folder) as process:
        out, errors = process.communicate(text)
    if process.returncode:
        raise _failed(arguments, errors)
    return subprocess.CompletedProcess(process.args, 0, out, errors)


def answer(arguments: Sequence[str], **more: Any) -> Any:
    """The process's last output, as JSON; see `run`."""
    return json.loads(run(arguments, **more).stdout.splitlines()[-1])


def first_line(
    arguments: Sequence[str], *, environ: Mapping[str, str] | None = None
) -> tuple[str, float]:
    """The first line that the process prints, and the seconds from its start until then."""
    began = time.perf_counter()
    with _started(arguments, environ, REPO) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        seconds = time.perf_counter() - began
        _, errors = process.communicate()
    if process.returncode:
        raise _failed(arguments, errors)
    return line.strip(), seconds


def _started(
    arguments: Sequence[str], environ: Mapping[str, str] | None, folder: Path
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        # A proxy of the surrounding network must not be used for localhost.
        env={**os.environ, "NO_PROXY": "localhost", "no_proxy": "localhost", **(environ or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )


def _failed(arguments: Sequence[str], errors: str) -> Failed:
    return Failed(f"{' '.join(arguments[:3])} failed:\n{errors[-2000:]}")
