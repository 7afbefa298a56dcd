"""Azurite: blob and queue storage on free loopback ports."""

import base64
import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.cloud.children import Child
from local.cloud.node import NoPackages, find_node, install_packages

_NAME = "azurite"
PACKAGES = Path(__file__).with_name(_NAME)
_ENTRY = PACKAGES / "node_modules" / _NAME / "dist" / "src" / "azurite.js"
# Azurite prints the port in use, also if it chose one itself.
_LISTENING = re.compile(r"Azurite (\w+) service .*listen.* (http://127\.0\.0\.1:(\d+))$")
_ACCOUNT = "photosync"


@dataclass(frozen=True)
class Storage:
    """Addresses and connection string of the storage account."""

    connection_string: str
    blob: str
    queue: str


class Azurite:
    """
    One Azurite process with its own account and key.

    With a folder it keeps its data there; without one it loses everything at the end.
    *log_requests* logs each request that it answered.
    """

    def __init__(
        self, log: Path, *, folder: Path | None = None, log_requests: bool = False
    ) -> None:
        self._key = base64.b64encode(secrets.token_bytes(64)).decode("ascii")
        words = command(prepare(), folder, log_requests=log_requests)
        environ = {**os.environ, "AZURITE_ACCOUNTS": f"{_ACCOUNT}:{self._key}"}
        self.child = Child("Azurite", words, log=log, environ=environ)

    def wait_until_ready(self) -> Storage:
        """Return the endpoints once all services run; before that, Azurite ignores signals."""
        found: dict[str, str] = {}

        def all_three(line: str) -> bool | None:
            match = _LISTENING.search(line)
            if match and match.group(3) != "0":
                found[match.group(1)] = f"{match.group(2)}/{_ACCOUNT}"
            return True if {"Blob", "Queue", "Table"} <= found.keys() else None

        self.child.wait_for(all_three)
        return Storage(
            connection_string=";".join(
                [
                    "DefaultEndpointsProtocol=http",
                    f"AccountName={_ACCOUNT}",
                    f"AccountKey={self._key}",
                    f"BlobEndpoint={found['Blob']}",
                    f"QueueEndpoint={found['Queue']}",
                ]
            ),
            blob=found["Blob"],
            queue=found["Queue"],
        )

    def stop(self) -> None:
        self.child.stop()


def prepare() -> list[str]:
    """
    The program as the start of a command line; installed if necessary.

    If npm cannot install it, a copy of the same major version on this machine is used. Raises
    NoNode.
    """
    node = find_node()
    try:
        install_packages(PACKAGES, node)
    except NoPackages as error:
        wanted = json.loads((PACKAGES / "package.json").read_text("utf-8"))["dependencies"][_NAME]
        found = find_elsewhere(node, wanted.partition(".")[0], os.environ)
        if found is None:
            raise NoPackages(
                f"{error} Or install Azurite yourself: npm install --global {_NAME}@{wanted}."
            ) from error
        print(f"{error} For now, using this machine's Azurite: {found}", file=sys.stderr)
        return [str(node), str(found)]
    return [str(node), str(_ENTRY)]


def find_elsewhere(node: Path, major: str, environ: Mapping[str, str]) -> Path | None:
    """The program of an Azurite with this *major* version, on the PATH or beside *node*."""
    places = [node.parent.parent / "lib" / "node_modules" / _NAME]
    if on_path := shutil.which(_NAME, path=environ.get("PATH", "")):
        # npm creates a link to the program, and on Windows a script beside node_modules.
        places += [*Path(on_path).resolve().parents, Path(on_path).parent / "node_modules" / _NAME]
    for place in places:
        try:
            told = json.loads((place / "package.json").read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if told.get("name") == _NAME and str(told.get("version")).partition(".")[0] == major:
            program: str = told["bin"][_NAME]
            return place / program
    return None


def command(
    program: Sequence[str], folder: Path | None, *, log_requests: bool = False
) -> list[str]:
    """Return the command line of Azurite; port 0 lets the system pick."""
    words = [*program]
    for service in ("blob", "queue", "table"):
        words += [f"--{service}Host", "127.0.0.1", f"--{service}Port", "0"]
    words += ["--inMemoryPersistence"] if folder is None else ["--location", str(folder)]
    words += [] if log_requests else ["--silent"]
    return [*words, "--skipApiVersionCheck", "--disableTelemetry"]
