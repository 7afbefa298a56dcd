"""A fake `func` for the PATH, which checks that it gets what Core Tools reads."""

import json
import os
import shutil
import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

REPO = Path(__file__).resolve().parents[3]


def main() -> None:
    start, *rest = sys.argv[1:]
    assert start == "start"
    assert [each for each in rest if each.startswith("--")] == [
        *("--port", "--enableAuth", "--useHttps", "--cert", "--password")
    ]
    port, file, secret = (
        rest[rest.index(f"--{each}") + 1] for each in ("port", "cert", "password")
    )
    settings = json.loads(Path("local.settings.json").read_text("utf-8"))["Values"]
    assert settings.keys().isdisjoint(os.environ), "the environment would win over the settings"
    assert os.environ["AzureWebJobsSecretStorageType"] == "files"
    assert shutil.which("python3") == str(Path(sys.executable).parent / "python3")
    private = Path(os.environ["TMPDIR"])
    secrets = json.loads((private / "secrets" / "functions" / "secrets" / "host.json").read_text())
    keys = {"host": secrets["functionKeys"][0]["value"], "master": secrets["masterKey"]["value"]}
    (private / "keys.json").write_text(json.dumps(keys))
    password = Path(secret).read_text().strip().encode()
    key, certificate, _ = pkcs12.load_key_and_certificates(Path(file).read_bytes(), password)
    assert key
    assert certificate
    (private / "server.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (private / "server-key.pem").write_bytes(plain)
    command = [
        *(sys.executable, "-m", "local.host", "--settings", "local.settings.json", "--app", "."),
        *("--key-file", str(private / "keys.json"), "--port", port),
        *("--certificate", str(private / "server.pem"), "--key", str(private / "server-key.pem")),
        *("--ca", os.environ["REQUESTS_CA_BUNDLE"]),
    ]
    sys.stdout.write("started by Core Tools\n")
    sys.stdout.flush()
    os.execve(command[0], command, {**os.environ, "PYTHONPATH": str(REPO)})


main()
