"""Every setting is in app, sample, deployment and settings.md, or has a reason not to be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

import pytest

from infra.hooks import connect
from shared.settings.app import Settings
from shared.settings.webhook import WebhookSettings
from shared.telemetry import telemetry
from tests.infra.samples import app_settings, everything, plain
from tests.infra.template import INFRA
from tests.shared.settings.test_app import ENOUGH

ROOT = INFRA.parent

# Where a setting may be missing, and why.
HOST = "the Functions host or its engine reads it"
PLATFORM = "Flex Consumption sets it and rejects it as a setting (functions.md section Deployment)"
ONE_WAY = "a laptop uses a connection string, Azure an identity"
WATCHED = "only where Application Insights watches, and the template sets it"
OPTIONAL = "for a collector of one's own"
INSIGHTS = (
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
)
WATCHING = dict.fromkeys(
    ["PYTHON_ENABLE_OPENTELEMETRY", "APPLICATIONINSIGHTS_CONNECTION_STRING", *INSIGHTS], WATCHED
)
MAY_MISS: dict[str, dict[str, str]] = {
    "app": {
        "FUNCTIONS_WORKER_RUNTIME": HOST,
        "PYTHON_THREADPOOL_THREAD_COUNT": HOST,
        "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": HOST,
        "AzureWebJobsStorage__credential": HOST,
        **dict.fromkeys(INSIGHTS, HOST),
    },
    "sample": {
        "AzureWebJobsStorage__blobServiceUri": ONE_WAY,
        "AzureWebJobsStorage__queueServiceUri": ONE_WAY,
        "AzureWebJobsStorage__credential": ONE_WAY,
        "AzureWebJobsStorage__clientId": ONE_WAY,
        **WATCHING,
        "OTEL_EXPORTER_OTLP_ENDPOINT": OPTIONAL,
    },
    "Bicep": {
        "AzureWebJobsStorage": ONE_WAY,
        "FUNCTIONS_WORKER_RUNTIME": PLATFORM,
        "OTEL_EXPORTER_OTLP_ENDPOINT": OPTIONAL,
    },
    "page": {
        "FUNCTIONS_WORKER_RUNTIME": PLATFORM,
        **WATCHING,
        "OTEL_EXPORTER_OTLP_ENDPOINT": OPTIONAL,
    },
}


class Recorded(Mapping[str, str]):
    """Settings that record which keys are read."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self._held = {**ENOUGH, "PYTHON_ENABLE_OPENTELEMETRY": "true"}

    def __getitem__(self, key: str) -> str:
        self.asked.add(key)
        return self._held[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


def app() -> set[str]:
    """The settings that the code reads, and those that triggers name as %SETTING%."""
    recorded = Recorded()
    Settings.from_mapping(recorded)
    WebhookSettings.from_mapping(recorded)
    telemetry.is_on(recorded)
    triggers = (ROOT / "function_app.py").read_text()
    return recorded.asked | set(re.findall(r'"%(\w+)%"', triggers))


def sample() -> dict[str, str]:
    return dict(json.loads((ROOT / "local.settings.sample.json").read_text())["Values"])


def bicep() -> set[str]:
    """The settings of the template and of the hook."""
    keys = {connect.GRAPH_KEY: "k", connect.CLIENT_STATE_KEY: "k"}
    deployment = connect.Deployment("", "", "", "", "", "", "")
    return app_settings(plain()).keys() | connect.wanted(deployment, keys).keys()


def page() -> set[str]:
    """The first column of its tables, and for storage the last."""
    lines = (ROOT / "docs" / "settings.md").read_text("utf-8").splitlines()
    rows = [line.split("|") for line in lines if line.startswith("| `")]
    named = "".join(row[1] for row in rows) + "".join(row[3] for row in rows)
    return set(re.findall(r"`([A-Z][A-Z0-9_]{3,}|AzureWebJobsStorage\w*)`", named))


PLACES = {"app": app, "sample": lambda: set(sample()), "Bicep": bicep, "page": page}


@pytest.mark.parametrize("place", PLACES)
def test_no_setting_is_missing(place: str):
    """A setting that one place has, every other has, too, or there is a reason."""
    known = set().union(*(read() for read in PLACES.values()))

    assert known - PLACES[place]() - MAY_MISS[place].keys() == set()


def test_no_reason_is_left_over():
    """Every exception is about a setting that is really missing there, but for the page's."""
    known = set().union(*(read() for read in PLACES.values()))
    needless = {
        (place, name)
        for place, reasons in MAY_MISS.items()
        for name in reasons
        if name not in known or (place != "page" and name in PLACES[place]())
    }

    assert needless == set()


def test_defaults_are_those_of_the_sample():
    """The defaults of the deployment are those of the sample."""
    deployed, shown = app_settings(plain()), sample()
    # Specific to a deployment: the tenant and its credentials.
    own = {"TENANT_ID", "CLIENT_ID", "CLIENT_CERTIFICATE", "MANAGED_IDENTITY_CLIENT_ID"}

    assert {name: deployed[name] for name in deployed.keys() & shown.keys() - own} == {
        name: shown[name] for name in deployed.keys() & shown.keys() - own
    }


@pytest.mark.parametrize("deployed", [plain, everything], ids=["identity", "certificate"])
def test_the_app_accepts_what_is_deployed(deployed):
    """Both ways of signing in make valid settings, and only one of them is set."""
    settings = Settings.from_mapping(
        app_settings(deployed()) | {"CLIENT_STATE": "made by the hook later"}
    )

    assert bool(settings.managed_identity_client_id) != bool(settings.client_certificate)
    assert settings.storage.identity_client_id
    assert settings.storage.blob_uri.startswith("https://")
