"""
The folder and environment that give Core Tools what our own host gets on its command line.

Documented: Azure/azure-functions-core-tools at 3ee97a6, `src/Cli/func`: StartHostAction (options),
SecretsManager (local.settings.json beside host.json; the environment overrides it),
SelfHostWebHostSettingsFactory (keys below the temporary folder), SecurityHelpers (the password may
be a file), PythonHelpers (`python3` from the PATH). Azure/azure-functions-host:
DefaultSecretManagerProvider and ScriptSecretSerializerV1 (the key file and its format).
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
    A new folder beside the settings, with links to the app, its settings, the keys and the
    certificate. Core Tools neither writes into the app's own folder nor reads settings there.

    Raises Refused if the settings cannot be read, or if a PFX file cannot hold the key.
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
        """The arguments of `func`."""
        return ["start", "--port", str(port), "--enableAuth", *self._certified]

    def environ(self, environ: Mapping[str, str], ca: Path | None) -> dict[str, str]:
        """The environment of `func` in *environ*; the app's own calls trust *ca*."""
        # The environment overrides local.settings.json, so leave the settings' names out.
        kept = {name: value for name, value in environ.items() if name not in self._settings}
        path = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", "")])
        return {
            **kept,
            **dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(self._folder / "tmp")),
            "PATH": path,
            "AzureWebJobsSecretStorageType": "files",
            "FUNCTIONS_CORE_TOOLS_TELEMETRY_OPTOUT": "1",
            # Core Tools turns it on if the variable is empty.
            "PYTHON_ENABLE_DEBUG_LOGGING": "0",
            **({"REQUESTS_CA_BUNDLE": str(ca.resolve())} if ca else {}),
        }

    def _certify(self, certificate: Path, key: Path) -> list[str]:
        first, *others = x509.load_pem_x509_certificates(certificate.read_bytes())
        private = load_pem_private_key(key.read_bytes(), password=None)
        if not isinstance(private, RSAPrivateKey | EllipticCurvePrivateKey):
            raise Refused(f"{key.name} holds a kind of key that a PFX file cannot hold")
        password = secrets.token_urlsafe(24)
        encrypted = BestAvailableEncryption(password.encode())
        held = pkcs12.serialize_key_and_certificates(b"host", private, first, others, encrypted)
        file, secret = self._folder / "server.pfx", self._folder / "server.password"
        _write(file, held)
        _write(secret, password.encode())
        return ["--useHttps", "--cert", str(file), "--password", str(secret)]


def real_program(func: str) -> str:
    """
    The program that npm's command starts.

    The command is a script, and the program would outlive it if the script were killed
    (eng/tools/publish-tools/npm/lib/main.js of the same repository).
    """
    script = Path(func).resolve()
    program = script.parent.parent / "bin" / "func"
    if script.suffix.lower() == ".cmd":
        # On Windows npm puts its own script beside the packages.
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
    # On Windows, creating a link takes a right that few people have.
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
    # Private before it has any content.
    path.touch(mode=0o600)
    path.write_bytes(content)
