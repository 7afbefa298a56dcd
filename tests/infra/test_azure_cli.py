"""Unusual calls of az: odd answers, prompts, no end, and a person who stops it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from infra.hooks import azure_cli
from tests.infra.conftest import Cloud
from tests.infra.template import INFRA

HOOK = [sys.executable, str(INFRA / "hooks" / "connect.py"), "postdeploy"]
FUNCTIONS = '{"value": [{"name": "photosync-abc/notifications"}]}'
KEYS = '{"graph": "a", "client-state": "b"}'


def replace_az(cloud: Cloud, script: str) -> None:
    (cloud.temporary.parent / "bin" / "az").write_text(f"#!/bin/sh\n{script}\n")


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo WARNING: old; echo '{}'", "az rest did not print a JSON object: "),
        ("echo '[]'", "az rest did not print a JSON object: "),
        ("true", "az rest did not print a JSON object: "),
        ("echo '{}'", "Azure answered without `value`"),
        ("""echo '{"value": [{}]}'""", "Azure answered without `name`"),
        (
            f"case $5 in *listkeys*) echo '{KEYS}';; *list*) echo '{{}}';; "
            f"*) echo '{FUNCTIONS}';; esac",
            "Azure answered without `properties`",
        ),
        ("exec /nowhere/az", "az rest: "),
        # Messages of az on Windows may not be UTF-8.
        ("printf 'ERROR: unm\\366glich' >&2; exit 1", "az rest: unm"),
    ],
)
def test_unusable_answer(cloud: Cloud, script: str, sentence: str):
    """One sentence says what to do; missing settings are never taken for none."""
    replace_az(cloud, script)

    done = cloud.hook("postdeploy")

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert done.stderr.startswith(sentence)


def test_az_has_no_input(cloud: Cloud):
    """az cannot read the input of the hook's caller."""
    replace_az(cloud, 'read answer && echo "ERROR: heard $answer" >&2\nexit 1')

    done = subprocess.run(
        HOOK, input="yes\n", env=cloud.env, capture_output=True, text=True, check=False
    )

    assert done.stderr == "az rest: no reason given\n"


def test_az_that_hangs(cloud, in_process, monkeypatch, capsys):
    """It is stopped, and a sentence says what to check."""
    monkeypatch.setattr(azure_cli, "LONGEST_CALL", 0.1)
    replace_az(cloud, "exec /bin/sleep 60")

    assert in_process("postdeploy")[0] == 1
    assert capsys.readouterr().err.startswith("az rest does not respond: check the network")


@pytest.mark.parametrize(
    ("number", "code", "sentence"),
    [
        (signal.SIGINT, 130, "Stopped before everything was connected: run "),
        (signal.SIGTERM, 128 + signal.SIGTERM, ""),
    ],
)
def test_a_signal_leaves_no_file(cloud, number, code, sentence):
    """The file for az is deleted, and there is no traceback."""
    if sys.platform == "win32":
        pytest.skip("no signal reaches one process there")
    pipe = cloud.temporary.parent / "pipe"
    os.mkfifo(pipe)
    replace_az(
        cloud,
        f"case $* in *--body*) echo reading >'{pipe}'; exec /bin/sleep 60;; "
        f"*listkeys*) echo '{{}}';; *) echo '{FUNCTIONS}';; esac",
    )
    with subprocess.Popen(HOOK, env=cloud.env, stderr=subprocess.PIPE, text=True) as hook:
        try:
            assert pipe.read_text() == "reading\n"
            assert len(list(cloud.temporary.iterdir())) == 1
            hook.send_signal(number)
            _, errors = hook.communicate(timeout=120)
        finally:
            hook.kill()

    assert list(cloud.temporary.iterdir()) == []
    assert hook.returncode == code
    assert errors.startswith(sentence)
    assert errors.count("\n") == (1 if sentence else 0)
