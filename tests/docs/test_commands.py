"""Commands of the documents that can be run here are run here."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from local.cloud.certificates import make_client_certificate
from shared.microsoft365.certificates import credential
from tests import REPO

_OPERATIONS = REPO / "docs" / "operations.md"


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed here")
def test_certificate_on_one_line(tmp_path: Path):
    """What operations.md makes of a PEM file is what CLIENT_CERTIFICATE may be."""
    pem = make_client_certificate(tmp_path, "photosync")
    found = re.search(r"`(openssl [^`]+)`", _OPERATIONS.read_text(encoding="utf-8"))
    assert found

    done = subprocess.run(
        ["sh", "-c", found[1]], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert credential(done.stdout) == credential(pem.read_text())
