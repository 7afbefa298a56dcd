"""The two GitHub workflows: their rights, commands and Pythons."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import run
from tools.pins import ROOT

FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
# A person who deploys by hand gets the right to send messages; a workflow does not need it.
NOT_FOR_GITHUB = {"AZURE_PRINCIPAL_ID"}


def read(name: str) -> dict[str, Any]:
    """A workflow with all values as texts: `on` is no truth value there, and 3.10 no number."""
    content: dict[str, Any] = yaml.load((FOLDER / name).read_text("utf-8"), yaml.BaseLoader)
    return content


def steps() -> list[dict[str, Any]]:
    """Every step of every job of both."""
    jobs = [job for file in FILES for job in read(file.name)["jobs"].values()]
    return [step for job in jobs for step in job.get("steps", [])]


DEPLOY = read("azure-dev.yml")
TEST = read("test.yml")
# From the oldest.
PROMISED = sorted(run.VERSIONS, key=lambda version: int(version.partition(".")[2]))


def test_rights_are_the_least():
    """Both read the code, only the deployment may request a token, and no secret is used."""
    assert TEST["permissions"] == {"contents": "read"}
    assert DEPLOY["permissions"] == {}
    assert DEPLOY["jobs"]["test"]["permissions"] == {"contents": "read"}
    assert DEPLOY["jobs"]["deploy"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert not any("permissions" in job for job in TEST["jobs"].values())
    for file in FILES:
        found = re.search(r"secrets\b|creds:|password|client-secret", file.read_text("utf-8"))
        assert not found, file.name


def test_deployment_waits_for_tests_and_people():
    """It starts by hand or with a version's tag, after the tests, in an environment with rules."""
    assert DEPLOY["on"].keys() == {"workflow_dispatch", "push"}
    assert DEPLOY["on"]["push"] == {"tags": ["v*"]}
    assert DEPLOY["jobs"]["test"]["uses"] == "./.github/workflows/test.yml"
    assert "workflow_call" in TEST["on"]
    assert DEPLOY["jobs"]["deploy"]["needs"] == "test"
    assert DEPLOY["jobs"]["deploy"]["environment"] == "production"
    assert DEPLOY["concurrency"]["cancel-in-progress"] == "false"


def test_deployment_signs_in_with_a_federated_token():
    """azd and az sign in as an identity that is named and not proved by anything stored."""
    job = DEPLOY["jobs"]["deploy"]
    runs = [step.get("run", "") for step in job["steps"]]
    signed_in = next(index for index, run in enumerate(runs) if run.startswith("azd auth login"))
    logins = [step for step in job["steps"] if step.get("uses", "").startswith("Azure/login@")]

    assert "--federated-credential-provider github" in runs[signed_in]
    assert all(
        set(each["with"]) == {"client-id", "tenant-id", "subscription-id"} for each in logins
    )
    # az cannot renew what it got for GitHub's token, which is good for minutes: once for each hook.
    steps = [step.get("run") or step["uses"].partition("@")[0] for step in job["steps"]]
    assert steps[-4:] == [
        "Azure/login",
        "azd provision --no-prompt",
        "Azure/login",
        "azd deploy --no-prompt",
    ]
    assert signed_in < len(runs) - 4


def test_what_would_change_is_shown_before_it_does():
    """In its resource group, by another entry of azure.yaml; "Only show" stops there."""
    steps = DEPLOY["jobs"]["deploy"]["steps"]
    runs = [step.get("run", "") for step in steps]
    shown = runs.index("azd provision --preview --no-prompt")
    only = DEPLOY["on"]["workflow_dispatch"]["inputs"]["what-if"]

    assert runs[shown - 1] == "sed -i '/^  module:/s/main/group/' azure.yaml"
    assert re.findall("(?m)^  module:.*", (ROOT / "azure.yaml").read_text()) == ["  module: main"]
    assert (only["type"], only["default"]) == ("boolean", "false")
    assert [step.get("if") for step in steps[: shown + 1]] == [None] * (shown + 1)
    assert {step.get("if") for step in steps[shown + 1 :]} == {"${{ !inputs.what-if }}"}


def test_every_setting_can_be_a_variable():
    """Each value that azd asks the environment for comes from the variable of the same name."""
    asked = re.findall(r"\$\{(\w+)", (ROOT / "infra" / "main.parameters.json").read_text("utf-8"))
    given = DEPLOY["jobs"]["deploy"]["env"]

    assert set(asked) - NOT_FOR_GITHUB <= set(given)
    azure = {"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID"}
    assert set(given) <= set(asked) | azure
    assert given == {name: f"${{{{ vars.{name} }}}}" for name in given}
    assert NOT_FOR_GITHUB.isdisjoint(given)


