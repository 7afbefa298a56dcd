"""Tokens from the user's Azure CLI (facts: graph.md section 9). Never shown."""

from __future__ import annotations

import json
import shutil
import subprocess

from admin.entra import claims
from admin.terminal.problems import Refused, Unusable

_SECONDS = 120


def path() -> str | None:
    """The path of the Azure CLI; None if it is not installed."""
    return shutil.which("az")


def token(az: str, wanted: list[str], tenant: str) -> str:
    """
    A token; *wanted* is `--resource` or `--scope` and its value. An empty *tenant* means the
    account's own.

    Raises Refused with the CLI's message, and Unusable if the CLI does not answer. The result may
    not be a token: see `claims.is_token`.
    """
    command = [az, "account", "get-access-token", *wanted, "-o", "json"]
    command += ["--tenant", tenant] if tenant else []
    told = _ask(command)
    # Documented for a future version of the CLI: it shows the token only on demand.
    return told if claims.is_token(told) else _ask([*command, "--plaintext"])


def _ask(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            # On Windows it writes in the terminal's code page.
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unusable("The Azure CLI does not respond: run az login.") from error
    if done.returncode:
        raise Refused(f"The Azure CLI returned no token: {_first_line(done.stderr)}")
    try:
        return str(json.loads(done.stdout)["accessToken"])
    except (ValueError, TypeError, KeyError):
        return ""


def _first_line(text: str) -> str:
    """The first line of the CLI's message, which is never a token."""
    lines = [line.removeprefix("ERROR: ").strip() for line in text.splitlines()]
    told = next(
        (line for line in lines if line and not line.startswith("WARNING")), "it gave no reason"
    )
    return f"{told[:300].rstrip('.')}. Run az login (az cloud set first, for a national cloud)."
