"""A connection that fails, is not trusted or gets no answer is one sentence on stderr."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import trustme

from admin.console.address import Address
from admin.console.console import Console
from admin.entra.device_code import _Session
from admin.terminal.problems import Unreachable
from tests.admin.command_result import assert_one_sentence
from tests.admin.console.conftest import COMMANDS, Manage
from tests.admin.console.console_double import KEY, Asked, ConsoleDouble, serving
from tests.doubles.console_answers import overview


@pytest.fixture
def closed() -> Iterator[str]:
    """An address at which nothing listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_refused_connection(manage: Manage, closed: str, command: list[str]):
    """If nothing listens, the sentence names the host and what to check."""
    host = closed.removeprefix("http://")
    assert_one_sentence(manage(*command, "--url", closed), 3, "PHOTOSYNC_URL", host)


def test_host_that_does_not_exist(manage: Manage):
    """A misspelt host name is a failed connection."""
    assert_one_sentence(manage("status", "--url", "https://nobody.invalid"), 3, "nobody.invalid")


@pytest.mark.parametrize("timeout", [0.1, 0.2], ids=["nothing", "drips"])
def test_answer_that_takes_too_long(console: ConsoleDouble, timeout: float):
    """The client does not wait for ever for an answer, or for one that arrives byte by byte."""
    over = threading.Event()

    def drip() -> Iterator[bytes]:
        while not over.wait(0.02):
            yield b" "

    def never(asked: Asked) -> tuple[int, object]:
        if timeout == 0.2:
            return 200, drip()
        over.wait(30)
        return 200, overview()

    console.routes["GET", "overview"] = never
    with Console(Address(console.url, KEY), timeout=(5, timeout)) as client:
        with pytest.raises(Unreachable, match="too long"):
            client.overview()
    over.set()


@pytest.fixture
def unreachable_proxy(closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, closed)


@pytest.mark.usefixtures("unreachable_proxy")
def test_unreachable_proxy(manage: Manage):
    """A proxy that does not answer is reported as such."""
    result = manage("status", "--url", "https://photosync.invalid")
    assert_one_sentence(result, 3, "proxy", "HTTPS_PROXY")


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "nonsense"])
def test_unsupported_proxy(manage, monkeypatch, scheme):
    """SOCKS proxies are not supported; the sentence names the variable."""
    monkeypatch.setenv("https_proxy", f"{scheme}://127.0.0.1:9")

    assert_one_sentence(manage("status", "--url", "https://photosync.invalid"), 2, "HTTPS_PROXY")


@pytest.mark.usefixtures("unreachable_proxy")
def test_no_proxy_for_this_machine(manage: Manage, secured: ConsoleDouble, trusted: Path):
    """This machine is reached directly, over https and over http: no proxy reads the key."""
    assert manage("status", "--url", secured.url, "--ca", str(trusted)).code == 0
    assert manage("status").code == 0


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> Path:
    """The authority's file."""
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return file


@pytest.fixture
def secured(authority: trustme.CA) -> Iterator[ConsoleDouble]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    double = ConsoleDouble(routes={("GET", "overview"): (200, overview())})
    with serving(double, context) as served:
        yield served


def test_untrusted_certificate(manage: Manage, secured: ConsoleDouble):
    """An untrusted certificate is refused, and the sentence names --ca."""
    assert_one_sentence(manage("status", "--url", secured.url), 3, "--ca")


def test_private_authority(manage, secured, trusted, tmp_path, monkeypatch):
    """--ca or PHOTOSYNC_CA overrides other variables."""
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))

    assert manage("status", "--url", secured.url, "--ca", str(trusted)).code == 0
    monkeypatch.setenv("PHOTOSYNC_CA", str(trusted))
    assert manage("status", "--url", secured.url).code == 0


def test_authority_file_without_certificates(manage, secured, tmp_path):
    """A --ca file without certificates is reported as such."""
    file = tmp_path / "notes.txt"
    file.write_text("not a certificate")
    result = manage("status", "--url", secured.url, "--ca", str(file))
    assert_one_sentence(result, 2, "--ca", "PEM")


def test_https_where_http_is_spoken(manage: Manage, console: ConsoleDouble):
    """A wrong port is not reported as a certificate error."""
    https = console.url.replace("http:", "https:")
    assert_one_sentence(manage("status", "--url", https), 3, "PHOTOSYNC_URL")


@pytest.mark.parametrize(
    "session",
    [lambda: Console(Address("https://photosync.contoso.com", KEY))._session, lambda: _Session("")],
    ids=["console", "sign-in"],
)
def test_netrc_is_not_read(session, tmp_path, monkeypatch):
    """A password for every host in ~/.netrc goes neither to the app nor to Entra."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login anne password secret-of-anne\n")
    monkeypatch.setenv("NETRC", str(netrc))
    asked = session().prepare_request(requests.Request("GET", "https://photosync.contoso.com/api"))

    assert "Authorization" not in asked.headers


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_missing_bundle(manage, secured, tmp_path, monkeypatch, name):
    """A variable that outlived its file is named; requests raises a bare OSError for it."""
    for each in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, str(tmp_path / "gone.pem"))

    assert_one_sentence(manage("status", "--url", secured.url), 2, name, "not there")
