"""What a process held at most."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.bench.measuring import memory

LINUX = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux forgets a peak"
)


def test_peak_is_in_kilobytes():
    """The peak is this process's own, in KB: more than an interpreter and less than a machine."""
    assert 5_000 < memory.peak_kb() < 64_000_000


@LINUX
def test_peak_can_be_forgotten():
    """After `forget_peak` only what is held from then on counts."""
    bytearray(200_000_000)
    high = memory.peak_kb()
    memory.forget_peak()

    assert memory.peak_kb() < high - 100_000
