"""The memory and the CPU time of processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local.bench.measuring.memory import forget_peak, peak_mb, spent_by

LINUX = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux counts")
# Its child takes the memory, and twice the time: the system rounds each part down to 10 ms. Then it
# prints a line.
_PARENT = """
import subprocess, sys
work = "import time; kept = bytearray(50_000_000)\\nwhile time.process_time() < 0.4: pass\\n"
child = [sys.executable, "-c", work + "print(flush=True); input()"]
subprocess.run(child)
"""


@LINUX
def test_peak_can_be_forgotten():
    """After `forget_peak` only what is held from then on counts."""
    bytearray(200_000_000)
    high = peak_mb()
    forget_peak()

    assert peak_mb() < high - 100


@LINUX
def test_descendants_count():
    """A host's worker is part of the instance; once all have ended, nothing is known."""
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        found = spent_by(process.pid)
        process.communicate(b"\n")

    assert found
    assert found.seconds >= 0.2
    assert found.peak_mb > 50
    assert spent_by(process.pid) is None
