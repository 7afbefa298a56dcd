"""Which part may import which, and rules for modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests import REPO

# All allowed imports, lowest part first: a part may import only parts above it in the list,
# and of these only the named ones. Add a new import here.
_GROUND = "errors moments counts user backoff"
SHARED = {
    "errors": "",
    "moments": "",
    "counts": "",
    "user": "errors",
    "written_file": "",
    "signature": "",
    "backoff": "",
    "at_once": "errors",
    "session": "",
    "version": "moments",
    "stopwatch": "",
    "telemetry": "session",
    "pictures": "errors",
    "settings": "errors pictures user",
    "scope": "errors settings user",
    "messages": f"{_GROUND} signature",
    "storage": "counts errors moments session settings telemetry user written_file",
    "microsoft365": "backoff errors session settings stopwatch telemetry",
    "budget": "counts errors stopwatch storage telemetry",
    "orders": "errors messages moments signature telemetry",
    "webhook": "messages settings user",
    "graph": "at_once errors microsoft365 moments user",
    "sharepoint": "errors microsoft365 pictures settings stopwatch user written_file",
    "parking": "errors storage telemetry",
    "misconfigured": "errors messages storage telemetry",
    "subscription": "errors graph moments storage",
    "sweeping": "errors graph messages moments signature storage telemetry user",
    "auditing": (
        "budget errors messages moments sharepoint storage sweeping telemetry user written_file"
    ),
    "uninstalling": "backoff counts errors messages moments signature storage sweeping telemetry",
    "copying": (
        "at_once budget errors graph messages microsoft365 orders pictures sharepoint signature "
        "storage telemetry user written_file"
    ),
    "upkeep": (
        "auditing errors messages orders signature storage subscription sweeping telemetry "
        "uninstalling"
    ),
    "console": (
        "auditing counts errors graph messages moments orders pictures settings sharepoint "
        "signature storage subscription sweeping uninstalling user version"
    ),
    "doctor": (
        "console errors graph microsoft365 settings sharepoint storage subscription uninstalling "
        "user version"
    ),
    "runtime": (
        "at_once budget errors orders settings scope signature stopwatch messages storage "
        "microsoft365 graph sharepoint pictures auditing copying parking misconfigured "
        "subscription sweeping uninstalling upkeep console doctor"
    ),
}
ADMIN = {
    "terminal": "",
    "entra": "terminal",
    "console": "entra terminal",
    "grants": "entra terminal",
    "acceptance": "console terminal",
    "program": "acceptance console grants terminal",
}
LOCAL = {
    "ending": "",
    "loopback": "",
    "host": "ending loopback",
    "m365": "ending loopback",
    "cloud": "ending host loopback m365",
    "core_tools": "cloud ending host",
    "outside": "cloud",
    "demo": "cloud outside",
    "show": "cloud outside",
    "up": "cloud demo ending outside",
    "chosen_settings": "cloud",
    "soak": "cloud outside",
    "bench": "cloud demo host outside soak",
    "__main__": "bench chosen_settings cloud demo show soak up",
}
M365 = {
    "tenant": "",
    "inner": "",
    "odata": "",
    "entra": "tenant",
    "graph": "entra inner odata tenant",
    "sharepoint": "entra inner odata tenant",
    "notifications": "graph tenant",
    "control": "entra graph notifications sharepoint tenant",
    "config": "tenant",
    "faults": "graph tenant",
    "wire_forms": "tenant",
    "names": "tenant",
    "proxy": "names tenant",
    "hosts": "control entra faults graph notifications sharepoint tenant wire_forms",
    "server": "config hosts names notifications proxy tenant",
    "__main__": "config server",
}
HOUSES = {"shared": SHARED, "admin": ADMIN, "local": LOCAL, "local.m365": M365}
# Modules of the product that an admin's machine needs, too: facts about Microsoft 365.
ADMIN_KNOWS = {
    "entra": "session",
    "console": "session settings.clouds user version",
    "program": "version",
    # It calls Microsoft 365 as the product does, with the product's own clients.
    "acceptance": (
        "errors graph microsoft365 pictures session settings sharepoint stopwatch user version "
        "written_file"
    ),
    "grants": (
        "errors microsoft365.app_roles microsoft365.certificates session settings.clouds user"
    ),
}


def modules(house: str) -> Iterator[Path]:
    """Every module below *house*, without npm's packages."""
    for path in sorted((REPO / house.replace(".", "/")).rglob("*.py")):
        if "node_modules" not in path.parts:
            yield path