def test_pythons_are_those_promised():
    """Tests run on every supported Python; run.py's first choice is deployed."""
    deployed = run.VERSIONS[0]
    about = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    azure = json.loads((ROOT / "infra" / "main.parameters.json").read_text("utf-8"))

    assert TEST["jobs"]["test"]["strategy"]["matrix"]["python"] == PROMISED
    assert about["project"]["requires-python"] == f">={PROMISED[0]}"
    assert about["tool"]["mypy"]["python_version"] == PROMISED[0]
    assert PROMISED[0] == ".".join(map(str, run.OLDEST))
    assert python_of(DEPLOY["jobs"]["deploy"]) == deployed
    assert deployed in azure["parameters"]["pythonVersion"]["value"]


def test_the_pages_name_the_same_pythons():
    """Every page names the same range of Pythons."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    text = "".join(page.read_text("utf-8") for page in pages)
    ranges = set(re.findall(r"Python (3\.11(?:,| to| or)[\d., or]+\d)", text))

    assert ranges
    assert ranges <= {f"{PROMISED[0]} to {PROMISED[-1]}", run.NEEDED.rpartition("Python ")[2]}


def python_of(job: dict[str, Any]) -> Any:
    """The version that the job's setup-python installs."""
    [setup] = [step for step in job["steps"] if "setup-python" in step.get("uses", "")]
    return setup["with"]["python-version"]


def test_other_jobs():
    """The fast part runs without make on Windows and macOS, e2e in Core Tools of one version."""
    check, core_tools = TEST["jobs"]["check"], TEST["jobs"]["core-tools"]
    runs = "\n".join(step.get("run", "") for step in core_tools["steps"])

    assert check["strategy"]["matrix"]["system"] == ["windows-latest", "macos-latest"]
    assert check["steps"][-1]["run"] == "python run.py check"
    tools = r"(?m)npm install --global azure-functions-core-tools@4\.\d+\.\d+$"
    assert re.search(tools, runs)
    assert re.search(r"(?m)^make e2e HOST=func ", runs)
    assert python_of(check) == python_of(core_tools) == run.VERSIONS[0]


def test_every_make_target_exists():
    """Every make target in workflows and .ci/run is a command of run.py."""
    runs = [step.get("run", "") for step in steps()] + [(ROOT / ".ci" / "run").read_text("utf-8")]
    made = {target for run in runs for target in re.findall(r"(?m)^\s*make (\w+)", run)}

    assert {"test", "e2e", "package", "licences"} <= made
    assert made <= {name for name, _, _ in run.COMMANDS}


def test_the_makefile_makes_what_run_py_runs():
    """Each command is a target, and nothing else is."""
    rules = (ROOT / "Makefile").read_text("utf-8")
    phony = re.findall(r"(?m)^\.PHONY: (.+)$", rules)
    targets = re.findall(r"(?m)^([a-z0-9 ]+):$", rules)

    assert phony == targets
    assert set(targets[0].split()) == {name for name, _, _ in run.COMMANDS}


def test_actions_are_commits():
    """Each action is pinned to a commit, with its version in a comment."""
    lines = [line for file in FILES for line in file.read_text("utf-8").splitlines()]
    used = [line.strip() for line in lines if "uses:" in line and "uses: ./" not in line]

    odd = [one for one in used if not re.fullmatch(r".*@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)]
    assert odd == []
    assert len({one.partition("uses: ")[2] for one in used}) == 5


def test_the_compiler_checks_the_templates():
    """One version of Bicep builds, lints, formats and predicts."""
    commands = "\n".join(step.get("run", "") for step in TEST["jobs"]["bicep"]["steps"])
    runs = [step.get("run", "") for step in steps()]
    installed = [each for run in runs for each in re.findall(r"install --version (\S+)", run)]

    assert installed == ["v0.49.2"] * 2
    for command in ("build", "lint", "format", "snapshot"):
        assert re.search(rf"\bbicep {command} ", commands), command
    assert "--mode validate" in commands


def test_no_step_keeps_the_token_of_the_checkout():
    """No checkout leaves the repository's token on the disk."""
    checkouts = [step for step in steps() if step.get("uses", "").startswith("actions/checkout@")]

    assert checkouts
    assert {step["with"]["persist-credentials"] for step in checkouts} == {"false"}


def test_nothing_runs_for_ever():
    """Each job has a time limit and a fixed version of Linux."""
    jobs = [job for workflow in (TEST, DEPLOY) for job in workflow["jobs"].values()]
    running = [job for job in jobs if "steps" in job]

    assert all(0 < int(job["timeout-minutes"]) <= 90 for job in running)
    assert {job["runs-on"] for job in running} == {"ubuntu-24.04", "${{ matrix.system }}"}


# zizmor looks for what an attacker could use; lesser findings are matters of taste, such as a
# newer way to write ./ that not every runner knows yet.
@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"],
        [str(Path(sys.executable).with_name("zizmor")), "--offline", "--min-severity=medium"],
    ],
    ids=["schema", "zizmor"],
)
def test_checkers_find_nothing(command: list[str]):
    """The published schema accepts both workflows, and zizmor finds nothing of medium severity."""
    done = subprocess.run([*command, *map(str, FILES)], capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
