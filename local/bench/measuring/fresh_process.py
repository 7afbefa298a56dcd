"""Runs a measurement in a separate Python process, with no caches and memory from earlier ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local.bench.measuring.conditions import REPO


class Failed(RuntimeError):
    """A measurement failed; the text is the end of its output."""


def answer(
    arguments: Sequence[str], *, environ: Mapping[str, str] | None = None, folder: Path = REPO
) -> Any:
    """
    Run Python with *arguments* in *folder*, with *environ* added to ours.

    Returns its last line of output, as JSON. Raises Failed if it fails.
    """
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        # A proxy of the surrounding network must not be used for localhost.
        env={**os.environ, "NO_PROXY": "localhost", "no_proxy": "localhost", **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        raise Failed(f"{' '.join(arguments[:3])} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])
