"""A running local cloud for the page, in which no notification may fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.cloud import LiveCloud, quiet_cloud


@contextmanager
def live_cloud(folder: Path, *, sign_in: bool = False) -> Iterator[LiveCloud]:
    with quiet_cloud(folder, sign_in=sign_in) as running:
        running.subscribe()
        yield running
        assert running.failed_runs() == []
