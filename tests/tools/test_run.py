"""run.py: any Python starts it, it finds one that is new enough, and installs once."""

from __future__ import annotations

import ast
import errno
import glob
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

import pytest

import run
from local.cloud.occupancy import Occupancy
from tests import REPO

PROGRAM = REPO / "run.py"
NEEDED = "PhotoSync needs Python 3.11, 3.12, 3.13 or 3.14"
Answers = Callable[[Sequence[str]], str]


def old_pythons() -> list[str]:
    """Possible paths of Pythons that are too old for PhotoSync."""
    named = [f"python{version}" for version in ("2.7", *(f"3.{minor}" for minor in range(4, 11)))]
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    found = [glob.glob(f"{pyenv}/versions/{name[6:]}.*/bin/{name}") for name in named]
    on_path = [path for path in map(shutil.which, named) if path and "shims" not in path]
    return [*on_path, *(path for paths in found for path in paths)]


def touch(folder: Path, *names: str) -> None:
    """Create empty files, and the folders above them."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def problem(call: Callable[..., object], *given: object) -> str:
    """The sentence with which *call* is refused."""
    with pytest.raises(run.Problem) as error:
        call(*given)
    return str(error.value)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """A machine with only the Pythons that a test names, each with its output."""

    def has(pythons: dict[str, str]) -> None:
        def output(command: Sequence[str]) -> str:
            printed = pythons.get(" ".join(command[:-2]), "")
            if command[-1] == run.VERSION:
                return printed.partition("|")[0]
            return printed if "|" in printed else ""

        monkeypatch.setattr(run, "_output", output)
        monkeypatch.setattr(glob, "glob", lambda pattern: [])
        monkeypatch.delenv("PYTHON", raising=False)

    return has


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Set PYTHON to a path, at which a Python prints VERSION|PATH."""

    def set_to(path: str, printed: str) -> None:
        monkeypatch.setenv("PYTHON", path)
        version = printed.partition("|")[0]
        monkeypatch.setattr(
            run, "_output", lambda command: printed if command[-1] == run.PROBE else version
        )

    return set_to


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """The commands called, in a folder with requirements, with Python 3.13 and 3.12."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "requirements-dev.txt").write_text("ruff==1\n")
    (tmp_path / "requirements-engine.txt").write_text("engine==1\n")
    monkeypatch.setattr(run, "_search", lambda: ("3.13.0", "/python3.13"))
    monkeypatch.delenv("PYTHON", raising=False)
    called: list[list[str]] = []

    def call(command: list[str], aloud: bool = False) -> int:
        called.append(command)
        if "venv" in command:
            touch(tmp_path / ".venv", "bin/python", "Scripts/python.exe")
        return 0

    monkeypatch.setattr(run, "_call", call)
    return called


def test_python_2_understands_it():
    """It has nothing in it that an older Python would call a syntax error."""
    tree = ast.parse(PROGRAM.read_text("utf-8"), feature_version=(3, 7))
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.AsyncFunctionDef)
    lists = [node for node in ast.walk(tree) if isinstance(node, ast.List | ast.Tuple)]

    assert [node for node in ast.walk(tree) if isinstance(node, newer)] == []
    assert not any(isinstance(one, ast.Starred) for node in lists for one in node.elts)
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        args = function.args
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs]
        odd = [arg.arg for arg in every if arg.annotation or arg not in args.args]
        assert (function.returns, odd) == (None, []), function.name
    for error in (node for node in ast.walk(tree) if isinstance(node, ast.Raise)):
        assert error.cause is None
    assert PROGRAM.read_text("utf-8").isascii()


@pytest.mark.parametrize("python", old_pythons() or [None])
def test_old_pythons_start_it(python):
    """Each old Python here prints the help, and says which Python is needed."""
    if python is None or not run._output([python, "-c", run.VERSION]):
        pytest.skip(
            f"no Python before 3.11 is {f'behind {python}' if python else 'installed here'}"
        )

    shown = subprocess.run([python, PROGRAM, "check", "--help"], capture_output=True, text=True)
    code, errors = started(REPO, "lint", by=python, PYTHON=python, VENV=".venv-of-no-python")

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "python -m ruff check ." in shown.stdout
    assert (code, errors.count("\n")) == (1, 1)
    assert errors.startswith(f"{NEEDED}, but PYTHON is ")


def test_the_sentence_names_the_versions():
    """It names every supported version."""
    *others, last = sorted(run.VERSIONS)

    assert run.NEEDED == NEEDED == f"PhotoSync needs Python {', '.join(others)} or {last}"


@pytest.mark.parametrize(
    ("pythons", "expected"),
    [
        ({"python3.12": "3.12.1|/b", "python3.13": "3.13.0|/a"}, ("3.13.0", "/a")),
        ({"python3.11": "3.11.7|/c", "python3.14": "3.14.0|/d"}, ("3.14.0", "/d")),
        # On Windows, where py starts every version.
        ({"py -3.12": "3.12.1|C:\\b", "python": "3.10.1|C:\\e"}, ("3.12.1", "C:\\b")),
        # Debian's, without python3-venv, is no use.
        ({"python3.13": "3.13.0", "python3": "3.11.7|/c"}, ("3.11.7", "/c")),
        ({"python3": "3.15.0|/f"}, ("3.15.0", "/f")),
        # A wrapper that prints more than Python does.
        ({"python3": "Welcome\n3.12.1|/a", "python": "3.12.1|/b"}, ("3.12.1", "/b")),
    ],
    ids=["newest", "two", "windows", "no-venv", "later", "banner"],
)
def test_finds_the_best(machine, pythons, expected):
    """3.13 if there is one, else the newest; one that cannot make an environment does not count."""
    machine(pythons)

    assert run._search() == expected


@pytest.mark.parametrize("pythons", [{}, {"python3": "3.10.13|/old", "python": "2.7.18|/older"}])
def test_no_python(machine, pythons):
    """Without a supported Python, one sentence says what to install."""
    machine(pythons)

    assert problem(run._search) == f"{NEEDED} with venv: install one, or set PYTHON to its path."


@pytest.mark.parametrize(
    ("printed", "sentence"),
    [
        ("3.10.13|/p", f"{NEEDED}, but PYTHON is Python 3.10.13: set it to another, or unset it."),
        ("3.9.2", f"{NEEDED}, but PYTHON is Python 3.9.2: set it to another, or unset it."),
        ("3.12.1", "The Python 3.12.1 in PYTHON lacks venv, ensurepip or ssl: install them (on "
         "Debian the package python3-venv), or set PYTHON to another."),
        ("", f"{NEEDED}, but PYTHON is /p, which does not run as Python: set it to another, or "
         "unset it."),
        # As echo does.
        ("-c import sys", f"{NEEDED}, but PYTHON is /p, which does not run as Python: set it to "
         "another, or unset it."),
    ],
    ids=["old", "older", "no-venv", "none", "echo"],
)  # fmt: skip
def test_unusable_python_in_variable(machine, monkeypatch, printed, sentence):
    """No other Python is used instead of PYTHON."""
    machine({"/p": printed, "python3.13": "3.13.0|/a"})
    monkeypatch.setenv("PYTHON", "/p")

    assert problem(run._named) == sentence


def test_installs_once(calls, tmp_path, capsys):
    """
    It creates an environment, with all that is pinned and the engine, which asks for a newer
    Python. The stamp has the hash of the requirements, and the Python.
    """
    python = run._installed(".venv")

    pip = [python, "-m", "pip", "install", "--quiet", "--quiet", "--disable-pip-version-check"]
    engine = ["--no-deps", "--ignore-requires-python", "-r", "requirements-engine.txt"]
    assert calls == [
        ["/python3.13", "-m", "venv", ".venv"],
        [*pip, "-r", "requirements-dev.txt"],
        [*pip, *engine],
    ]
    assert Path(python).parent.parent == tmp_path / ".venv"
    assert "Installing into .venv with Python 3.13.0" in capsys.readouterr().out
    stamp = json.loads((tmp_path / ".venv" / ".installed").read_text("ascii"))
    assert stamp == [run._digest(), ["3.13.0", os.path.realpath("/python3.13")]]
    assert run._installed(".venv") == python
    assert len(calls) == 3


def test_new_pins_are_installed(calls, tmp_path):
    """It depends on the content, not on dates or line endings."""
    run._installed(".venv")
    (tmp_path / "requirements-dev.txt").write_bytes(b"ruff==1\r\n")
    run._installed(".venv")
    assert len(calls) == 3

    (tmp_path / "requirements-dev.txt").write_text("ruff==2\n")
    os.utime(tmp_path / "requirements-dev.txt", (0, 0))
    run._installed(".venv")

    assert len(calls) == 6


def test_another_python_recreates_it(calls, named, monkeypatch):
    """If PYTHON names another one; without PYTHON an environment that works stays."""
    run._installed(".venv")
    named("/python3.12", "3.12.1|/python3.12")

    run._installed(".venv")
    assert calls[3] == ["/python3.12", "-m", "venv", ".venv"]
    run._installed(".venv")
    monkeypatch.delenv("PYTHON")
    run._installed(".venv")

    assert len(calls) == 6


def test_another_name_of_the_same_python(calls, named, monkeypatch, tmp_path):
    """A link to the same Python does not recreate the environment."""
    if sys.platform == "win32":
        pytest.skip("few people may make links there")
    (tmp_path / "python3.13").touch()
    (tmp_path / "python").symlink_to(tmp_path / "python3.13")
    monkeypatch.setattr(run, "_search", lambda: ("3.13.0", str(tmp_path / "python")))
    run._installed(".venv")
    named("python3.13", f"3.13.0|{tmp_path / 'python3.13'}")

    run._installed(".venv")

    assert len(calls) == 3


@pytest.mark.parametrize(
    "stamp",
    [b"", b"\xff", b"5", b"[]", b"[" * 100_000, None],
    ids=["empty", "binary", "number", "list", "nested", "python deleted"],
)
def test_a_damaged_environment_is_recreated(calls, tmp_path, stamp):
    """After an invalid stamp, or without its Python, the installation starts again."""
    python = Path(run._installed(".venv"))
    if stamp is None:
        python.unlink()
    else:
        (tmp_path / ".venv" / ".installed").write_bytes(stamp)

    run._installed(".venv")

    assert len(calls) == 6


def test_windows_has_another_folder_for_programs(calls, monkeypatch, tmp_path):
    """Emulated: only the name of the system is another."""
    with monkeypatch.context() as emulated:
        emulated.setattr(os, "name", "nt")
        python = run._installed(".venv")

    assert python == os.path.join(str(tmp_path), ".venv", "Scripts", "python.exe")


@pytest.mark.parametrize(
    ("fails", "sentence"),
    [
        ("venv", ".venv could not be created (see above): fix that, or set VENV to another "
         "folder."),
        ("pip", "The packages could not be installed (see above): check the network and pip's "
         "index (PIP_INDEX_URL), then run this again."),
    ],
)  # fmt: skip
def test_installing_fails(calls, monkeypatch, tmp_path, fails, sentence):
    """A sentence follows the output of venv or pip, and the next run may delete what is left."""
    monkeypatch.setattr(run, "_call", lambda command: int(fails in command))
    (tmp_path / ".venv").mkdir()

    assert problem(run._installed, ".venv") == sentence
    assert os.listdir(tmp_path / ".venv") == [run.MARK]


def test_file_at_the_path(calls, tmp_path):
    """It is not removed."""
    (tmp_path / ".venv").write_text("mine")

    sentence = ".venv is a file: remove it, or set VENV to a folder."
    assert problem(run._installed, ".venv") == sentence
    assert calls == []


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with run.py, and files that show whether anything was deleted."""
    folder = tmp_path / "home" / "checkout"
    touch(
        tmp_path, "mine", "home/mine", "home/checkout/mine", "shared/pyvenv.cfg", "half/.installed"
    )
    shutil.copy(PROGRAM, folder)
    return folder


