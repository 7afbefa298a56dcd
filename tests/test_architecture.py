"""What may know what: the product, the host's bindings, the local cloud, the environment."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from local.bench.measuring import fresh_process
from local.bench.webhook import first_answer

REPO = Path(__file__).parent.parent
SHARED = sorted((REPO / "shared").glob("*.py"))
PRODUCT = [REPO / "function_app.py", *SHARED]
NAMES = [str(path.relative_to(REPO)) for path in PRODUCT]
CLIENT = [
    REPO / "manage.py",
    *sorted((REPO / "admin").glob("[ct]*/*.py")),
]
CLIENT_NAMES = [str(path.relative_to(REPO)) for path in CLIENT]
CLIENT_ONLY = ("manage", "admin", "click", "rich")
HEAVY = ["requests", "msal", "PIL", "azure.storage", "azure.identity", "cryptography"]
# Of ours, all that a new instance reads before it answers Graph; each costs a millisecond or so.
ON_THE_WEBHOOKS_PATH = {
    "function_app",
    "shared",
    "shared.console.answers",
    "shared.errors",
    "shared.messages.sync_message",
    "shared.moments",
    "shared.webhook.notifications",
    "shared.telemetry.telemetry",
    "shared.settings.webhook",
}


def imported(path: Path) -> set[str]:
    """Every module that *path* imports anywhere in it, in functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def below(names: set[str], package: str) -> set[str]:
    return {name for name in names if f"{name}.".startswith(f"{package}.")}


@pytest.mark.parametrize("path", SHARED, ids=NAMES[1:])
def test_product_knows_no_bindings_and_no_local_cloud(path: Path):
    """`shared` imports neither azure.functions nor anything of `local` or `tests`."""
    names = imported(path)

    assert not below(names, "azure.functions")
    assert not below(names, "local") | below(names, "tests")


def test_function_app_knows_no_local_cloud():
    """What is deployed imports nothing of what is not."""
    assert not below(imported(REPO / "function_app.py"), "local")


@pytest.mark.parametrize("path", PRODUCT, ids=NAMES)
def test_functions_know_no_client(path: Path):
    """What is deployed imports neither manage.py nor the packages that only it needs."""
    assert not any(below(imported(path), package) for package in CLIENT_ONLY)


@pytest.mark.parametrize("path", CLIENT, ids=CLIENT_NAMES)
def test_client_knows_the_api_only(path: Path):
    """manage.py runs without the product, its bindings and the local cloud beside it."""
    others = ("function_app", "shared", "local", "tests", "azure")

    assert not any(below(imported(path), package) for package in others)


@pytest.mark.parametrize("path", SHARED, ids=NAMES[1:])
def test_environment_is_handed_in(path: Path):
    """`shared` never reads the environment: function_app.py does, and hands it in."""
    text = path.read_text()

    assert "environ" not in text
    assert "getenv" not in text


def run(program: str) -> str:
    """What *program* prints in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPO, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_webhook_imports_nothing_heavy():
    """Importing function_app loads none of the packages that only the worker needs."""
    program = f"import sys, function_app; print([m for m in {HEAVY!r} if m in sys.modules])"

    assert run(program) == "[]"


@pytest.mark.parametrize("items", [0, 2], ids=["handshake", "notifications"])
def test_webhook_answers_without_anything_heavy(items: int):
    """Nor does its first answer in a new process, whatever Graph posts."""
    program = (
        "import asyncio, pathlib, sys; from local.bench.webhook import first_answer\n"
        f"queued = asyncio.run(first_answer.answer(pathlib.Path.cwd(), {items}))\n"
        f"print(queued, [m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = fresh_process.run(["-c", program], environ=first_answer.SETTINGS)

    assert done.stdout.strip() == f"{items} []"


def test_webhook_imports_only_what_it_needs():
    """Beyond azure.functions and the standard library, function_app loads these few modules."""
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
    """function_app can be imported, and so indexed, without any app setting."""
    program = (
        "import os; os.environ = {}\n"
        "import function_app; print(len(function_app.app.get_functions()) > 0)"
    )

    assert run(program) == "True"


@pytest.mark.parametrize("path", PRODUCT + CLIENT, ids=NAMES + CLIENT_NAMES)
def test_size(path: Path):
    """A module is at most 250 lines, and a function 40."""
    tree = ast.parse(path.read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    long = [f.name for f in functions if (f.end_lineno or 0) - f.lineno + 1 > 40]

    assert len(path.read_text().splitlines()) <= 250
    assert long == []


@pytest.mark.parametrize("path", PRODUCT + CLIENT, ids=NAMES + CLIENT_NAMES)
def test_module_says_what_it_owns(path: Path):
    """Every module begins with what it is for."""
    if path.name != "__init__.py":
        assert ast.get_docstring(ast.parse(path.read_text()))
