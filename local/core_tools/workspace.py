"""
The folder and environment in which Core Tools finds what our own host is told on its command line.

Documented: Azure/azure-functions-core-tools at 3ee97a6, `src/Cli/func`: StartHostAction (options),
SecretsManager (local.settings.json beside host.json; the environment goes before it),
SelfHostWebHostSettingsFactory (keys below the temporary folder), SecurityHelpers (the password may
be a file), PythonHelpers (`python3` of the PATH). Azure/azure-functions-host:
DefaultSecretManagerProvider and ScriptSecretSerializerV1 (keys as a file, and its form).
"""

import json
import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    load_pem_private_key,
    pkcs12,
)

from local.host.keys import Keys
from local.host.refusal import Refused
from local.host.settings import load_app_settings

_SETTINGS = "local.settings.json"


class Workspace:
    """
    A folder of its own beside the settings, made anew: the app by links, its settings, the keys
    and the certificate. Core Tools writes into no folder of the app, and reads no settings there.

    Raises Refused for settings that cannot be read, and for a key that no PFX file can hold.
    """

    def __init__(
        self, settings: Path, app: Path, keys: Keys, certificate: Path | None, key: Path | None
    ) -> None:
        self._settings = load_app_settings(settings)
        self._folder = settings.resolve().parent / f"core-tools-{settings.stem}"
        shutil.rmtree(self._folder, ignore_errors=True)
        self.app = self._folder / "app"
        self.app.mkdir(parents=True)
        _link(app.resolve(), self.app)
        _write(self.app / _SETTINGS, settings.read_bytes())
        place = self._folder / "tmp" / "secrets" / "functions" / "secrets"
        place.mkdir(parents=True)
        _write(place / "host.json", json.dumps(_secrets(keys)).encode())
        self._certified: list[str] = []
        if certificate and key:
            self._certified = self._certify(certificate, key)

    def arguments(self, port: int) -> list[str]:
        """What follows `func`."""
        return ["start", "--port", str(port), "--enableAuth", *self._certified]

    def environ(self, environ: Mapping[str, str], ca: Path | None) -> dict[str, str]:
        """The environment of `func` in *environ*; the app's own calls trust *ca*."""
        # What stands here goes before local.settings.json, and so none of the settings may.
        kept = {name: value for name, value in environ.items() if name not in self._settings}
        path = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", "")])
        return {
            **kept,
            **dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(self._folder / "tmp")),
            "PATH": path,
            "AzureWebJobsSecretStorageType": "files",
            "FUNCTIONS_CORE_TOOLS_TELEMETRY_OPTOUT": "1",
            # Core Tools switches it on where it is empty.
            "PYTHON_ENABLE_DEBUG_LOGGING": "0",
            **({"REQUESTS_CA_BUNDLE": str(ca.resolve())} if ca else {}),
        }

    def _certify(self, certificate: Path, key: Path) -> list[str]:
        first, *others = x509.load_pem_x509_certificates(certificate.read_bytes())
        private = load_pem_private_key(key.read_bytes(), password=None)
        if not isinstance(private, RSAPrivateKey | EllipticCurvePrivateKey):
            raise Refused(f"{key.name} holds a key of a kind that no PFX file can hold")
        password = secrets.token_urlsafe(24)
        encrypted = BestAvailableEncryption(password.encode())
        held = pkcs12.serialize_key_and_certificates(b"host", private, first, others, encrypted)
        file, secret = self._folder / "server.pfx", self._folder / "server.password"
        _write(file, held)
        _write(secret, password.encode())
        return ["--useHttps", "--cert", str(file), "--password", str(secret)]


def real_program(func: str) -> str:
    """
    The program behind the command that npm installs.

    That one is a script, and what it starts would outlive it when it is killed
    (eng/tools/publish-tools/npm/lib/main.js of the same repository).
    """
    script = Path(func).resolve()
    program = script.parent.parent / "bin" / "func"
    if script.suffix.lower() == ".cmd":
        # On Windows npm has a script of its own beside the packages.
        package = script.parent / "node_modules" / "azure-functions-core-tools"
        program = package / "bin" / "func.exe"
    return str(program) if script.suffix and program.exists() else func


def _link(app: Path, place: Path) -> None:
    for entry in app.iterdir():
        if not entry.name.startswith((".", "__pycache__")) and entry.name != _SETTINGS:
            _show(entry, place / entry.name)


def _show(entry: Path, there: Path) -> None:
    if sys.platform != "win32":
        there.symlink_to(entry)  # windows: below
    # A link takes a right there that few people have.
    elif entry.is_dir():
        shutil.copytree(entry, there)
    else:
        shutil.copy2(entry, there)


def _secrets(keys: Keys) -> dict[str, object]:
    return {
        "masterKey": {"name": "master", "value": keys.master, "encrypted": False},
        "functionKeys": [{"name": "default", "value": keys.host, "encrypted": False}],
        "systemKeys": [],
    }


def _write(path: Path, content: bytes) -> None:
    # Unreadable for others before anything is in it.
    path.touch(mode=0o600)
    path.write_bytes(content)
