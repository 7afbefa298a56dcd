"""The Azure CLI as the hooks call it: it asks nobody, ends in time, and shows no secret."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

AGAIN = "`azd hooks run postdeploy`"
# A request to Azure takes a few seconds, and a slow one less than the four minutes of its gateway.
LONGEST_CALL = 300.0
# Azure may answer with what it was sent.
SHORTEST_SECRET = 20


class HookError(Exception):
    """Why the app could not be connected, in a sentence; it never shows a secret."""


class AzureCli:
    """`az`; every error is a HookError."""

    def __init__(self) -> None:
        found = shutil.which("az")
        if found is None:
            raise HookError("az is missing: install the Azure CLI, then run `az login`.")
        self._az = found

    def ask(self, method: str, url: str) -> dict[str, Any]:
        """What Azure Resource Manager answers."""
        told = self.run(["rest", "--method", method, "--url", url])
        try:
            answer = json.loads(told)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            # What it is cannot be shown: there may be a key in it.
            raise HookError(
                "az rest printed something else than one JSON object: see whether "
                f"`az account show` does so too (az upgrade may help), then run {AGAIN}."
            )
        return answer

    def put(self, url: str, properties: Mapping[str, str]) -> None:
        """Write *properties*, which are secret."""
        # In a file that only we can read: a command line is there for everybody to see.
        handle, name = tempfile.mkstemp(suffix=".json")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as body:
                json.dump({"properties": properties}, body)
            secrets = [value for value in properties.values() if len(value) >= SHORTEST_SECRET]
            command = ["rest", "--method", "put", "--url", url, "--body", f"@{name}"]
            self.run([*command, "--output", "none"], hide=secrets)
        finally:
            Path(name).unlink()

    def run(self, arguments: list[str], *, hide: Sequence[str] = ()) -> str:
        """What az prints; *hide* are texts that its errors must not show."""
        try:
            done = subprocess.run(
                [self._az, *arguments, "--only-show-errors"],
                capture_output=True,
                # It may ask, such as whether to install an extension: nobody would see that.
                stdin=subprocess.DEVNULL,
                timeout=LONGEST_CALL,
                encoding="utf-8",
                # On Windows it writes in the code page of the terminal.
                errors="replace",
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            # Without what is behind it: that names the whole command.
            raise HookError(
                f"az {arguments[0]} does not answer: check the network and `az account show`, "
                f"then run {AGAIN}."
            ) from None
        if done.returncode:
            raise HookError(f"az {arguments[0]}: {_told(done.stderr, hide)}")
        return done.stdout


def part(answer: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """What stands under *name*, which must be there."""
    found = answer.get(name)
    if not isinstance(found, kind):
        raise HookError(
            f"Azure answered without `{name}`: run {AGAIN} in a few minutes, or az upgrade first."
        )
    return found


def _told(errors: str, hide: Sequence[str]) -> str:
    """The first line of what az says that tells something."""
    for secret in hide:
        errors = errors.replace(secret, "...")
    lines = (line.removeprefix("ERROR:").strip() for line in errors.splitlines())
    telling = (line for line in lines if line and not line.startswith("The command failed with"))
    return next(telling, "no reason given")[:300]
