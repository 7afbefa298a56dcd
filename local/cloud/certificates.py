"""Certificates for the local cloud: a CA, a server certificate for localhost, keys for apps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.m365.tenant.clouds import CLOUDS


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files: the CA that clients trust, and the server's certificate and key."""

    ca: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path) -> Certificates:
    """Write a new CA and its certificate for localhost and Microsoft 365's hosts into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server-key.pem")
    authority = trustme.CA()
    names = {
        name
        for cloud in CLOUDS.values()
        for name in (cloud.login, *cloud.login_aliases, cloud.graph, f"*.{cloud.sharepoint}")
    }
    server = authority.issue_cert("localhost", "127.0.0.1", *sorted(names))
    paths.ca.write_bytes(authority.cert_pem.bytes())
    paths.certificate.write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))
    _write_private(paths.key, server.private_key_pem.bytes())
    return paths


def make_client_certificate(folder: Path, name: str) -> Path:
    """Write *name*.pem into *folder*: a private key (RSA 2048) and its self-signed certificate."""
    folder.mkdir(parents=True, exist_ok=True)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / f"{name}.pem"
    _write_private(path, private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def _write_private(path: Path, content: bytes) -> None:
    # Private before it holds the key.
    path.touch(mode=0o600)
    path.write_bytes(content)
