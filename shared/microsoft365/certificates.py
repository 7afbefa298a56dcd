"""Reads the certificate that authenticates PhotoSync, in any form that the setting allows."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)

from shared.errors import SettingsError

_FORMS = (
    "CLIENT_CERTIFICATE must be PEM text with the private key and the certificate, a PFX file "
    "without a password in base64, or the path of either"
)


class Credential(NamedTuple):
    """Private key and its certificate, both PEM."""

    private_key: str
    certificate: str


def credential(setting: str) -> Credential:
    """
    The key pair in *setting*: PEM text, a base64 PFX, or the path of a PEM or PFX file.

    Raises SettingsError; its sentence never contains the setting's value.
    """
    data = _read(setting.strip())
    try:
        key, certificates = _from_pem(data) if b"-----BEGIN" in data else _from_pfx(data)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"{_FORMS}; the current value cannot be read.") from error
    # Entra accepts only RSA certificates, and a chain may be in any order.
    if not isinstance(key, RSAPrivateKey):
        raise SettingsError(f"{_FORMS}; the key must be RSA.")
    ours = _public(key.public_key())
    for certificate in certificates:
        if _public(certificate.public_key()) == ours:
            return Credential(
                key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
                certificate.public_bytes(Encoding.PEM).decode(),
            )
    raise SettingsError(f"{_FORMS}; no certificate in it matches the private key.")


def ends_at(certificate: str) -> datetime:
    """When a PEM *certificate* expires."""
    return x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc


def _read(setting: str) -> bytes:
    if "-----BEGIN" in setting:
        # Portals and shells may store line breaks in a setting as the two characters \n.
        return setting.replace("\\n", "\n").encode(errors="replace")
    # Every PFX is a DER sequence, so its base64 begins with "MI". A path need not.
    if setting.startswith("MI") and len(setting) > 400:
        try:
            return base64.b64decode("".join(setting.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise SettingsError(f"{_FORMS}; the current value is not valid base64.") from error
    try:
        return Path(setting).read_bytes()
    except (OSError, ValueError) as error:
        raise SettingsError(f"{_FORMS}; there is no such file.") from error


def _from_pem(data: bytes) -> tuple[object, list[x509.Certificate]]:
    return load_pem_private_key(data, password=None), x509.load_pem_x509_certificates(data)


def _from_pfx(data: bytes) -> tuple[object, list[x509.Certificate]]:
    bundle = pkcs12.load_pkcs12(data, None)
    held = [bundle.cert, *bundle.additional_certs]
    return bundle.key, [entry.certificate for entry in held if entry is not None]


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
