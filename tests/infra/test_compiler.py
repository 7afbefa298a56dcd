"""Bicep's own compiler: its linter rules and, if it is installed, its results."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infra.functions import SUBSCRIPTION, TENANT
from tests.infra.prediction import FOLDER, NAMES, differences
from tests.infra.template import INFRA

# src/Bicep.Core/Analyzers/Linter/Rules of Azure/bicep at commit 9beb0fee, of 21 August 2026.
RULES = set(
    """
    adminusername-should-not-be-literal artifacts-parameters decompiler-cleanup
    explicit-values-for-loc-params max-asserts max-outputs max-params max-resources max-variables
    nested-deployment-template-scoping no-conflicting-metadata no-deployments-resources
    no-explicit-any no-hardcoded-env-urls no-hardcoded-location no-hardcoded-outputs
    no-loc-expr-outside-params no-module-name no-unnecessary-dependson no-unused-existing-resources
    no-unused-imports no-unused-params no-unused-types no-unused-vars
    outputs-should-not-contain-secrets prefer-interpolation prefer-unquoted-property-names
    protect-commandtoexecute-secrets secure-parameter-default secure-params-in-nested-deploy
    secure-params-in-parameters-file secure-secrets-in-params simplify-interpolation
    simplify-json-null stacks-extensibility-compat use-description-outputs use-description-params
    use-description-type-properties use-description-types use-description-vars use-parent-property
    use-recent-api-versions use-recent-az-powershell-version use-recent-module-versions
    use-recognized-resource-type use-resource-id-functions use-resource-symbol-reference
    use-safe-access use-secure-value-for-secure-inputs use-stable-resource-identifiers
    use-stable-vm-image use-user-defined-types what-if-short-circuiting
    """.split()
)


def test_every_rule_is_an_error_or_says_why_not():
    """Every linter rule is set; a rule that is no error has its reason before it."""
    lines = (INFRA / "bicepconfig.json").read_text().splitlines()
    plain = "\n".join(line for line in lines if not line.lstrip().startswith("//"))
    rules = json.loads(plain)["analyzers"]["core"]["rules"]
    less = [index for index, line in enumerate(lines) if re.search('"(off|warning)"', line)]

    assert rules.keys() == RULES
    assert list(rules.values()).count({"level": "error"}) == len(rules) - len(less)
    assert [lines[index] for index in less if not lines[index - 1].lstrip().startswith("//")] == []


def test_a_line_that_a_rule_is_wrong_about_says_why():
    """A comment precedes each rule that is disabled for one line."""
    for path in INFRA.glob("*.bicep"):
        lines = path.read_text().splitlines()
        for index, line in enumerate(lines):
            if "#disable" in line:
                assert re.match(r"\s*#disable-next-line [\w-]+$", line), f"{path.name}: {line}"
                assert lines[index - 1].lstrip().startswith("//"), f"{path.name}: {line}"


def test_the_compiler_agrees(tmp_path: Path):
    """If installed, it predicts the same; CI also builds, lints and formats with it."""
    compiler = shutil.which("bicep")
    if compiler is None:
        pytest.skip("no Bicep compiler here: no package of PyPI, npm or Debian brings one")

    copy = tmp_path / "infra"
    shutil.copytree(INFRA, copy)

    for name in NAMES:
        shutil.copy(FOLDER / f"{name}.bicepparam", copy)
        command = [compiler, "snapshot", f"{name}.bicepparam", "--mode", "overwrite"]
        command += ["--subscription-id", SUBSCRIPTION, "--tenant-id", TENANT]
        command += ["--location", "westeurope"]
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        snapshot = json.loads((copy / f"{name}.snapshot.json").read_text("utf-8-sig"))
        assert snapshot["diagnostics"] == []
        assert differences(name, snapshot) == set()
