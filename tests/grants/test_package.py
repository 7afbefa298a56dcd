"""The package `grants`: what it may know, and how long its parts may be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.test_architecture import below, imported

REPO = Path(__file__).parents[2]
MODULES = sorted((REPO / "admin" / "grants").glob("*.py"))
NAMES = [path.name for path in MODULES]
# Of the product only what is true of Microsoft 365 and of certificates, whoever asks.
OF_THE_PRODUCT = {
    "shared.microsoft365.app_roles",
    "shared.microsoft365.certificates",
    "shared.settings.clouds",
    "shared.errors",
}


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_it_knows_no_function_and_no_local_cloud(path: Path):
    """An admin's machine has neither the functions' packages nor the simulator."""
    names = imported(path)

    for package in ("function_app", "local", "tests", "azure"):
        assert not below(names, package)
    product = {name for name in below(names, "shared") if name != "shared"}
    assert all(any(f"{name}.".startswith(f"{one}.") for one in OF_THE_PRODUCT) for name in product)


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_size(path: Path):
    """A module is at most 250 lines, and a function 40; it begins with what it is for."""
    text = path.read_text()
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]

    assert len(text.splitlines()) <= 250
    assert [f.name for f in functions if (f.end_lineno or 0) - f.lineno + 1 > 40] == []
    assert path.name == "__init__.py" or ast.get_docstring(tree)


def test_the_plan_asks_nobody():
    """What is decided is decided without a network: `plan` and `wanted` import none of it."""
    for name in ("plan.py", "wanted.py", "found.py"):
        names = imported(REPO / "admin" / "grants" / name)
        for package in (
            "requests",
            "msal",
            "cryptography",
            "admin.grants.graph",
            "admin.grants.directory",
        ):
            assert not below(names, package)