def started(
    checkout: Path, *given: str, by: str = sys.executable, **environ: str
) -> tuple[int, str]:
    """Exit code and errors of run.py in *checkout*, with a PYTHON that installs nothing."""
    ended = subprocess.run(
        [by, checkout / "run.py", *given],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHON": sys.executable, **environ},
    )
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("command", ["demo", "clean"])
@pytest.mark.parametrize("venv", [".", "..", "../..", "x/..", "../../shared", "../../half", "~"])
def test_other_folders_are_kept(checkout, tmp_path, command, venv):
    """VENV may name a checkout, a home or another environment by mistake."""
    before = sorted(tmp_path.rglob("*"))

    ended = started(checkout, command, VENV=venv, HOME=str(tmp_path), USERPROFILE=str(tmp_path))

    shown = str(tmp_path) if venv == "~" else venv
    assert ended == (
        1,
        f"run.py did not make {shown}, and would delete everything in it: set VENV to a new "
        "folder, such as .venv-photosync.\n",
    )
    assert sorted(tmp_path.rglob("*")) == before


def test_a_checkout_in_a_folder_with_the_mark_stays(checkout, tmp_path):
    """A folder that contains this checkout is not deleted, even with the mark."""
    (tmp_path / "home" / ".made-by-photosync").touch()

    assert started(checkout, "clean", VENV="..")[0] == 1
    assert (checkout / "mine").exists()


