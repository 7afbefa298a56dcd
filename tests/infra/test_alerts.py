"""Alert rules and workbook are complete, valid for Microsoft, and say what to do."""

from __future__ import annotations

import functools
import json
import re
import shlex
from typing import Any

import click
import pytest

from admin.program import program
from local.cloud.node import NoNode
from tests.infra.evaluation import deploy
from tests.infra.resource import Resource
from tests.infra.samples import every, one
from tests.infra.template import INFRA
from tests.shared.telemetry.workspace import QUERIES, evaluated_by_microsoft

RULE = "Microsoft.Insights/scheduledQueryRules"
GROUP = "Microsoft.Insights/actionGroups"
WORKBOOK = "Microsoft.Insights/workbooks"
INSIGHTS = "Microsoft.Insights/components"
GIVEN: dict[str, Any] = {
    "prefix": "photosync",
    "sharesWorkspace": False,
    "location": "westeurope",
    "tags": {"azd-env-name": "photosync-prod"},
    "logAnalyticsWorkspaceId": "/subscriptions/s/workspace",
    "insightsName": "appi-photosync",
    "alertEmail": "admin@contoso.com",
    "sweepPeriodMinutes": 60,
}
# learn.microsoft.com/azure/azure-monitor/alerts/alerts-create-log-alert-rule: what a rule may take.
WINDOWS = {"PT30M": 30, "PT1H": 60, "PT2H": 120, "PT6H": 360, "P1D": 1440, "P2D": 2880}
FREQUENCIES = {"PT5M": 5, "PT10M": 10, "PT15M": 15, "PT30M": 30, "PT1H": 60}


def deployed(**changes: Any) -> list[Resource]:
    return deploy(INFRA / "alerts.bicep", GIVEN | changes)[0]


def rules(**changes: Any) -> dict[str, dict[str, Any]]:
    """The properties of each rule, by its name without ours."""
    found = every(deployed(**changes), RULE)
    return {each.name.removeprefix("photosync-"): each.body["properties"] for each in found}


def query_of(rule: dict[str, Any]) -> str:
    [condition] = rule["criteria"]["allOf"]
    return str(condition["query"])


def book(**changes: Any) -> dict[str, Any]:
    return dict(json.loads(one(deployed(**changes), WORKBOOK).properties["serializedData"]))


def pictures(**changes: Any) -> dict[str, dict[str, Any]]:
    """The workbook's items with a query."""
    return {item["name"]: item["content"] for item in book(**changes)["items"] if item["type"] == 3}


def shared() -> dict[str, str]:
    """Every query, for a shared workspace."""
    charts, alerts = pictures(sharesWorkspace=True), rules(sharesWorkspace=True)
    return {name: content["query"] for name, content in charts.items()} | {
        f"rule {name}": query_of(rule) for name, rule in alerts.items()
    }


def test_rules():
    """Six rules, all on. A rule fires once its query finds a row in our workspace."""
    assert rules().keys() == {
        "failed-photos",
        "parked-messages",
        "subscription-expiring",
        "no-sweep",
        "brake",
        "slow-webhook",
    }
    for rule in rules().values():
        [condition] = rule["criteria"]["allOf"]
        assert (condition["timeAggregation"], condition["operator"]) == ("Count", "GreaterThan")
        assert condition["threshold"] == 0
        assert rule["scopes"] == [GIVEN["logAnalyticsWorkspaceId"]]
        assert rule["enabled"]
        assert rule["autoMitigate"]


def test_mail():
    """With an address, every rule mails it through one action group; without, there is no group."""
    group, without = one(deployed(), GROUP), deployed(alertEmail="")

    assert {tuple(rule["actions"]["actionGroups"]) for rule in rules().values()} == {(group.id,)}
    assert [each["emailAddress"] for each in group.properties["emailReceivers"]] == [
        GIVEN["alertEmail"]
    ]
    assert len(group.properties["groupShortName"]) <= 12
    assert every(without, GROUP) == []
    assert all(rule["actions"] == {"actionGroups": []} for rule in rules(alertEmail="").values())


@pytest.mark.parametrize("minutes", [1, 15, 60, 61, 180, 181, 360, 720, 721, 1440])
def test_rules_look_back_far_enough(minutes):
    """
    Each rule's window covers twice the sweep's period, and all that its query reads. A window has
    two days at most, so the longest period is one day.
    """
    for name, rule in rules(sweepPeriodMinutes=minutes).items():
        window = WINDOWS[rule["windowSize"]]
        if name not in {"slow-webhook", "subscription-expiring"}:
            assert window >= 2 * minutes
        assert FREQUENCIES[rule["evaluationFrequency"]] <= window
        for asked in re.findall(r"ago\((\d+)d\)", query_of(rule)):
            assert int(asked) * 1440 <= window


