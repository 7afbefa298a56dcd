"""The package, built once a session from a copy of the tree in which secrets lie about."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tools import package
from tools.pins import ROOT, pins

ENGINE, BASE = "azure-functions-runtime", "azurefunctions-extensions-base"
START = Path(__file__).with_name("start.py")
# The engine's driver and what it imports: the rest of `local` stays here.
DRIVER = (
    *("__init__.py", "host/__init__.py"),
    *("host/engine.py", "host/protocol.py", "host/refusal.py"),
)
# Where a person leaves such things, one for each way in.
STRAY = (
    ".env",
    "local.settings.json",
    "photosync.pem",
    "passwords.txt",
    "notes.py",
    ".azure/contoso/.env",
    ".venv/lib/site-packages/secret.py",
    "infra/main.parameters.json",
    "keys/host.json",
    "shared/.env",
    "shared/local.settings.json",
    "shared/photosync.pfx",
    "shared/old/sync.py",
    "shared/__pycache__/sync.cpython-313.pyc",
    "shared/copying/.env",
    "shared/copying/old/sync.py",
    "shared/console/page/old/console.html",
    "shared/console/page/scripts/package.json",
    "shared/console/page/scripts/node_modules/eslint.js",
    "tests/shared/sync.py",
)


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's files as they are now, and the stray ones."""
    tree = tmp_path_factory.mktemp("tree")
    listed = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
    for name in run(["git", "-C", str(ROOT), *listed]).split("\0"):
        if name and (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tree / name)
    for name in STRAY:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("stray\n")
    return tree


@pytest.fixture(scope="session")
def sent(tree: Path) -> list[str]:
    """The paths that the built zip holds."""
    return zipfile.ZipFile(packed(tree)).namelist()


@pytest.fixture(scope="session")
def started(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The result of starting the package with only requirements.txt; see start.py."""
    folder = tmp_path_factory.mktemp("clean")
    app, engine, python = folder / "app", folder / "engine", folder / "venv" / "bin" / "python"
    zipfile.ZipFile(packed(tree)).extractall(app)
    run([sys.executable, "-m", "venv", str(folder / "venv")])
    # The package's own list: what Azure's build would install.
    run([str(python), "-m", "pip", "install", "--quiet", "-r", str(app / "requirements.txt")])
    if ENGINE not in pins(app / "requirements.txt"):
        # An older Python than Azure's: the package's list brings the engine for 3.13 alone.
        base = f"{BASE}=={pins(ROOT / 'requirements-dev.txt')[BASE]}"
        install = ["install", "--quiet", "--no-deps", "--ignore-requires-python", "--target"]
        listed = [str(engine), "-r", str(ROOT / "requirements-engine.txt"), base]
        run([str(python), "-m", "pip", *install, *listed])
    for name in DRIVER:
        (engine / "local" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "local" / name, engine / "local" / name)
    shown = run([str(python), "-I", "-B", str(START), str(engine), str(app)], environ={})
    return {**json.loads(shown), "folder": str(folder)}


def packed(tree: Path) -> Path:
    """Build the package of *tree* beside it."""
    target = tree.with_name(f"{tree.name}.zip")
    package.build(tree, target)
    return target


def run(command: Sequence[str], environ: dict[str, str] | None = None) -> str:
    """Run *command* and return its output; fails with its errors."""
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout
