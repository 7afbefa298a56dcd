"""The simulator as a program: its output, its ports, its end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys

import pytest
import requests

from local.cloud.certificates import make_certificates
from local.m365.config import HOSTS, Config
from local.m365.server import Simulator, running
from tests import REPO
from tests.local.m365.simulator import ADMIN_APP, TENANT_ID, TIMEOUT

pytestmark = pytest.mark.server


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_program_prints_its_urls_and_ends_at_a_signal(tmp_path, number: int):
    """Stdout has only one JSON line, once every port accepts connections; the exit code is 0."""
    certificates = make_certificates(tmp_path)
    config = tmp_path / "m365.json"
    content = {
        "tenantId": TENANT_ID,
        "certificate": str(certificates.certificate),
        "key": str(certificates.key),
        "apps": [{"clientId": ADMIN_APP, "secret": "x", "roles": {"graph": []}}],
    }
    config.write_text(json.dumps(content))
    command = [sys.executable, "-m", "local.m365", "--config", str(config)]
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        for host in HOSTS:
            port = int(line[host].rpartition(":")[2])
            socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT).close()
        process.send_signal(number)
        rest, _ = process.communicate(timeout=120)

    assert line["ready"] is True
    assert line["graph"].startswith("https://localhost:")
    assert rest == ""
    assert process.returncode == 0


def test_taken_port_is_an_error_at_start(tmp_path):
    """A port in use keeps the simulator from starting, with an error."""
    certificates = make_certificates(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = {"graph": other.getsockname()[1]}
        config = Config(TENANT_ID, certificates.certificate, certificates.key, ports=ports)
        with pytest.raises(OSError, match="in use"):
            Simulator(config).start()


def test_stops_with_idle_connections_open(tmp_path):
    """A client that keeps its connection open does not delay the end."""
    certificates = make_certificates(tmp_path)
    config = Config(TENANT_ID, certificates.certificate, certificates.key)
    with requests.Session() as session:
        with running(config) as simulator:
            url = f"{simulator.urls.login}/{TENANT_ID}/discovery/v2.0/keys"
            keys = session.get(url, verify=str(certificates.ca), timeout=TIMEOUT).json()["keys"]
        with pytest.raises(requests.ConnectionError):
            session.get(url, verify=str(certificates.ca), timeout=TIMEOUT)

    assert len(keys) == 1
