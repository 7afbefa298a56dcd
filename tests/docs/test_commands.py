"""Commands of the documents that can be run here are run here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from local.cloud.certificates import make_client_certificate
from shared.microsoft365.certificates import credential
from tests import REPO

_OPERATIONS = REPO / "docs" / "operations.md"


def test_certificate_on_one_line(tmp_path: Path):
    """The command in operations.md turns a PEM file into a valid CLIENT_CERTIFICATE."""
    pem = make_client_certificate(tmp_path, "photosync")
    found = re.search(r'`python -c "([^`"$\\]+)"`', _OPERATIONS.read_text(encoding="utf-8"))
    assert found

    done = subprocess.run(
        [sys.executable, "-c", found[1]], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert done.stdout.count("\n") == 1
    assert credential(done.stdout) == credential(pem.read_text("utf-8"))


def test_deletes_only_roles_of_the_app():
    """Even with an empty or wrong `ID`, the upgrade from 0.1.0 deletes no other roles."""
    text = _OPERATIONS.read_text(encoding="utf-8")
    infra = "".join(file.read_text("utf-8") for file in (REPO / "infra").glob("*.bicep"))
    given = re.findall(r"guid\(\w+\.id, identityName, (\w+)\)", infra)

    commands = re.findall(r"(?m)^az role assignment (?:list|delete) .*", text)
    queries = re.findall(r'az role assignment list [^"]*--query "([^"]*)"', text)

    # No filter that is none if its value is empty, as that of --assignee is.
    assert len(commands) == len(queries) == 2
    assert queries[0] == queries[1]
    assert not re.search(r"--(assignee|role|scope|resource-group)\b", " ".join(commands))
    match = re.fullmatch(
        r"\[\?principalId=='\$ID' && contains\(\[(.+)\], roleDefinitionName\)\]\.id", queries[0]
    )
    assert match
    names = [name.replace(" ", "").lower() for name in re.findall("'([^']+)'", match[1])]
    assert sorted(names) == sorted(each.lower() for each in given)
