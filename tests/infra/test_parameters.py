"""azd passes every parameter, each under a recognisable name."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.hooks import connect
from shared.settings.app import Settings
from tests.infra.evaluation import deploy
from tests.infra.samples import REQUIRED, app_settings, plain, with_more
from tests.infra.template import GROUP, INFRA, MAIN, read, text
from tools import parameters, tables

VARIABLE = re.compile(r"\$\{(\w+)(?:=(.*))?\}")
# azd fills these in, under names of its own.
NAMED_BY_AZD = {
    "environmentName": "AZURE_ENV_NAME",
    "location": "AZURE_LOCATION",
    "resourceGroupName": "AZURE_RESOURCE_GROUP",
    "operatorPrincipalId": "AZURE_PRINCIPAL_ID",
}

KNOWN_FROM_0_1_0 = {
    "ALERT_EMAIL",
    "APP_NAME",
    "INSTANCE_MEMORY_MB",
    "KEEP_LOGS_DAYS",
    "KEEP_SWEEPS_DAYS",
    "KEEP_UNREADABLE_DAYS",
    "MAXIMUM_INSTANCE_COUNT",
    "PRIVATE_NETWORK",
    "PYTHON_VERSION",
    "STORAGE_SKU",
    "SWEEP_PERIOD_MINUTES",
}


def given(entry: str = "main") -> dict[str, tuple[str, str | None]]:
    """Each parameter's variable and default."""
    file = json.loads((INFRA / f"{entry}.parameters.json").read_text())["parameters"]
    found = {}
    for name, each in file.items():
        match = VARIABLE.fullmatch(each["value"])
        assert match, name
        found[name] = (match[1], match[2])
    return found


def as_azd_gives(name: str, value: str) -> Any:
    """The variable's text, converted to the parameter's type as azd does."""
    kind = read(MAIN).parameters[name].kind
    if kind == "bool":
        return value == "true"
    return int(value) if kind == "int" else value


@pytest.mark.parametrize("path", [MAIN, GROUP], ids=lambda path: path.name)
def test_azd_gives_every_parameter(path: Path):
    """Each one can be set with `azd env set`, by the same variable for both entries."""
    found = given(path.stem)

    assert found.keys() == read(path).parameters.keys()
    assert found.items() <= given().items()


@pytest.mark.parametrize("file", parameters.written(), ids=lambda file: file.name)
def test_generated_files_are_current(file: Path):
    """They are what `python -m tools.parameters --write` generates from group.bicep."""
    assert file.read_text("utf-8") == parameters.written()[file]


def test_the_page_shows_every_parameter():
    """Each with its meaning, its values and its default."""
    shown = tables.shown(parameters.PAGE, "parameters")
    rows = [line.split(" | ") for line in shown.splitlines() if line.startswith("| `")]

    assert shown == parameters.table()
    assert [(row[1].strip("`"), row[0].strip("|` ")) for row in rows] == [
        (name, variable) for name, (variable, _) in given().items()
    ]
    assert {
        "| `PHOTOSYNC_KEEP_DELETED_DAYS` | `keepDeletedDays` | 0 to 365 | `7` | Days for which "
        "deleted or overwritten blobs can be restored; 0 for none. |",
        "| `AZURE_RESOURCE_GROUP` | `resourceGroupName` | text of up to 90 characters | empty | "
        "Name of the resource group to create; empty for rg-ENVIRONMENT. The tags of an existing "
        "group are replaced. |",
        '| `SHAREPOINT_TENANT` | `sharepointTenant` | text | required | "contoso" for '
        "contoso.sharepoint.com. |",
    } <= set(shown.splitlines())


@pytest.mark.parametrize("name", given())
def test_unset_variable_is_the_default(name: str):
    """The file and the template mean the same if a variable is missing."""
    default = read(MAIN).parameters[name].value
    shown = None if default is None else text(default).strip("'")

    assert given()[name][1] == ("" if name == "operatorPrincipalId" else shown)


@pytest.mark.parametrize("name", given())
def test_variables_are_called_as_the_settings(name: str):
    """A parameter's variable has its name; that of a setting has the setting's name."""
    variable = given()[name][0]

    if name in NAMED_BY_AZD:
        assert variable == NAMED_BY_AZD[name]
    else:
        assert variable.removeprefix("PHOTOSYNC_").replace("_", "") == name.upper()


