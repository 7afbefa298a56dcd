"""
`python -m tools.parameters`: prints the parameters of infra/group.bicep as a table.

That file is the only place to edit them. `--write` regenerates everything that repeats them:
main.bicep, which also creates the resource group; the files with which azd fills them in from
variables; the variables that azure-dev.yml passes on; and the table in docs/infrastructure.md.
"""

from __future__ import annotations

import argparse
import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import tables
from tools.tables import REPO

INFRA = REPO / "infra"
PAGE = REPO / "docs/infrastructure.md"
WORKFLOW = REPO / ".github/workflows/azure-dev.yml"
# Parameters for which azd has its own variables; azd sets who deploys, and a workflow need not.
NAMED_BY_AZD = {
    "environmentName": "AZURE_ENV_NAME",
    "location": "AZURE_LOCATION",
    "resourceGroupName": "AZURE_RESOURCE_GROUP",
    "operatorPrincipalId": "AZURE_PRINCIPAL_ID",
}
# Beside the app's settings, what 0.1.0 knew: existing deployments have these names, with no prefix.
NAMED_IN_0_1_0 = {
    "alertEmail",
    "appName",
    "instanceMemoryMB",
    "keepLogsDays",
    "keepSweepsDays",
    "keepUnreadableDays",
    "maximumInstanceCount",
    "privateNetwork",
    "pythonVersion",
    "storageSku",
    "sweepPeriodMinutes",
}
# azd takes what is not in its environment from the shell's, where others have set a TAGS.
PREFIX = "PHOTOSYNC_"
NOT_FOR_GITHUB = "AZURE_PRINCIPAL_ID"
_GROUP_OF_OUR_OWN = """\
@description('Name of the resource group that is made; empty: rg-ENVIRONMENT. \
One that is there already loses its own tags.')
@maxLength(90)
param resourceGroupName string = ''
"""
_MAIN = """\
// The resource group and, by group.bicep, everything in it. `azd up` deploys it; so does
// `az deployment sub create --location LOCATION --template-file infra/main.bicep --parameters ...`.
// Written by `python -m tools.parameters --write` from group.bicep: change that.
targetScope = 'subscription'

{parameters}
{tags}

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {{
  name: empty(resourceGroupName) ? 'rg-${{environmentName}}' : resourceGroupName
  location: location
  tags: allTags
}}

module photosync 'group.bicep' = {{
  scope: group
  params: {{
{given}
  }}
}}

{outputs}
"""
_PARAMETER = re.compile(
    r"(?P<decorators>(?:@[^\n]+\n)+)param (?P<name>\w+) (?P<kind>\w+)(?: = (?P<default>[^\n]+))?\n"
)
_SECTION = re.compile(r"// ---- ([^\n:]+)[^\n]*\n")
_VARIABLES = re.compile(r"(?s)(      # From infra/group\.bicep[^\n]*\n).*?(?=    steps:\n)")


@dataclass(frozen=True)
class Parameter:
    """One parameter as declared in Bicep; the default is a Bicep expression."""

    name: str
    kind: str
    default: str | None
    decorators: str
    section: str

    @property
    def variable(self) -> str:
        """The environment variable that azd reads; that of a setting is named as the setting."""
        words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[a-z]{2})(?=\d)|(?<=\d)(?=[A-Z])", "_", self.name)
        name = words.upper()
        if self.name not in NAMED_IN_0_1_0 and name not in _settings():
            name = PREFIX + name
        return NAMED_BY_AZD.get(self.name, name)

    @property
    def description(self) -> str:
        found = re.search(r"@description\('((?:[^'\\]|\\.)*)'\)", self.decorators)
        return re.sub(r"\\(.)", r"\1", found[1]) if found else ""

    @property
    def allowed(self) -> list[str]:
        """The allowed values, if they are limited."""
        found = re.search(r"@allowed\(\[(.*)\]\)", self.decorators)
        return [each.strip().strip("'") for each in found[1].split(",")] if found else []

    def limit(self, decorator: str) -> int | None:
        """The value of `minValue`, `maxValue`, `minLength` or `maxLength`."""
        found = re.search(rf"@{decorator}\((\d+)\)", self.decorators)
        return int(found[1]) if found else None

    @property
    def row(self) -> str:
        default = "must be given" if self.default is None else f"`{_plain(self.default)}`"
        cells = [
            f"`{self.variable}`",
            f"`{self.name}`",
            self._values(),
            "empty" if default == "``" else default,
            self.description.replace("|", "\\|"),
        ]
        return f"| {' | '.join(cells)} |"

    def _values(self) -> str:
        low, high = self.limit("minValue"), self.limit("maxValue")
        longest = self.limit("maxLength")
        if self.allowed:
            return ", ".join(f"`{each}`" for each in self.allowed)
        if self.kind == "bool":
            return "`true`, `false`"
        if self.kind == "int":
            return f"{low or 0} to {high}" if high else f"a number from {low or 0}"
        secret = "a secret text" if "@secure()" in self.decorators else "a text"
        return f"{secret} of up to {longest} characters" if longest else secret


def parameters(text: str | None = None) -> list[Parameter]:
    """The parameters of group.bicep, or of *text*, in order."""
    text = (INFRA / "group.bicep").read_text("utf-8") if text is None else text
    sections = list(_SECTION.finditer(text))
    return [
        Parameter(
            name=each["name"],
            kind=each["kind"],
            default=each["default"],
            decorators=each["decorators"],
            section=next((s[1] for s in sections[::-1] if s.start() < each.start()), "Names"),
        )
        for each in _PARAMETER.finditer(text)
    ]


@functools.cache
def _settings() -> set[str]:
    """The app's settings that group.bicep fills in."""
    text = (INFRA / "group.bicep").read_text("utf-8")
    block = re.search(r"(?ms)^var settings = \{$(.*?)^\}$", text)
    assert block, "group.bicep has no variable settings"
    return set(re.findall(r"(?m)^  (\w+):", block[1]))


def _plain(default: str) -> str:
    return default.strip("'")


def _with_group() -> list[Parameter]:
    return parameters(_GROUP_OF_OUR_OWN) + parameters()


def main_bicep() -> str:
    """infra/main.bicep."""
    group = (INFRA / "group.bicep").read_text("utf-8")
    declared = group[group.index("@description") : group.index("\nvar unique")]
    tags = [
        line
        for line in group.splitlines()
        if re.match(r"var (tagTexts|tagsAreWrong|pairs|given|allTags)\b", line)
    ]
    outputs = re.findall(r"(@description\([^\n]+\n)output (\w+) string", group)
    return _MAIN.format(
        parameters=f"{_GROUP_OF_OUR_OWN}\n{declared}",
        tags="\n".join(tags),
        given="\n".join(f"    {each.name}: {each.name}" for each in parameters()),
        outputs="\n\n".join(
            f"{about}output {name} string = photosync.outputs.{name}" for about, name in outputs
        ),
    )


def parameters_json(found: list[Parameter]) -> str:
    """The file for azd: each parameter from its variable, or its default if that is not set."""
    lines = []
    for each in found:
        # azd sets who deploys, or leaves it empty.
        default = None if each.default is None else f"={_plain(each.default)}"
        value = json.dumps(f"${{{each.variable}{default or ''}}}")
        lines.append(f'    "{each.name}": {{ "value": {value} }}')
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#"
    inner = ",\n".join(lines)
    return (
        f'{{\n  "$schema": "{schema}",\n  "contentVersion": "1.0.0.0",\n'
        f'  "parameters": {{\n{inner}\n  }}\n}}\n'
    )


def workflow(text: str) -> str:
    """azure-dev.yml with a GitHub variable for each of azd's variables."""
    names = [each.variable for each in _with_group() if each.variable != NOT_FOR_GITHUB]
    written = "".join(f"      {name}: ${{{{ vars.{name} }}}}\n" for name in names)
    changed, count = _VARIABLES.subn(lambda found: found[1] + written, text)
    assert count == 1, f"{WORKFLOW.name} has {count} places for variables"
    return changed


def table() -> str:
    """A table for each section, in Markdown."""
    return "\n\n".join(_sections())


def _sections() -> Iterator[str]:
    found = _with_group()
    for section in dict.fromkeys(each.section for each in found):
        lines = [f"### {section}", "", "| Variable | Parameter | Values | Default | What it is |"]
        lines += ["|" + "---|" * 5, *(each.row for each in found if each.section == section)]
        yield "\n".join(lines)


def written() -> dict[Path, str]:
    """The right content of every file that repeats all parameters."""
    return {
        INFRA / "main.bicep": main_bicep(),
        INFRA / "main.parameters.json": parameters_json(_with_group()),
        INFRA / "group.parameters.json": parameters_json(parameters()),
        WORKFLOW: workflow(WORKFLOW.read_text("utf-8")),
    }


def main() -> None:
    command = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    command.add_argument(
        "--write", action="store_true", help="regenerate the files that repeat the parameters"
    )
    if command.parse_args().write:
        for file, content in written().items():
            file.write_text(content, encoding="utf-8", newline="\n")
        tables.write(PAGE, "parameters", table())
    else:
        print(table())


if __name__ == "__main__":
    main()
