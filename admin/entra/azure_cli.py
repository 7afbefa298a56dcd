"""Tokens from the Azure CLI of who sits here (facts: graph.md section 9). Never shown."""

from __future__ import annotations

import json
import shutil
import subprocess

from admin.entra import claims
from admin.terminal.problems import Refused, Unusable

_SECONDS = 120


def path() -> str | None:
    """Where the Azure CLI is; None where there is none."""
    return shutil.which("az")


def token(az: str, wanted: list[str], tenant: str) -> str:
    """
    A token; *wanted* is `--resource` or `--scope` and its value, an empty *tenant* the account's.

    Raises Refused with what the CLI says, and Unusable where it does not answer. What comes back
    may be no token: see `claims.is_token`.
    """
    command = [az, "account", "get-access-token", *wanted, "-o", "json"]
    command += ["--tenant", tenant] if tenant else []
    told = _ask(command)
    # Documented for a next version of the CLI: the token is shown on demand only.
    return told if claims.is_token(told) else _ask([*command, "--plaintext"])


def _ask(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            # On Windows it writes in the code page of the terminal.
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unusable("The Azure CLI does not answer: run az login.") from error
    if done.returncode:
        raise Refused(f"The Azure CLI gives no token: {_first_line(done.stderr)}")
    try:
        return str(json.loads(done.stdout)["accessToken"])
    except (ValueError, TypeError, KeyError):
        return ""


def _first_line(text: str) -> str:
    """What the CLI says first, which is never a token."""
    lines = [line.removeprefix("ERROR: ").strip() for line in text.splitlines()]
    told = next((line for line in lines if line and not line.startswith("WARNING")), "no reason")
    return f"{told[:300].rstrip('.')}. Run az login (az cloud set first, for a national cloud)."
