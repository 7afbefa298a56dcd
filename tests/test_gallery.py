"""
What a developer's editor, GitHub and the gallery of azd templates expect, as far as it can be
checked without them.

The gallery's rules: microsoft/template-validation-action, src/rules.json at 1ddfe18. It also runs
`azd up` and `azd down`, which take an Azure subscription.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.__main__ import main as local
from local.cloud.host_command import host_command
from tests import REPO

WANTED = (
    "README.md",
    "LICENSE",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "CODE_OF_CONDUCT.md",
    "azure.yaml",
    "infra/main.bicep",
    ".devcontainer/devcontainer.json",
    ".github/ISSUE_TEMPLATE/bug.yml",
    ".github/pull_request_template.md",
    ".github/workflows/azure-dev.yml",
)
HEADINGS = ("Features", "Getting Started", "Guidance", "Resources")
SCHEMA = "check-jsonschema --builtin-schema vendor."
CHECKS = (
    (".github/dependabot.yml", f"{SCHEMA}dependabot"),
    # Among others, for updates to versions that are too new to be trusted.
    (".github/dependabot.yml", "zizmor --offline --min-severity=medium"),
    (".github/ISSUE_TEMPLATE/config.yml", f"{SCHEMA}github-issue-config"),
    (".github/ISSUE_TEMPLATE/bug.yml", f"{SCHEMA}github-issue-forms"),
    (".github/ISSUE_TEMPLATE/idea.yml", f"{SCHEMA}github-issue-forms"),
)


def commented_json(name: str) -> dict[str, Any]:
    """A JSON file of Visual Studio Code, in which lines may be comments."""
    text = re.sub(r"(?m)^\s*//.*", "", (REPO / name).read_text("utf-8"))
    found: dict[str, Any] = json.loads(text)
    return found


def read_yaml(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((REPO / name).read_text("utf-8"))
    return found


CONTAINER = commented_json(".devcontainer/devcontainer.json")
LAUNCH = commented_json(".vscode/launch.json")["configurations"]
TASKS = commented_json(".vscode/tasks.json")["tasks"]
UPDATES = read_yaml(".github/dependabot.yml")["updates"]


def test_the_gallery_finds_its_files_and_headings():
    """No file that the gallery or GitHub requires is empty; README has each heading once."""
    assert [name for name in WANTED if not (REPO / name).stat().st_size] == []
    lines = (REPO / "README.md").read_text("utf-8").splitlines()
    assert [lines.count(f"## {heading}") for heading in HEADINGS] == [1] * len(HEADINGS)


@pytest.mark.parametrize(("name", "command"), CHECKS)
def test_github_understands(name, command):
    """Each file is valid by the published schema of its kind, and zizmor finds nothing."""
    program, *options = command.split()
    words = [str(Path(sys.executable).with_name(program)), *options, str(REPO / name)]

    done = subprocess.run(words, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("ecosystem", "file"), [("npm", "package.json"), ("pip", "requirements*.txt")]
)
def test_dependabot_covers_all_pins(ecosystem, file):
    """Dependabot checks exactly the folders that pin something."""
    listed = subprocess.check_output(["git", "ls-files", f":(glob)**/{file}"], cwd=REPO, text=True)
    [update] = [each for each in UPDATES if each["package-ecosystem"] == ecosystem]

    folders = {Path("/", name).parent.as_posix() for name in listed.split()}
    assert folders == set(update["directories"])


def test_dependabot_covers_actions_and_the_container():
    """Both are configured for the root folder."""
    in_root = {each["package-ecosystem"] for each in UPDATES if each.get("directory") == "/"}

    assert in_root == {"github-actions", "devcontainers"}


def test_the_container_has_the_python_of_azure():
    """Code is tried there on the Python version that runs in Azure."""
    parameters = json.loads((REPO / "infra" / "main.parameters.json").read_text("utf-8"))
    [version] = re.findall(r"3\.\d+", parameters["parameters"]["pythonVersion"]["value"])

    assert CONTAINER["image"].partition(":")[2].startswith(f"{version}-")


def test_the_container_forwards_the_console():
    """The process that listens on the console's port is recognised by its command line."""
    [(pattern, attributes)] = CONTAINER["portsAttributes"].items()

    assert re.fullmatch(pattern, " ".join([*host_command({}), "--app", "."]))
    assert not re.fullmatch(pattern, f"{sys.executable} -m local.m365 --config m365.json")
    assert (attributes["protocol"], attributes["requireLocalPort"]) == ("https", True)


def test_f5_starts_the_local_cloud(capsys):
    """The first launch configuration, which F5 uses, is an existing command."""
    first = LAUNCH[0]
    assert (first["type"], first["request"], first["module"]) == ("debugpy", "launch", "local")
    with pytest.raises(SystemExit) as ended:
        local([*first["args"], "--help"])

    assert ended.value.code == 0
    assert f"python -m local {first['args'][0]}" in capsys.readouterr().out


def test_configurations_and_tasks_are_complete():
    """Each has the required keys, and starts only tasks that exist."""
    labels = {task["label"] for task in TASKS}

    assert all({"name", "type", "request"} <= each.keys() for each in LAUNCH)
    assert all({"label", "type", "command"} <= task.keys() for task in TASKS)
    assert {each["preLaunchTask"] for each in LAUNCH if "preLaunchTask" in each} <= labels


def test_make_targets_exist():
    """Tasks and the container call only existing targets of the Makefile."""
    rules = re.findall(r"(?m)^[a-z][a-z0-9 ]*(?=:(?!=))", (REPO / "Makefile").read_text("utf-8"))
    targets = {target for rule in rules for target in rule.split()}
    commands = [CONTAINER["postCreateCommand"], *(task["command"] for task in TASKS)]
    made = {target for each in commands for target in re.findall(r"\bmake (\w+)", each)}

    assert {"package", "check", "demo"} <= made
    assert made <= targets


def test_editor_and_container_agree():
    """Both have the same extensions, the environment of `make` and the programming model."""
    recommended = commented_json(".vscode/extensions.json")["recommendations"]

    settings = commented_json(".vscode/settings.json")
    container = CONTAINER["customizations"]["vscode"]

    assert recommended == container["extensions"]
    assert all(re.fullmatch(r"[a-z0-9-]+\.[a-z0-9-]+", name) for name in recommended)
    assert settings["azureFunctions.pythonVenv"] == ".venv"
    assert settings["azureFunctions.projectLanguageModel"] == 2
    assert "/.venv/" in container["settings"]["python.defaultInterpreterPath"]
