"""CLIENT_CERTIFICATE in every form that an admin may paste, and in forms that cannot work."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import SettingsError
from shared.microsoft365.certificates import credential
from tests.doubles.web import NOON

# PKCS 8 with an algorithm that does not exist: 1.2.3.4.
UNKNOWN_KEY = (
    "-----BEGIN PRIVATE KEY-----\nMBECAQAwBwYDKgMEBQAEAwIBAQ==\n-----END PRIVATE KEY-----\n"
)


class Pair(NamedTuple):
    key: Any
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        return self.key_pem() + self.certificate.public_bytes(Encoding.PEM).decode()

    def key_pem(self, protection: Any = None) -> str:
        pem: bytes = self.key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, protection or NoEncryption()
        )
        return pem.decode()

    def pfx(self, *more: x509.Certificate) -> bytes:
        return pkcs12.serialize_key_and_certificates(
            b"photosync", self.key, self.certificate, more, NoEncryption()
        )


def make(key: Any) -> Pair:
    name = x509.Name.from_rfc4514_string("CN=photosync")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOON)
        .not_valid_after(NOON + timedelta(days=1))
        .sign(key, SHA256())
    )
    return Pair(key, certificate)


OURS = make(rsa.generate_private_key(65537, 2048))
OTHER = make(rsa.generate_private_key(65537, 2048))
CURVE = make(ec.generate_private_key(ec.SECP256R1()))
OUR_CERTIFICATE = OURS.certificate.public_bytes(Encoding.PEM).decode()
OTHER_CERTIFICATE = OTHER.certificate.public_bytes(Encoding.PEM).decode()
PFX = base64.b64encode(OURS.pfx()).decode()

FORMS = {
    "PEM": OURS.pem,
    "PEM, certificate first": OUR_CERTIFICATE + OURS.key_pem(),
    "PEM, other certificates of a chain before ours": OTHER_CERTIFICATE + OURS.pem,
    "PEM, line breaks as backslash n": OURS.pem.replace("\n", "\\n"),
    "PEM, spaces around": f"\n  {OURS.pem}  \n",
    "PFX in base64": PFX,
    "PFX in base64, in lines": base64.encodebytes(OURS.pfx()).decode(),
    "PFX with a chain": base64.b64encode(OURS.pfx(OTHER.certificate)).decode(),
}


@pytest.mark.parametrize("setting", FORMS.values(), ids=FORMS)
def test_key_and_its_certificate_are_found(setting):
    """Each form yields the private key and the certificate that matches it."""
    assert credential(setting) == (OURS.key_pem(), OUR_CERTIFICATE)


@pytest.mark.parametrize("content", [OURS.pem.encode(), OURS.pfx()], ids=["PEM", "PFX"])
def test_path_of_a_file(tmp_path: Path, content: bytes):
    """The setting may be the path of a file in either format."""
    path = tmp_path / "MIne.pem"
    path.write_bytes(content)

    assert credential(str(path)) == (OURS.key_pem(), OUR_CERTIFICATE)


REFUSED = {
    "certificate of another key": (
        OURS.key_pem() + OTHER_CERTIFICATE,
        "no certificate in it matches the private key",
    ),
    "no certificate": (OURS.key_pem(), "cannot be read"),
    "no private key": (OUR_CERTIFICATE, "cannot be read"),
    "key with a password": (
        OURS.key_pem(BestAvailableEncryption(b"secret")) + OUR_CERTIFICATE,
        "cannot be read",
    ),
    "elliptic curve": (CURVE.pem, "must be RSA"),
    "PFX without key": (
        base64.b64encode(
            pkcs12.serialize_key_and_certificates(
                None, None, OURS.certificate, None, NoEncryption()
            )
        ).decode(),
        "must be RSA",
    ),
    "PFX cut off": (PFX[:-400], "cannot be read"),
    "broken base64": (f"{PFX[:-3]}!!!", "is not valid base64"),
    "no such file": ("secret/photosync.pem", "no such file"),
    "a folder": (".", "no such file"),
    "NUL in a path": ("secret\0.pem", "no such file"),
    "unknown algorithm": (UNKNOWN_KEY, "cannot be read"),
    "text that no file can hold": ("-----BEGIN\udcff", "cannot be read"),
}


@pytest.mark.parametrize(("setting", "why"), REFUSED.values(), ids=REFUSED)
def test_unusable_certificate_is_refused_with_its_reason(setting, why):
    """The SettingsError names the setting and says why, and never quotes the value."""
    with pytest.raises(SettingsError, match=f"CLIENT_CERTIFICATE.*{why}") as caught:
        credential(setting)

    assert setting == "." or setting[:12] not in str(caught.value)


@given(st.text() | st.text().map("-----BEGIN {}".format))
def test_any_text_is_refused(setting):
    """No text causes any other error."""
    with pytest.raises(SettingsError):
        credential(setting)