@pytest.mark.parametrize("marks", [[".made-by-photosync"], ["pyvenv.cfg", ".installed"]])
def test_own_folder_is_emptied(calls, tmp_path, marks):
    """Also after an interrupted installation, and one of an older version."""
    touch(tmp_path / ".venv", *marks, "old/file")

    run._installed(".venv")

    assert not (tmp_path / ".venv" / "old").exists()
    assert (tmp_path / ".venv" / ".made-by-photosync").exists()


def test_two_at_once(calls, tmp_path):
    """A second installation, or `clean`, does not touch a running one."""
    sentence = "Another run.py is installing into .venv: run this again when it has finished."
    with run._alone(".venv"):
        assert problem(run._installed, ".venv") == sentence
        assert problem(run._clean, ".venv", []) == sentence

    assert calls == []
    assert (tmp_path / ".venv" / run.MARK).exists()
    run._installed(".venv")
    assert len(calls) == 3


def test_another_one_has_just_finished(calls, monkeypatch):
    """Its installation is used, not repeated."""

    def search() -> tuple[str, str]:
        monkeypatch.setattr(run, "_search", lambda: ("3.13.0", "/python3.13"))
        run._installed(".venv")
        return "3.13.0", "/python3.13"

    monkeypatch.setattr(run, "_search", search)

    run._installed(".venv")

    assert len(calls) == 3


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that are run when everything is installed."""
    commands: list[list[str]] = []

    def note(command: list[str], aloud: bool = False) -> int:
        commands.append(command)
        return 0

    monkeypatch.setattr(run, "_installed", lambda folder: "PY")
    monkeypatch.setattr(run, "_call", note)
    monkeypatch.setattr(run, "_last", note)
    return commands


def test_arguments_go_to_the_last(ran):
    """Arguments after a command go to its program, the last one if there are several."""
    assert run.main(["start", "--set", "DRY_RUN=true"]) == 0
    assert run.main(["check", "-k", "two words"]) == 0

    assert ran[0] == ["PY", "-m", "local", "up", "--set", "DRY_RUN=true"]
    assert ran[1] == ["PY", "-m", "ruff", "check", "."]
    assert ran[-1][-4:] == ["-m", "not server and not long", "-k", "two words"]


def test_failure_ends_the_command(ran, monkeypatch):
    """Its exit code is the command's."""
    monkeypatch.setattr(run, "_call", lambda command, aloud: 3)

    assert run.main(["check"]) == 3
    assert ran == []


