"""What a new instance loads before it answers Graph, which waits three seconds."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests import REPO

HEAVY = ["requests", "msal", "PIL", "azure.storage", "azure.identity", "cryptography"]
# Our modules that a new instance loads before it answers Graph; each costs about a millisecond.
ON_THE_WEBHOOKS_PATH = (
    "console.answers counts errors messages.base64_text messages.signed messages.sweep_id "
    "messages.sync_message messages.upkeep_message moments settings.console settings.webhook "
    "signature telemetry.telemetry user version webhook.notifications"
)
TOKEN = "Validation: Testing client application reachability"
# What the webhook needs to accept a notification as genuine.
SETTINGS = {"TENANT_ID": "00000000-0000-4000-8000-000000000001", "CLIENT_STATE": "secret"}
# Answers through the engine, as a new instance does.
ANSWER = f"""
import asyncio, pathlib, sys
from local.bench.webhook.webhook_process import notifications, post, queued
from local.host.engine import Engine

async def answer(items):
    engine, body = Engine(), notifications(items) if items else b""
    ids = {{each.name: each.id for each in await engine.load(pathlib.Path.cwd())}}
    query = {{}} if items else {{"validationToken": "{TOKEN}"}}
    ended = await post(engine, ids["notifications"], body=body, query=query)
    value = ended.returned.value
    print(value["status_code"].value, value["body"].value, queued(ended))
"""


def run(program: str, **settings: str) -> str:
    """The output of *program* in a new interpreter, with these app settings."""
    env = {**os.environ, **SETTINGS, **settings}
    words = [sys.executable, "-c", program]
    return subprocess.check_output(words, cwd=REPO, env=env, text=True).strip()


@pytest.mark.parametrize(
    ("items", "answered"),
    [(0, f"200 {TOKEN.encode()!r} 0"), (3, "202 b'' 3")],
    ids=["handshake", "notifications"],
)
def test_webhook_answers_without_anything_heavy(items: int, answered: str):
    """The first answer in a new process loads no package that only the worker needs."""
    loaded = f"print([m for m in {HEAVY!r} if m in sys.modules])"

    assert run(f"{ANSWER}asyncio.run(answer({items}))\n{loaded}") == f"{answered}\n[]"


def test_webhook_imports_only_what_it_needs():
    """Besides azure.functions and the standard library, function_app loads only these modules."""
    program = (
        "import sys, azure.functions; before = set(sys.modules)\n"
        "import function_app; new = set(sys.modules) - before\n"
        "print(*(name for name in new if not hasattr(sys.modules[name], '__path__')))"
    )

    loaded = {
        name
        for name in run(program).split()
        if name.partition(".")[0] not in sys.stdlib_module_names
    }

    assert loaded == {"function_app", *(f"shared.{each}" for each in ON_THE_WEBHOOKS_PATH.split())}


def test_import_reads_no_setting():
    """function_app can be imported and indexed without any app setting."""
    program = (
        "import os; os.environ = {}\n"
        "import function_app; print(len(function_app.app.get_functions()) > 0)"
    )

    assert run(program) == "True"
