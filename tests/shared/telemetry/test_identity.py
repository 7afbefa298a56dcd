"""Application Insights with local authentication off: it is told by a managed identity."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from local.cloud.certificates import Certificates, make_certificates
from tests import REPO
from tests.shared.telemetry.receivers import Receiver

pytestmark = pytest.mark.server

CLIENT_ID = "00000000-0000-4000-8000-0000000000c1"
HEADER = "the-platform-says-so"
# What a process of the worker does, and then ends in order.
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


class Platform:
    """The address at which Azure hands tokens to the identities of an app."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                assert self.headers["X-IDENTITY-HEADER"] == HEADER
                query = parse_qs(urlsplit(self.path).query)
                platform.asked.append({key: values[0] for key, values in query.items()})
                answer = {"access_token": "a-token", "expires_on": "4102444800", "resource": "x"}
                body = json.dumps({**answer, "token_type": "Bearer"}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.server.server_port}/msi/token"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def platform() -> Iterator[Platform]:
    platform = Platform()
    yield platform
    platform.server.shutdown()
    platform.server.server_close()


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


@pytest.fixture
def insights(certificates: Certificates) -> Iterator[Receiver]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates.certificate, certificates.key)
    with Receiver(tls) as receiver:
        yield receiver


def run(insights: Receiver, ca: Path, **settings: str) -> str:
    """The program with the app settings that infra/function_app.bicep makes; its stderr."""
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
    The exporter asks the platform for a token of that very identity, and every request bears it.

    No proxy is asked for the token. What a process that ends in order still holds is sent, too.
    """
    run(
        insights,
        certificates.ca,
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING=f"Authorization=AAD;ClientId={CLIENT_ID}",
        IDENTITY_ENDPOINT=platform.url,
        IDENTITY_HEADER=HEADER,
        # Nothing listens there.
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


def test_nothing_else_is_told(insights, certificates):
    """With the settings of the deployment, one address hears of us: the ingestion's."""
    console = run(insights, certificates.ca)

    assert insights.paths() == {"/v2.1/track"}
    assert {each.authorization for each in insights.sent("/v2.1/track")} == {""}
    # Every request of every export would be a dozen lines of the host's own log.
    assert console.split() == ["photosync"]
