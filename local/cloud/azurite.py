"""Azurite: real blob and queue storage on free loopback ports, for as long as it is wanted."""

import base64
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from local.cloud.children import Child
from local.cloud.node import find_node, install_packages

PACKAGES = Path(__file__).with_name("azurite")
_ENTRY = PACKAGES / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
# Azurite names the port it really got, also when it was told to pick one.
_LISTENING = re.compile(r"Azurite (\w+) service .*listen.* (http://127\.0\.0\.1:(\d+))$")
_ACCOUNT = "photosync"


@dataclass(frozen=True)
class Storage:
    """Where the storage account is and how to get in."""

    connection_string: str
    blob: str
    queue: str


class Azurite:
    """
    One Azurite process with an account and a key of its own.

    With a folder it keeps its data there, without one it forgets everything at the end. With
    *log_requests* it writes each request it answered into its log.
    """

    def __init__(
        self, log: Path, *, folder: Path | None = None, log_requests: bool = False
    ) -> None:
        self._key = base64.b64encode(secrets.token_bytes(64)).decode("ascii")
        node = prepare()
        environ = {**os.environ, "AZURITE_ACCOUNTS": f"{_ACCOUNT}:{self._key}"}
        words = command(node, folder, log_requests=log_requests)
        self.child = Child("Azurite", words, log=log, environ=environ)

    def wait_until_ready(self) -> Storage:
        """Return the endpoints once everything is served; only then does Azurite heed signals."""
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


def prepare() -> Path:
    """Make sure that Azurite can start, installing it if need be; return its Node.js."""
    node = find_node()
    install_packages(PACKAGES, node)
    return node


def command(node: Path, folder: Path | None, *, log_requests: bool = False) -> list[str]:
    """Return the command line of Azurite; port 0 lets the system pick."""
    words = [str(node), str(_ENTRY)]
    for service in ("blob", "queue", "table"):
        words += [f"--{service}Host", "127.0.0.1", f"--{service}Port", "0"]
    words += ["--inMemoryPersistence"] if folder is None else ["--location", str(folder)]
    words += [] if log_requests else ["--silent"]
    return [*words, "--skipApiVersionCheck", "--disableTelemetry"]
