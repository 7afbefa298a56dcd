"""What a new instance loads before it answers Graph, which waits three seconds."""

from __future__ import annotations

import subprocess
import sys

import pytest

from local.bench.measuring import fresh_process
from local.bench.webhook import first_answer
from tests import REPO

HEAVY = ["requests", "msal", "PIL", "azure.storage", "azure.identity", "cryptography"]
# Our modules that a new instance loads before it answers Graph; each costs about a millisecond.
ON_THE_WEBHOOKS_PATH = {
    "function_app",
    "shared",
    "shared.console",
    "shared.console.answers",
    "shared.counts",
    "shared.errors",
    "shared.messages",
    "shared.messages.base64_text",
    "shared.messages.signed",
    "shared.messages.sweep_id",
    "shared.messages.sync_message",
    "shared.messages.upkeep_message",
    "shared.moments",
    "shared.settings",
    "shared.settings.console",
    "shared.settings.webhook",
    "shared.signature",
    "shared.telemetry",
    "shared.telemetry.telemetry",
    "shared.user",
    "shared.version",
    "shared.webhook",
    "shared.webhook.notifications",
}


def run(program: str) -> str:
    """The output of *program* in a new interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPO, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_webhook_imports_nothing_heavy():
    """Importing function_app loads no package that only the worker needs."""
    program = f"import sys, function_app; print([m for m in {HEAVY!r} if m in sys.modules])"

    assert run(program) == "[]"


@pytest.mark.parametrize("items", [0, 2], ids=["handshake", "notifications"])
def test_webhook_answers_without_anything_heavy(items: int):
    """The first answer in a new process loads none of them, either."""
    program = (
        "import asyncio, pathlib, sys; from local.bench.webhook import first_answer\n"
        f"queued = asyncio.run(first_answer.answer(pathlib.Path.cwd(), {items}))\n"
        f"print(queued, [m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = fresh_process.run(["-c", program], environ=first_answer.SETTINGS)

    assert done.stdout.strip() == f"{items} []"


def test_webhook_imports_only_what_it_needs():
    """Besides azure.functions and the standard library, function_app loads only these modules."""
    program = (
        "import sys, azure.functions; before = set(sys.modules)\n"
        "import function_app; print(*(set(sys.modules) - before))"
    )

    loaded = {
        name
        for name in run(program).split()
        if name.partition(".")[0] not in sys.stdlib_module_names
    }

    assert loaded == ON_THE_WEBHOOKS_PATH


def test_import_reads_no_setting():
    """function_app can be imported and indexed without any app setting."""
    program = (
        "import os; os.environ = {}\n"
        "import function_app; print(len(function_app.app.get_functions()) > 0)"
    )

    assert run(program) == "True"
