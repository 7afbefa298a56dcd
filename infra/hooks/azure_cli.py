"""Calls the Azure CLI for the hooks: no prompts, a timeout, and no secrets in errors."""

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
# Seconds. A request to Azure takes a few; its gateway ends any request after four minutes.
LONGEST_CALL = 300.0
# Azure may repeat what it was sent. Shorter settings are not hidden: they are not secrets.
SHORTEST_SECRET = 20


class HookError(Exception):
    """One sentence that says why the app could not be connected. It never contains a secret."""


class AzureCli:
    """`az`; raises only HookError."""

    def __init__(self) -> None:
        found = shutil.which("az")
        if found is None:
            raise HookError("az is missing: install the Azure CLI, then run `az login`.")
        self._az = found

    def ask(self, method: str, url: str) -> dict[str, Any]:
        """Return the answer of Azure Resource Manager."""
        told = self.run(["rest", "--method", method, "--url", url])
        try:
            answer = json.loads(told)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            # Do not show it: it may contain a key.
            raise HookError(
                "az rest did not print a JSON object: check whether `az account show` does "
                f"(az upgrade may help), then run {AGAIN}."
            )
        return answer

    def put(self, url: str, properties: Mapping[str, str]) -> None:
        """Write *properties*, which are secret."""
        # Through a file that only we can read: other users can see command lines.
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
        """Return what az prints; its errors must not contain the texts in *hide*."""
        try:
            done = subprocess.run(
                [self._az, *arguments, "--only-show-errors"],
                capture_output=True,
                # It may ask, say, to install an extension, but nobody would see the question.
                stdin=subprocess.DEVNULL,
                timeout=LONGEST_CALL,
                encoding="utf-8",
                # On Windows az writes in the terminal's code page.
                errors="replace",
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            # Not `from error`: the cause contains the whole command line.
            raise HookError(
                f"az {arguments[0]} does not respond: check the network and `az account show`, "
                f"then run {AGAIN}."
            ) from None
        if done.returncode:
            raise HookError(f"az {arguments[0]}: {_told(done.stderr, hide)}")
        return done.stdout


def part(answer: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """Return the field *name*. Raises HookError if it is missing or has another type."""
    found = answer.get(name)
    if not isinstance(found, kind):
        raise HookError(
            f"Azure answered without `{name}`: run {AGAIN} in a few minutes, or az upgrade first."
        )
    return found


def _told(errors: str, hide: Sequence[str]) -> str:
    """The first meaningful line of az's error output, without the secrets."""
    for secret in hide:
        errors = errors.replace(secret, "...")
    lines = (line.removeprefix("ERROR:").strip() for line in errors.splitlines())
    telling = (line for line in lines if line and not line.startswith("The command failed with"))
    return next(telling, "no reason given")[:300]