def test_modules_of_commands_exist():
    """Each is a module of ours or of a pinned package."""
    modules = [run._words(step)[1] for _, _, steps in run.COMMANDS for step in steps]
    ours = [module for module in modules if module.partition(".")[0] in ("local", "tests", "tools")]

    assert set(modules) - set(ours) == {"ruff", "mypy", "piplicenses", "pytest", "uv"}
    assert all(importlib.util.find_spec(module) for module in ours)


def ended(monkeypatch: pytest.MonkeyPatch, *waits: object) -> int:
    """What `_call` returns for a process of which `wait` raises or returns each of *waits*."""
    process = mock.Mock(wait=mock.Mock(side_effect=waits))
    monkeypatch.setattr(subprocess, "Popen", lambda command, env: process)
    return int(run._call(["x"]))


@pytest.mark.parametrize(("code", "returned"), [(0, 0), (3, 3), (-9, 137)])
def test_exit_codes(monkeypatch, code, returned):
    """The command's exit code; for a signal the code that a shell reports."""
    assert ended(monkeypatch, code) == returned


def test_ctrl_c(monkeypatch):
    """The running program got it, too; if that ends with 0, so does run.py."""
    assert ended(monkeypatch, KeyboardInterrupt, 0) == 0
    with pytest.raises(KeyboardInterrupt):
        ended(monkeypatch, KeyboardInterrupt, 1)


def test_an_unknown_command():
    """One sentence, and the exit code 1."""
    sentence = "There is no command dmeo: python run.py --help lists all commands.\n"

    assert started(REPO, "dmeo") == (1, sentence)