def imported(path: Path) -> set[str]:
    """Every module or name that *path* imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def below(names: set[str], package: str) -> set[str]:
    return {name for name in names if f"{name}.".startswith(f"{package}.")}


def part(path: Path, house: str) -> str:
    """The part of *house* that *path* belongs to: a folder, or a module at its root."""
    return path.relative_to(REPO / house.replace(".", "/")).parts[0].removesuffix(".py")


def imports(house: str) -> dict[str, set[str]]:
    """Which parts of *house* each part imports."""
    found: dict[str, set[str]] = {}
    for path in modules(house):
        if path.name == "__init__.py":
            continue
        here = part(path, house)
        others = {
            name.removeprefix(f"{house}.").split(".")[0] for name in below(imported(path), house)
        }
        found.setdefault(here, set()).update(others - {here})
    return found


@pytest.mark.parametrize("house", HOUSES)
def test_allowed_imports(house: str):
    """Each part imports exactly the parts listed for it, which stand above it in the list."""
    allowed = {name: set(others.split()) for name, others in HOUSES[house].items()}
    found = imports(house)

    assert found.keys() == allowed.keys()
    assert {name: more for name in found if (more := found[name] - allowed[name])} == {}
    unused = {name: less for name in found if (less := allowed[name] - found[name])}
    assert unused == {}, "the list has imports that no longer exist"
    assert _upwards(allowed) == {}


def _upwards(allowed: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Imports from parts that stand below in the list, which could form a cycle."""
    above: set[str] = set()
    found = {}
    for name, others in allowed.items():
        if others - above:
            found[name] = others - above
        above.add(name)
    return found


def test_no_import_cycle():
    """Modules do not import each other in a cycle, inside a part or across parts."""
    known = {
        ".".join(path.relative_to(REPO).with_suffix("").parts): path
        for house in ("shared", "admin", "local", "tools")
        for path in modules(house)
        if path.name != "__init__.py"
    }
    needs = {}
    for name, path in known.items():
        names = imported(path)
        needs[name] = {
            found
            for one in names
            if (found := one if one in known else one.rpartition(".")[0]) in known and found != name
        }
    while free := {name for name, others in needs.items() if not others & needs.keys()}:
        needs = {name: others for name, others in needs.items() if name not in free}

    assert needs == {}


@pytest.mark.parametrize(
    ("house", "strangers"),
    [
        ("shared", "azure.functions function_app manage admin local tools tests click rich"),
        ("admin", "function_app local tools tests azure"),
        ("local", "tests"),
        ("tools", "tests"),
        ("function_app.py", "manage admin local tools tests click rich"),
        ("manage.py", "function_app shared local tools tests azure"),
    ],
)
def test_forbidden_imports(house: str, strangers: str):
    """For example, the product imports no bindings, no admin code and no test doubles."""
    paths = [REPO / house] if house.endswith(".py") else modules(house)
    found = {name for path in paths for name in imported(path)}

    assert {name for stranger in strangers.split() for name in below(found, stranger)} == set()


def test_what_admin_code_imports_of_the_product():
    """Each part of admin/ imports only the modules in ADMIN_KNOWS."""
    for path in modules("admin"):
        names = {name for name in below(imported(path), "shared") if name != "shared"}
        allowed = ADMIN_KNOWS.get(part(path, "admin"), "").split()
        known = {name for one in allowed for name in below(names, f"shared.{one}")}
        assert names == known, path


def test_plans_use_no_network():
    """`grant` makes its decisions without a network."""
    for name in ("plan", "wanted", "found"):
        names = imported(REPO / f"admin/grants/{name}.py")
        for package in ("requests", "msal", "cryptography", "admin.grants.graph"):
            assert not below(names, package), name


CALLS = set("Session session request get post put patch delete head options".split())


@pytest.mark.parametrize("house", ["shared", "admin", "infra"])
def test_sessions_are_made_in_one_module(house: str):
    """Only shared.session makes sessions of `requests`; they read no .netrc."""
    made = {
        path.relative_to(REPO).as_posix()
        for path in modules(house)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call | ast.ClassDef)
        for used in ([node.func] if isinstance(node, ast.Call) else node.bases)
        if isinstance(used, ast.Attribute)
        and isinstance(used.value, ast.Name)
        and (used.value.id, used.attr in CALLS) == ("requests", True)
    }

    assert made <= {"shared/session.py"}


@pytest.mark.parametrize("path", list(modules("shared")), ids=str)
def test_no_environment_in_shared(path: Path):
    """`shared` never reads the environment: function_app.py passes it in."""
    text = path.read_text("utf-8")

    assert "environ" not in text
    assert "getenv" not in text


@pytest.mark.parametrize(
    "path",
    [REPO / "function_app.py", REPO / "manage.py", *modules("shared"), *modules("admin")],
    ids=lambda path: str(path.relative_to(REPO)),
)
def test_module_docstring_and_function_length(path: Path):
    """Every module has a docstring, and no function is longer than 40 lines."""
    tree = ast.parse(path.read_text("utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]

    assert [f.name for f in functions if (f.end_lineno or 0) - f.lineno + 1 > 40] == []
    assert path.name == "__init__.py" or ast.get_docstring(tree)
