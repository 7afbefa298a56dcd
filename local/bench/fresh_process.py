"""Runs a measurement in a Python process of its own, which nothing before has warmed or filled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]


class Failed(RuntimeError):
    """A measurement did not end well; the text is the end of what it said."""


def run(
    arguments: Sequence[str],
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path = REPO,
    text: str = "",
) -> subprocess.CompletedProcess[str]:
    """Python with *arguments* in *folder*, *environ* on top of ours and *text* as its stdin."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        # A proxy of the surrounding network must not be asked for localhost.
        env={**os.environ, "NO_PROXY": "localhost", "no_proxy": "localhost", **(environ or {})},
        input=text,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Failed(f"{' '.join(arguments[:3])} failed:\n{done.stderr[-2000:]}")
    return done


def answer(arguments: Sequence[str], **more: Any) -> Any:
    """What the process prints in the end, as JSON; see `run`."""
    return json.loads(run(arguments, **more).stdout.splitlines()[-1])
