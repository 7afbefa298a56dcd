"""The Bicep files: described, without unused parts, and valid for Azure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.infra import resource
from tests.infra.evaluation import World, deploy_into
from tests.infra.resource import Resource
from tests.infra.samples import REQUIRED, WITH_CERTIFICATE, bank, every, everything, plain
from tests.infra.schema import FILE, faults
from tests.infra.template import MAIN, TYPES, files, read, text, walk

TYPES_OF_AZURE = json.loads(FILE.read_text())
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
def test_every_declaration_is_used(path: Path):
    """Every declaration and import is used, and every used name is declared."""
    template = read(path)
    nodes = list(walk(template.root))
    loops = {text(node) for node in nodes if node.type in {"loop_variable", "loop_enumerator"}}
    loops |= {text(node.named_children[0]) for node in nodes if node.type == "lambda_expression"}
    starts = [node.child_by_field_name("initializer") for node in nodes]
    loops |= {text(node) for node in starts if node}

    assert template.parameters.keys() | template.variables.keys() <= template.mentioned()
    assert template.imported <= template.mentioned() & read(TYPES).types.keys()
    assert template.mentioned() - loops <= template.symbols().keys() | template.imported


@pytest.mark.parametrize("deployed", [plain, everything, bank], ids=lambda each: each.__name__)
def test_azure_knows_every_type_version_and_property(deployed):
    """Types and versions exist, properties can be written, and values are of their kind."""
    found = [fault for each in every(deployed(), "") for fault in faults(each, TYPES_OF_AZURE)]

    assert found == [f"{KNOWN_TO_AZURE_ALONE} is unknown, or cannot be written"]


def with_property(name: str) -> list[Resource]:
    """The resources with everything switched on whose type has property *name*."""
    return [
        each
        for each in every(everything(), "")
        if name in TYPES_OF_AZURE.get(f"{each.type}@{each.api_version}", {})
    ]


def test_everything_carries_the_tag_of_its_environment():
    """Every resource that can have tags has azd's, for bills and `azd down`."""
    tagged = with_property("tags")

    assert tagged
    assert [each.id for each in tagged if "azd-env-name" not in each.body.get("tags", {})] == []


def test_everything_is_in_the_given_region():
    """Every resource is in the deployment's region, or global."""
    located = [(each.symbol, each.body.get("location")) for each in with_property("location")]

    assert {place for _, place in located} == {"westeurope", "global"}
    anywhere = [symbol for symbol, place in located if place == "global"]
    assert anywhere == ["zones", "zones", "links", "links", "people"]


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


def test_every_part_names_its_owner():
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
