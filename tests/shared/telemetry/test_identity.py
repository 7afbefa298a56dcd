"""Application Insights with local authentication off: a managed identity authenticates."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest

from local.cloud.certificates import Certificates, make_certificates
from tests import REPO
from tests.doubles.web_server import Request, reply, web_server
from tests.shared.telemetry.receivers import Receiver, receiving

pytestmark = pytest.mark.server

CLIENT_ID = "00000000-0000-4000-8000-0000000000c1"
HEADER = "the-platform-says-so"
# What a worker process does before it exits normally.
PROGRAM = """
import logging, os
logging.basicConfig(level=logging.INFO, format="%(name)s")
from shared.telemetry import exporters
from shared.telemetry.telemetry import Telemetry
log = logging.getLogger("photosync")
telemetry = Telemetry(os.environ, load=exporters.start)
telemetry.listen(log)
log.error('photo.failed user=1 why="No role."')
telemetry.ready()
from shared.telemetry import metrics
metrics.photos.add(1, {"outcome": "failed"})
"""


class Platform(NamedTuple):
    """The address at which Azure gives tokens to an app's identities, and the queries it got."""

    url: str
    asked: list[dict[str, str]]


@pytest.fixture
def platform() -> Iterator[Platform]:
    asked: list[dict[str, str]] = []

    def give_token(request: Request) -> None:
        assert request.headers["X-IDENTITY-HEADER"] == HEADER
        asked.append(dict(parse_qsl(urlsplit(request.path).query)))
        answer = {"access_token": "a-token", "expires_on": "4102444800", "resource": "x"}
        body = json.dumps({**answer, "token_type": "Bearer"}).encode()
        reply(request, 200, body, Content_Type="application/json")

    with web_server(give_token) as url:
        yield Platform(f"{url}/msi/token", asked)


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


@pytest.fixture
def insights(certificates: Certificates) -> Iterator[Receiver]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates.certificate, certificates.key)
    with receiving(tls) as receiver:
        yield receiver


def run(insights: Receiver, ca: Path, **settings: str) -> str:
    """Run the program with the app settings of infra/function_app.bicep; returns its stderr."""
    env = {
        **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
        "NO_PROXY": "localhost",
        "REQUESTS_CA_BUNDLE": str(ca),
        "PYTHON_ENABLE_OPENTELEMETRY": "true",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string,
        "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
        "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
        "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
        **settings,
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=REPO,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


def test_signs_in_with_the_identity_of_the_setting(platform, insights, certificates):
    """
    The exporter requests a token for the configured identity, and each request carries it.

    The token request uses no proxy. At a normal exit, telemetry still in memory is sent.
    """
    run(
        insights,
        certificates.ca,
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING=f"Authorization=AAD;ClientId={CLIENT_ID}",
        IDENTITY_ENDPOINT=platform.url,
        IDENTITY_HEADER=HEADER,
        # Nothing listens on this port.
        HTTP_PROXY="http://localhost:9",
        NO_PROXY="",
    )

    assert insights.messages() == ['photo.failed user=1 why="No role."']
    [counted] = insights.envelopes("MetricData")
    assert counted["data"]["baseData"]["metrics"][0]["name"] == "photosync.photos"
    assert {each.authorization for each in insights.sent("/v2.1/track")} == {"Bearer a-token"}
    assert {each["client_id"] for each in platform.asked} == {CLIENT_ID}
    assert {each["resource"].rstrip("/") for each in platform.asked} == {
        "https://monitor.azure.com"
    }


def test_only_the_ingestion_endpoint_is_called(insights, certificates):
    """With the deployment's settings, only the ingestion endpoint is called."""
    console = run(insights, certificates.ca)

    assert insights.paths() == {"/v2.1/track"}
    assert {each.authorization for each in insights.sent("/v2.1/track")} == {""}
    # Otherwise each export would add a dozen lines to the host's own log.
    assert console.split() == ["photosync"]