def test_other_variables_of_the_shell_are_not_read():
    """
    What is neither a setting nor known from 0.1.0 begins with our name: azd asks the shell, too.

    A setting's variable is checked by its name, above.
    """
    variables = {variable for variable, _ in given().values()} - set(NAMED_BY_AZD.values())
    ours = {each for each in variables if each.startswith("PHOTOSYNC_")}

    assert variables - ours - app_settings(plain()).keys() == KNOWN_FROM_0_1_0
    assert {"PHOTOSYNC_TAGS", "PHOTOSYNC_WORKSPACE_ID", "PHOTOSYNC_LOCK_ORDERS_DAYS"} <= ours


def test_outputs_do_not_set_parameters():
    """azd keeps outputs beside the variables: one name for both would change a parameter."""
    outputs = deploy(MAIN, REQUIRED)[1].keys()

    # Both mean the same thing, on either side.
    assert outputs & {variable for variable, _ in given().values()} == {
        "AZURE_RESOURCE_GROUP",
        "SHAREPOINT_TENANT",
    }


@pytest.mark.parametrize(
    "parameter",
    [each for each in parameters.parameters() if each.variable in app_settings(plain())],
    ids=lambda each: each.variable,
)
def test_each_setting_arrives_under_its_name(parameter: parameters.Parameter):
    """The app reads as NAME the value of `azd env set NAME VALUE`, here one that is no default."""
    choices = {"bool": ["true", "false"], "int": ["0"]}.get(parameter.kind)
    choices = choices or parameter.allowed or ["another"]
    value = next(each for each in choices if each != (parameter.default or "").strip("'"))

    found = app_settings(with_more(**{parameter.name: as_azd_gives(parameter.name, value)}))

    assert found[given()[parameter.name][0]] == value


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("environmentName", ""),
        ("environmentName", "a" * 41),
        ("appName", "a" * 56),
        ("sharepointTenant", ""),
        ("sweepPeriodMinutes", 0),
        ("sweepPeriodMinutes", 1441),
        ("profileCallsPer5Minutes", -1),
        ("forgetAfterDays", -1),
        ("forgetAfterDays", 10_000),
        ("pythonVersion", "3.10"),
        ("instanceMemoryMB", 1024),
        ("maximumInstanceCount", 0),
        ("maximumInstanceCount", 1001),
        ("storageSku", "Premium_LRS"),
        ("keepUnreadableDays", 0),
        ("keepSweepsDays", 1),
        ("keepOrdersDays", 30),
        ("lockOrdersDays", -1),
        ("keepLogsDays", 29),
        ("keepLogsDays", 731),
        ("keepDeletedDays", -1),
        ("keepDeletedDays", 366),
        ("storageAccountName", "a" * 25),
        ("alertPrefix", ""),
        ("resourceGroupName", "a" * 91),
    ],
)
def test_invalid_value_is_refused_at_once(name: str, wrong: Any):
    """A wrong value ends a deployment at its beginning, not in the middle."""
    with pytest.raises(AssertionError, match=name):
        with_more(**{name: wrong})


def test_azd_asks_for_a_region():
    """Without one, azd shows a list."""
    assert text(read(MAIN).parameters["location"].decorators["metadata"]) == (
        "({ azd: { type: 'location' } })"
    )


def test_the_hook_gets_what_it_asks_for():
    """Every variable that the hook needs is an output, but the subscription, which azd knows."""
    outputs = deploy(MAIN, REQUIRED)[1]

    deployment = connect.Deployment.from_mapping(outputs | {"AZURE_SUBSCRIPTION_ID": "s"})

    assert deployment.url == f"https://{deployment.app}.azurewebsites.net"
    assert outputs["PHOTOSYNC_CONSOLE"] == f"{deployment.url}/api/console"
    keys = {connect.GRAPH_KEY: "k", connect.CLIENT_STATE_KEY: "c"}
    assert connect.wanted(deployment, keys)["WEBHOOK_URL"] == (
        f"{outputs['PHOTOSYNC_WEBHOOK']}?code=k"
    )


@pytest.mark.parametrize("name", ["m365Cloud", "customPicture", "removedPhoto", "pictureSyncState"])
def test_allowed_values_are_those_of_the_app(name: str):
    """Settings accepts every value that the template allows."""
    [allowed] = [each.allowed for each in parameters.parameters() if each.name == name]
    for value in allowed:
        settings = app_settings(with_more(**{name: as_azd_gives(name, value)}))
        Settings.from_mapping(settings | {"CLIENT_STATE": "set by the hook later"})