def test_closed_pipe():
    """As `| head` does; no traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, PROGRAM, "--help"], stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_closed_output(monkeypatch):
    """As after `>&-`, and under a program that starts it without one."""
    monkeypatch.setattr(sys, "stdout", None)

    sentence = problem(run.main, ["--help"])
    assert sentence.startswith("The output is closed: run this again with its output")


def test_home(ran, monkeypatch):
    """A shell leaves the sign for it as it is within quotation marks."""
    monkeypatch.setattr(run, "_installed", lambda folder: folder)
    monkeypatch.setenv("VENV", os.path.join("~", "environment"))

    run.main(["demo"])

    assert ran[0][0] == os.path.join(os.path.expanduser("~"), "environment")


def test_help_is_no_error(capsys):
    """0 if help was requested, 2 without any argument."""
    assert run.main(["--help"]) == 0
    assert run.main([]) == 2

    shown = capsys.readouterr().out
    assert all(shown.count(f"    {name} ") == 2 for name, _, _ in run.COMMANDS)


def test_another_python_has_no_effect(monkeypatch):
    """PYTHONHOME and PYTHONPATH are left out, --user is overridden; all other variables stay."""
    own = {"PIP_INDEX_URL": "https://packages.contoso.com/simple", "PATH": os.environ["PATH"]}
    monkeypatch.setattr(os, "environ", {**own, "PYTHONHOME": "/odd", "PYTHONPATH": "/odd"})

    assert run._environ() == {**own, "PYTHONUTF8": "1", "PIP_USER": "0"}


def test_clean(monkeypatch, tmp_path):
    """It keeps a person's files."""
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, ".venv/.made-by-photosync", ".venv/bin/python", ".local/keys.json", "demo.png")
    touch(tmp_path, "tests/a/node_modules/b.js", "tests/a/b.js", "mine.png")

    run._clean(".venv", [])

    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["mine.png", os.path.join("tests", "a", "b.js")]


@pytest.mark.parametrize("folder", [".local", ".local/bench/cloud"])
def test_clean_under_a_running_cloud(checkout, tmp_path, folder):
    """Nothing is deleted until the cloud has stopped."""
    cloud = Occupancy(checkout / folder)
    (checkout / folder).mkdir(parents=True)
    cloud.take()

    refused = started(checkout, "clean", VENV="")
    stays = (checkout / folder / "in-use.lock").exists()
    cloud.leave()

    shown = os.path.join(*folder.split("/"))
    assert refused == (1, f"A local cloud is running in {shown}: stop it, then run this again.\n")
    assert stays
    assert started(checkout, "clean", VENV="") == (0, "")
    assert not (checkout / ".local").exists()


def test_clean_takes_no_arguments(checkout):
    """One that was meant to prevent a deletion prevents it."""
    (checkout / ".local").mkdir()

    sentence = "Nothing was deleted: run `python run.py clean` without --dry-run.\n"
    assert started(checkout, "clean", "--dry-run", VENV="") == (1, sentence)
    assert (checkout / ".local").exists()


def test_clean_names_what_is_left(monkeypatch, tmp_path):
    """Such as a running program's file on Windows; the rest is deleted."""
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, ".venv/.made-by-photosync", ".venv/bin/python", ".local/keys.json")
    remove: Callable[[str], None] = run._remove

    def refused(path: str) -> None:
        if path == os.path.join(".venv", "bin"):
            raise PermissionError(errno.EACCES, "In use", path)
        remove(path)

    monkeypatch.setattr(run, "_remove", refused)

    assert problem(run._clean, ".venv", []) == (
        f"{os.path.join('.venv', 'bin')} (In use) could not be deleted: stop the program that uses "
        "it, or delete it yourself."
    )
    assert not (tmp_path / ".local").exists()
    # So that the next `clean` may go on.
    assert (tmp_path / ".venv" / ".made-by-photosync").exists()


def test_clean_leaves_what_a_link_points_to(monkeypatch, tmp_path):
    """.local may be a link to another disk."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "mine").touch()
    try:
        (tmp_path / ".local").symlink_to("disk")
    except OSError:
        pytest.skip("this user may not make links")

    run._clean(".venv", [])

    assert not (tmp_path / ".local").is_symlink()
    assert (tmp_path / "disk" / "mine").exists()
