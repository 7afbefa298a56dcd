"""Commands of the documents that can be run here are run here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from local.cloud.certificates import make_client_certificate
from shared.microsoft365.certificates import credential
from tests import REPO

_OPERATIONS = REPO / "docs" / "operations.md"


def test_certificate_on_one_line(tmp_path: Path):
    """What operations.md makes of a PEM file, in any shell, is what CLIENT_CERTIFICATE may be."""
    pem = make_client_certificate(tmp_path, "photosync")
    found = re.search(r'`python -c "([^`"$\\]+)"`', _OPERATIONS.read_text(encoding="utf-8"))
    assert found

    done = subprocess.run(
        [sys.executable, "-c", found[1]], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert done.stdout.count("\n") == 1
    assert credential(done.stdout) == credential(pem.read_text("utf-8"))
