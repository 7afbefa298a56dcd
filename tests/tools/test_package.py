"""The package has all that the app needs, and nothing else."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.version import Version

from tests.test_function_app import FUNCTIONS
from tests.tools.conftest import ENGINE, STRAY, packed, run
from tests.tools.start import TOKEN
from tools import package
from tools.pins import ROOT, pins


def test_package_contents(tree, sent):
    """Three files and all of `shared`: each folder and kind of file is named, no stray is in."""
    files = [path for path in (tree / "shared").rglob("*") if path.is_file()]
    product = {path.relative_to(tree).as_posix() for path in files}.difference(STRAY)

    assert set(sent) == {*package.NEEDED, *product}


def test_git_agrees(tree, sent, tmp_path):
    """git, whose rules azd follows, includes the same files."""
    git = ["git", f"--git-dir={tmp_path}", f"--work-tree={tree}"]
    run([*git, "init", "--quiet"])
    rules = f"--exclude-from={tree / '.funcignore'}"

    assert sorted(run([*git, "-C", str(tree), "ls-files", "--others", rules]).split()) == sent


def test_core_tools_agree(tree, sent):
    """
    Core Tools, which read the file in their own way, send the same files.

    Documented: Azure/azure-functions-core-tools, GitIgnoreParser.cs: a line matches whatever begins
    like it and goes on with a new word, only * and ** are special, and a line with ! always wins.
    """
    lines = (tree / ".funcignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    kept = [_core_tools(rule[1:]) for rule in rules if rule.startswith("!")]
    left = [_core_tools(rule) for rule in rules if not rule.startswith("!")]
    files = [path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()]

    assert sent == sorted(
        path
        for path in files
        if any(rule.match(path) for rule in kept) or not any(rule.match(path) for rule in left)
    )


def test_oldest_azd():
    """azd reads .funcignore from 1.18.0 on; azure.yaml refuses older ones."""
    asked = yaml.safe_load((ROOT / "azure.yaml").read_text("utf-8"))["requiredVersions"]["azd"]

    assert Version(asked.removeprefix(">= ")) >= Version("1.18.0")


def _core_tools(rule: str) -> re.Pattern[str]:
    wild = {"**": "(.+)", "*": "([^/]+)"}
    parts = re.split(r"(\*\*|\*)", rule.removeprefix("/"))
    return re.compile("".join(wild.get(part, re.escape(part)) for part in parts) + r"\b", re.ASCII)


@pytest.mark.parametrize("name", [".funcignore", "local.settings.json", ".azure/prod/.env"])
def test_always_excluded(name, tmp_path):
    """azd's folder, the rules and local settings are excluded even if a rule names them."""
    (tmp_path / ".azure" / "prod").mkdir(parents=True)
    for path in (*package.NEEDED, name):
        (tmp_path / path).write_text("x")
    (tmp_path / ".funcignore").write_text("nothing\n")

    assert package.chosen(tmp_path) == sorted(package.NEEDED)


def test_a_package_that_cannot_start_is_not_built(tree, tmp_path, capsys, monkeypatch):
    """Without one of the three files that Azure needs there is an error and no zip."""
    (tmp_path / ".funcignore").write_text("host.json\n")
    for path in package.NEEDED:
        (tmp_path / path).write_text("x")
    monkeypatch.setattr(sys, "argv", ["package", "--to", str(tmp_path / "x.zip")])

    assert package.main(tmp_path) == 1
    assert "host.json" in capsys.readouterr().err
    assert not (tmp_path / "x.zip").exists()


def test_the_command_prints_files_and_size(tree, sent, tmp_path, capsys, monkeypatch):
    """The command prints every file, their number and the size of the zip."""
    monkeypatch.setattr(sys, "argv", ["package", "--to", str(tmp_path / "x.zip")])

    assert package.main(tree) == 0
    shown = capsys.readouterr().out

    assert all(f"  {path}\n" in shown for path in sent)
    size = (tmp_path / "x.zip").stat().st_size
    assert f"{len(sent)} files" in shown
    assert f"make {size:,} bytes" in shown


def test_the_same_files_make_the_same_bytes(tree):
    """Packed again later, and with other times on the files, the zip is the same to the byte."""
    first = packed(tree).read_bytes()
    os.utime(tree / "host.json", (1e9, 1e9))

    assert packed(tree).read_bytes() == first


def test_files_can_be_read_by_the_worker(tree):
    """Each file is regular, readable by all, and unchanged."""
    with zipfile.ZipFile(packed(tree)) as archive:
        entries = archive.infolist()
        assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
        assert all(archive.read(one) == (tree / one.filename).read_bytes() for one in entries)


def test_started_with_nothing_but_its_requirements(started):
    """The package's functions are found with only requirements.txt installed."""
    assert started["functions"] == sorted(FUNCTIONS)


def test_its_requirements_bring_the_engine(started):
    """On Azure's Python the engine comes with the package, in the version that the tests run."""
    folder = started["folder"]
    engine = [file for file in started["files"] if "/azure_functions_runtime/" in file]

    assert engine
    if sys.version_info >= (3, 13):
        assert all(file.startswith(f"{folder}/venv/") for file in engine)
    assert started["engine"] == pins(ROOT / "requirements-engine.txt")[ENGINE]


def test_handshake_is_answered(started):
    """The package answers Graph's handshake without any setting."""
    assert (started["error"], started["status"], started["body"]) == ("", "200", TOKEN)
    assert started["type"].startswith("text/plain")


def test_isolated_environment(started):
    """Every module came from Python itself, the clean environment, the engine or the package."""
    folder, python = started["folder"], str(Path(sysconfig.get_path("stdlib")).resolve())
    others = [file for file in started["files"] if not file.startswith(folder)]

    assert [file for file in others if not file.startswith(python) or "-packages" in file] == []
    assert f"{folder}/app/shared/sharepoint/publisher.py" in started["files"]
