"""The Bicep files: described, without unused parts, and valid for Azure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.infra import resource
from tests.infra.evaluation import World, deploy_into
from tests.infra.samples import REQUIRED, WITH_CERTIFICATE, bank, everything, plain
from tests.infra.schema import FILE, faults
from tests.infra.template import MAIN, TYPES, files, read, text, walk

EACH = pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
# Azure knows it and Bicep's types do not; the line before it says so to the compiler.
KNOWN_TO_AZURE_ALONE = "function_app.bicep app.properties.functionsRuntimeAdminIsolationEnabled"


@EACH
def test_everything_is_described(path: Path):
    """Parameters, outputs and types have a description, in sentences."""
    template = read(path)
    for each in (template.parameters | template.outputs | template.types).values():
        assert text(each.decorators["description"]).endswith(".')"), each.name


@EACH
def test_nothing_is_declared_in_vain(path: Path):
    """Every declaration and import is used, and every used name is declared."""
    template = read(path)
    loops = {
        text(node)
        for node in walk(template.root)
        if node.type in {"loop_variable", "loop_enumerator"}
        or (
            node.parent is not None
            and node.parent.type == "for_statement"
            and node.parent.child_by_field_name("initializer") == node
        )
        or (
            node.parent is not None
            and node.parent.type == "lambda_expression"
            and node.parent.named_children[0] == node
        )
    }

    assert template.parameters.keys() | template.variables.keys() <= template.mentioned()
    assert template.imported <= template.mentioned() & read(TYPES).types.keys()
    assert template.mentioned() - loops <= template.symbols().keys() | template.imported


@pytest.mark.parametrize("deployed", [plain, everything, bank], ids=lambda each: each.__name__)
def test_azure_knows_every_type_version_and_property(deployed):
    """Types and versions exist, properties can be written, and values are of their kind."""
    types = json.loads(FILE.read_text())

    found = [fault for each in deployed() if not each.existing for fault in faults(each, types)]

    assert found == [f"{KNOWN_TO_AZURE_ALONE} is unknown, or cannot be written"]


def test_everything_carries_the_tag_of_its_environment():
    """Every resource that can have tags has azd's, for bills and `azd down`."""
    types = json.loads(FILE.read_text())
    taggable = [
        each for each in everything() if "tags" in types.get(f"{each.type}@{each.api_version}", {})
    ]

    assert [
        f"{each.file} {each.symbol}"
        for each in taggable
        if not each.existing and "azd-env-name" not in each.body.get("tags", {})
    ] == []


def test_everything_is_where_it_is_asked_for():
    """Every resource is in the deployment's region, or global."""
    types = json.loads(FILE.read_text())
    located = [
        each
        for each in everything()
        if not each.existing and "location" in types.get(f"{each.type}@{each.api_version}", {})
    ]

    assert {each.body.get("location") for each in located} == {"westeurope", "global"}
    assert [each.symbol for each in located if each.body["location"] == "global"] == [
        "zones",
        "zones",
        "links",
        "links",
        "people",
    ]


def test_every_name_is_known_before_the_deployment(monkeypatch: pytest.MonkeyPatch):
    """No name contains generated values such as object ids, which what-if cannot resolve."""
    before = {each.id for each in everything() + bank()}
    made_up = resource._made_up
    other = {"clientId": "c", "principalId": "p", "ConnectionString": "s", "defaultHostName": "h"}
    monkeypatch.setattr(
        resource,
        "_made_up",
        lambda each: {name: other.get(name, value) for name, value in made_up(each).items()},
    )

    assert {each.id for each in everything.__wrapped__() + bank.__wrapped__()} == before


def test_every_part_says_whose_it_is():
    """A child resource names its parent, a role assignment its scope."""
    deployed = everything() + bank()
    parts = [each for each in deployed if each.type.count("/") > 1]
    about = ("/roleAssignments", "/diagnosticSettings")
    extensions = [each for each in deployed if each.type.endswith(about)]

    assert [each.symbol for each in parts if "parent" not in each.body] == []
    assert [each.symbol for each in extensions if "scope" not in each.body] == []


def test_secrets_stay_out_of_outputs_and_of_the_history():
    """Azure shows outputs, and parameters that are not @secure, to every reader."""
    hidden = ["the-certificate", "the-key", "the-client-state"]
    world = World({"WEBHOOK_URL": "https://a/api?code=the-key", "CLIENT_STATE": "the-client-state"})
    given = REQUIRED | WITH_CERTIFICATE | {"clientCertificate": "the-certificate"}

    outputs = deploy_into(world, MAIN, given)

    assert [secret for secret in hidden if secret in str(world.shown) + str(outputs)] == []
    settings = next(each for each in world.resources if each.name == "appsettings").body
    assert [secret for secret in hidden if secret not in str(settings)] == []
