"""What a process has taken of the machine, with what it has started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local.bench.measuring import spent

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux counts")
# Its child takes the time and the memory, and says so.
_PARENT = """
import subprocess, sys
work = "import time; kept = bytearray(50_000_000)\\nwhile time.process_time() < 0.2: pass\\n"
child = [sys.executable, "-c", work + "print(flush=True); input()"]
subprocess.run(child)
"""


def test_what_it_has_started_counts():
    """A host's worker is part of the instance."""
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        found = spent.by(process.pid)
        process.communicate(b"\n")

    assert found
    assert found.seconds >= 0.2
    assert found.peak_mb > 50


def test_process_that_is_gone():
    """There is nothing to tell of it."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    assert spent.by(process.pid) is None