@pytest.mark.parametrize("name", ["no-sweep", "brake"])
def test_period_is_the_deployments(name):
    """The period in the file is an example; the rule has the deployment's period."""
    assert "let SweepPeriod = 45m;" in query_of(rules(sweepPeriodMinutes=45)[name])


def test_description_says_what_to_do():
    """It has more than one sentence, and the commands in it are commands that manage.py knows."""
    named = set()
    for rule in rules().values():
        assert rule["description"].count(".") >= 2
        assert rule["displayName"].startswith("PhotoSync: ")
        for words in re.findall(r'"python manage\.py ([^"]+)"', rule["description"]):
            named.add(words)
            name, *options = shlex.split(words)
            command = program.commands[name]
            # A command keeps the help options of its first context: those of the program.
            parent = click.Context(program, **program.context_settings)
            command.make_context(name, options, parent=parent, resilient_parsing=True)
            known = {flag for parameter in command.params for flag in parameter.opts}
            assert {option for option in options if option.startswith("--")} <= known

    lists = {"users --gone", "users --status left", "users --differs"}
    assert lists | {"sweep --release-removals", "check --release-repairs"} <= named


def test_every_query_is_used():
    """Rules and workbook use each file, and nothing but files."""
    used = rules().keys() | pictures().keys()
    texts = {query_of(rule) for rule in rules().values()} | {
        content["query"] for content in pictures().values()
    }

    assert used == {path.stem for path in QUERIES.glob("*.kql")}
    assert texts == {path.read_text() for path in QUERIES.glob("*.kql")}


def test_alerts_ignore_other_apps():
    """In a shared workspace every table is filtered by our Application Insights."""
    [insights] = [each for each in deployed() if each.type == INSIGHTS]
    limited = rf"\(\1 \| where _ResourceId =~ '{insights.id}'\)"

    for name, query in shared().items():
        tables = re.findall(r"\bApp[A-Z]\w+", query)
        assert tables, name
        for table in set(tables):
            found = re.findall(limited.replace(r"\1", table), query)
            assert tables.count(table) == len(found), name


@functools.cache
def answers() -> dict[str, dict[str, list[str]]]:
    texts = {path.stem: path.read_text() for path in QUERIES.glob("*.kql")}
    texts |= {f"{name} of a rule": query_of(rule) for name, rule in rules().items()}
    texts |= {f"{name}, shared": query for name, query in shared().items()}
    texts["wrong"] = "AppTraces | where Mesage has 'photo' | summarise count()"
    try:
        return evaluated_by_microsoft(texts)
    except NoNode as error:
        pytest.skip(f"Microsoft's parser needs Node.js: {error}")


def test_microsoft_understands_every_query():
    """Microsoft's own parser accepts names, types and functions of every query."""
    assert [name for name, each in answers().items() if each["faults"]] == ["wrong"]
    assert len(answers()["wrong"]["faults"]) >= 2


def test_charts_have_something_to_draw():
    """A chart over time gets a time and at least one number; tables anything."""
    for name, content in pictures().items():
        columns = answers()[name]["columns"]
        assert len(columns) >= 2
        if content["visualization"] == "timechart":
            assert columns[0] == "TimeGenerated"


def test_workbook_shows_what_an_operator_looks_at():
    """Each picture has a title, a word for nothing, the chosen time, and asks our workspace."""
    names = [item["name"] for item in book()["items"]]
    [inputs] = [item["content"] for item in book()["items"] if item["type"] == 9]

    assert len(names) == len(set(names))
    assert [parameter["name"] for parameter in inputs["parameters"]] == ["TimeRange"]
    for content in pictures().values():
        assert content["title"]
        assert content["noDataMessage"].endswith(".")
        assert content["timeContextFromParameter"] == "TimeRange"
        assert content["crossComponentResources"] == [GIVEN["logAnalyticsWorkspaceId"]]
    [insights] = [each.id for each in deployed() if each.type == INSIGHTS]
    assert insights.endswith(f"/{GIVEN['insightsName']}")
    assert book()["fallbackResourceIds"] == [insights]
    assert one(deployed(), WORKBOOK).properties["sourceId"] == insights
