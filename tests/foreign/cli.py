"""CLI for Microsoft 365 as published, signed in by certificate at the real host names."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local.cloud.endpoints import Endpoints
from local.up import CLI_CLOUDS
from tests.foreign.programs import CLIENTS, output, way_to

PROGRAM = CLIENTS / "node_modules" / "@pnp" / "cli-microsoft365" / "dist" / "index.js"
CLI = Callable[..., Any]


def signed_in(at: Endpoints, node: Path, home: Path) -> CLI:
    """A function that runs a command and returns its JSON, or its error; without telemetry."""
    environ = {**way_to(at, home), "CLIMICROSOFT365_NOUPDATE": "1"}

    def run(*words: str, code: int = 0) -> Any:
        printed = output([node, PROGRAM, *words, "--output", "json"], environ, code=code)
        return json.loads(printed) if printed and not code else printed

    # The file that `m365 cli config set` writes; that command itself would still send telemetry.
    settings = home / ".config" / "configstore" / "cli-m365-config.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"disableTelemetry": true}')
    proof = ("--certificateFile", at.client_certificate, "--appId", at.client_id)
    where = ("--tenant", at.tenant_id, "--cloud", CLI_CLOUDS[at.cloud])
    run("login", "--authType", "certificate", *proof, *where)
    return run
