"""The certificate of an app registration: read from a file or created, and in Graph's format."""

from __future__ import annotations

import base64
import contextlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from admin.terminal.fields import Fields
from admin.terminal.problems import Unusable
from shared.errors import SettingsError
from shared.microsoft365 import certificates

# Documented: a key credential may last one year.
_LASTS = timedelta(days=365)
# To a clock that is behind, the certificate must already be valid.
_EARLIER = timedelta(minutes=5)


class Held(NamedTuple):
    """A certificate, and the file that it is in."""

    file: Path
    certificate: x509.Certificate

    @property
    def ends_at(self) -> datetime:
        return self.certificate.not_valid_after_utc

    @property
    def thumbprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA1()).hex().upper()


def read(file: Path, now: datetime) -> Held:
    """
    The certificate in *file*: PEM or PFX with its private key, or PEM or DER without it.

    Raises Unusable, also when it has expired.
    """
    try:
        held = Held(file, _certificate(file, file.read_bytes()))
    except (OSError, ValueError, SettingsError) as error:
        raise Unusable(
            f"{file} contains no readable RSA certificate: give a PEM, PFX (without password) or "
            "CER file, or the name of a new file, to create a certificate."
        ) from error
    if held.ends_at <= now:
        raise Unusable(f"The certificate in {file} expired on {held.ends_at:%Y-%m-%d}.")
    return held


def _certificate(file: Path, data: bytes) -> x509.Certificate:
    if b"PRIVATE KEY" not in data:
        with contextlib.suppress(ValueError):
            is_pem = b"-----BEGIN" in data
            load = x509.load_pem_x509_certificate if is_pem else x509.load_der_x509_certificate
            return load(data)
    pem = certificates.credential(str(file)).certificate
    return x509.load_pem_x509_certificate(pem.encode())


def make(file: Path, name: str, now: datetime) -> Held:
    """
    A new private key and its self-signed certificate, in a new file that only its owner can read.

    Raises Unusable if the file exists: a key is never overwritten.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])
    begins = now.astimezone(UTC) - _EARLIER
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + _LASTS)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(file, private + certificate.public_bytes(Encoding.PEM))
    return Held(file, certificate)


def _write(file: Path, content: bytes) -> None:
    try:
        # Fails if the file exists; unreadable for others before the key is in it.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        why = "already exists" if isinstance(error, FileExistsError) else "cannot be written"
        raise Unusable(f"{file} {why}: give another file with --certificate.") from error
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
    except OSError as error:
        file.unlink(missing_ok=True)
        raise Unusable(f"{file} cannot be written: {error.strerror}.") from error


def key_credential(held: Held) -> dict[str, Any]:
    """The public part in the form of Graph's keyCredentials (facts: graph.md section 8)."""
    certificate = held.certificate
    return {
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "key": _der(certificate),
        "displayName": certificate.subject.rfc4514_string()[:90],
        "startDateTime": f"{certificate.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}",
        "endDateTime": f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
    }


def is_among(held: Held, application: Fields) -> bool:
    """Whether *application*, as Graph returned it, has this certificate."""
    return any(_is(held, key) for key in application.parts("keyCredentials"))


def _is(held: Held, key: Fields) -> bool:
    if key.text("key"):
        return key.text("key") == _der(held.certificate)
    # If Graph does not return the key, compare the thumbprint, which comes in two forms.
    digest = held.certificate.fingerprint(hashes.SHA1())
    forms = {digest.hex().upper(), base64.b64encode(digest).decode()}
    told = key.text("customKeyIdentifier")
    return told in forms or told.upper() in forms


def _der(certificate: x509.Certificate) -> str:
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
