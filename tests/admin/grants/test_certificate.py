"""Certificates: creating one, and recognising it in Graph's list."""

from __future__ import annotations

import base64
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes

from admin.grants import certificate
from admin.grants.certificate import Held
from admin.terminal.fields import Fields
from admin.terminal.problems import Unusable

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def held(tmp_path: Path) -> Held:
    return certificate.make(tmp_path / "a.pem", "PhotoSync", NOW)


def test_certificate_lasts_a_year(held: Held):
    """Graph's how-to allows a year from start to end; the start lies a little back."""
    start = held.certificate.not_valid_before_utc
    assert start < NOW
    assert held.ends_at - start == timedelta(days=365)
    assert certificate.read(held.file, NOW).certificate == held.certificate


def test_existing_file_is_kept(held: Held):
    """A file that is there is not touched, were it empty."""
    before = held.file.read_bytes()
    with pytest.raises(Unusable, match="already exists"):
        certificate.make(held.file, "PhotoSync", NOW)
    assert held.file.read_bytes() == before


def test_missing_folder(tmp_path: Path):
    """The sentence names the file."""
    with pytest.raises(Unusable, match=r"missing.a\.pem cannot be written"):
        certificate.make(tmp_path / "missing" / "a.pem", "PhotoSync", NOW)


def test_full_disk(tmp_path: Path):
    """Half a key is not left behind."""
    if sys.platform == "win32":
        pytest.skip("no system limits the size of a file there")
    import resource

    file = tmp_path / "a.pem"
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limit[1]))
    try:
        with pytest.raises(Unusable, match="cannot be written"):
            certificate.make(file, "PhotoSync", NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, ignored)

    assert not file.exists()


def test_expired_certificate(held: Held):
    """It would be refused by Entra later, so it is refused here."""
    assert certificate.read(held.file, held.ends_at - timedelta(seconds=1))
    with pytest.raises(Unusable, match="expired on 2027-03-02"):
        certificate.read(held.file, held.ends_at)


def test_key_credential(held: Held):
    """The public certificate, with its own dates: no later end is allowed."""
    given = certificate.key_credential(held)

    assert (given["type"], given["usage"]) == ("AsymmetricX509Cert", "Verify")
    assert given["endDateTime"] == f"{held.ends_at:%Y-%m-%dT%H:%M:%SZ}"
    assert base64.b64decode(given["key"])
    assert "PRIVATE" not in str(given)


def test_it_is_recognised(held: Held, tmp_path: Path):
    """By the key if Graph returns it, else by its thumbprint in hexadecimal or base64."""
    other = certificate.make(tmp_path / "b.pem", "PhotoSync", NOW)
    digest = held.certificate.fingerprint(hashes.SHA1())
    mine = certificate.key_credential(held)["key"]

    def is_among(**key: Any) -> bool:
        return certificate.is_among(held, Fields({"keyCredentials": [{}, key]}))

    assert is_among(key=mine)
    assert is_among(key=None, customKeyIdentifier=digest.hex())
    assert is_among(key=None, customKeyIdentifier=digest.hex().upper())
    assert is_among(customKeyIdentifier=base64.b64encode(digest).decode())
    assert not is_among(
        key=certificate.key_credential(other)["key"], customKeyIdentifier=digest.hex()
    )
    assert not is_among(key=None, customKeyIdentifier=None)
