"""
Commands that a person copies are read word by word, in sh and in PowerShell.

sh runs them here. Few test machines have PowerShell: without it only the text is compared.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from admin.terminal.shell import Shell

SH, POWERSHELL = Shell(powershell=False), Shell(powershell=True)
ECHO = "import json, sys; sys.stdout.write(json.dumps(sys.argv[1:]))"
WORDS = [
    "anne@contoso.com",
    "o'brien@contoso.com",
    "@a b",
    "",
    'a"b',
    "$HOME",
    "%PATH%",
    "a;b",
    "-x.y",
]


@pytest.mark.parametrize(
    ("shell", "run"),
    [(SH, ["sh", "-c"]), (POWERSHELL, ["pwsh", "-NoProfile", "-Command"])],
    ids=["sh", "PowerShell 7"],
)
def test_words_are_passed_on(tmp_path, shell, run):
    """A program gets exactly these words."""
    if not shutil.which(run[0]):
        pytest.skip(f"{run[0]} is not installed here")
    script = tmp_path / "it's mine.py"
    script.write_text(ECHO, "utf-8")
    line = shell.command(sys.executable, str(script), *WORDS)

    done = subprocess.run([*run, line], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == WORDS


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("anne@contoso.com", "anne@contoso.com"),
        (r"C:\photosync\ca.pem", r"C:\photosync\ca.pem"),
        ("https://localhost:7071/api", "https://localhost:7071/api"),
        ("--cacert", "--cacert"),
        ("-x.y", "'-x.y'"),
        ("@file", "'@file'"),
        ("$HOME", "'$HOME'"),
        ("a b", "'a b'"),
        ("a,b", "'a,b'"),
        ("", "''"),
        ("o'brien", "'o''brien'"),
        ("o\u2019brien", "'o\u2019\u2019brien'"),
    ],
)
def test_words_in_powershell(word, written):
    """In single quotation marks nothing has a meaning but they, and their typographic sisters."""
    assert POWERSHELL.word(word) == written


@pytest.mark.parametrize(
    ("name", "written"),
    [("anne@contoso.com", "anne@contoso.com"), ("-anne@contoso.com", "-- '-anne@contoso.com'")],
)
def test_users_in_powershell(name, written):
    """A name that begins with - is neither an option of ours nor one of PowerShell's."""
    assert POWERSHELL.user(name) == written


def test_a_program_with_a_space_in_powershell():
    """A text in quotation marks is run only with &."""
    line = POWERSHELL.command(r"C:\Program Files\Python313\python.exe", "manage.py", "status")

    assert line == r"& 'C:\Program Files\Python313\python.exe' manage.py status"


def test_settings():
    """They last until the shell ends; an empty value unsets the variable."""
    assert SH.setting("PHOTOSYNC_CA", "/a b/ca.pem") == "export PHOTOSYNC_CA='/a b/ca.pem'"
    assert SH.setting("PHOTOSYNC_KEY", "") == "export PHOTOSYNC_KEY="
    assert POWERSHELL.setting("PHOTOSYNC_CA", r"C:\a b\ca.pem") == (
        r"$env:PHOTOSYNC_CA = 'C:\a b\ca.pem'"
    )
    assert POWERSHELL.setting("PHOTOSYNC_KEY", "") == "$env:PHOTOSYNC_KEY = ''"


def test_sending_json():
    """Windows PowerShell drops quotation marks from arguments, and keeps them in what it pipes."""
    assert SH.sending('{"a": 1}', "curl", "URL") == """curl URL -d '{"a": 1}'"""
    assert POWERSHELL.sending('{"a": 1}', "curl.exe", "URL") == (
        """'{"a": 1}' | curl.exe URL -d '@-'"""
    )


@pytest.mark.parametrize(
    ("platform", "environ", "powershell"),
    [
        ("linux", {}, False),
        ("darwin", {"SHELL": "/bin/zsh"}, False),
        ("win32", {}, True),
        ("win32", {"SHELL": "/usr/bin/bash"}, False),
    ],
    ids=["linux", "macos", "windows", "git-bash"],
)
def test_which_shell_it_is(platform, environ, powershell):
    """PowerShell on Windows, except in the sh of Git for Windows."""
    assert Shell.here(platform, environ).powershell is powershell
