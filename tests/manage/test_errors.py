"""Everything that keeps a command from its answer: one sentence on stderr, and the right code."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from console_client.address import Address
from console_client.console import Console
from console_client.problems import Unreachable
from console_client.program import main
from tests.manage.conftest import Manage
from tests.manage.console_double import KEY, Asked, ConsoleDouble, overview, refusal, serving
from tests.said import assert_one_sentence

REPO = Path(__file__).parents[2]
COMMANDS = [
    ["status"],
    ["status", "anne@contoso.com"],
    ["replay", "--failed"],
    ["sweep"],
    ["sweep", "--wait"],
    ["failures"],
    ["check", "anne@contoso.com"],
    ["doctor"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("variable", ["PHOTOSYNC_URL", "PHOTOSYNC_KEY"])
def test_names_what_is_not_set(
    manage: Manage, monkeypatch: pytest.MonkeyPatch, command: list[str], variable: str
):
    """Without address or key, a command says which variable to set."""
    monkeypatch.delenv(variable)

    assert_one_sentence(manage(*command), 2, variable)


@pytest.mark.parametrize(
    "url",
    [
        "contoso.azurewebsites.net",
        "ftp://contoso.azurewebsites.net",
        "https://",
        "https://host:port",
        "https://host:99999",
        "https://[::1",
        "https://host with spaces",
        "https://anne:secret@host",
        "https://:secret@host",
        f"https://host/api/console?code={KEY}",
        "http://contoso.azurewebsites.net",
        "https://..",
        "https://contoso..net",
        f"https://{'a' * 300}.net",
        "https://*",
        "https://%zz",
    ],
)
def test_bad_address(manage: Manage, url: str):
    """What is no address, or would show the key to others, is refused before a byte is sent."""
    assert_one_sentence(manage("status", "--url", url), 2, "PHOTOSYNC_URL")


@pytest.mark.parametrize("ending", ["/", "/api", "/api/", "/api/console", "/api/console/"])
def test_address_as_it_is_pasted(manage: Manage, console: ConsoleDouble, ending: str):
    """The address of the page, or with a slash, is as good as the app's."""
    assert manage("status", "--url", console.url + ending).code == 0


def test_key_that_is_none(manage: Manage):
    """A key with characters that no header may hold is refused without being shown."""
    assert_one_sentence(manage("status", "--key", f"“{KEY}”"), 2, "PHOTOSYNC_KEY")
    assert_one_sentence(manage("status", "--key", f"{KEY}\r\nX: y"), 2, "PHOTOSYNC_KEY")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_refused_connection(manage: Manage, command: list[str]):
    """Where nothing listens, the sentence names the host and what to check."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        said = manage(*command, "--url", f"http://127.0.0.1:{port}")

    assert_one_sentence(said, 3, "PHOTOSYNC_URL", str(port))


def test_host_that_does_not_exist(manage: Manage):
    """A misspelt name is a connection that cannot be made."""
    assert_one_sentence(manage("status", "--url", "https://nobody.invalid"), 3, "nobody.invalid")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_wrong_key(manage: Manage, command: list[str]):
    """A key that is not accepted is told as such."""
    assert_one_sentence(manage(*command, "--key", "another"), 3, "PHOTOSYNC_KEY")


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (403, refusal("Forbidden", "Send the key in the header."), 3, "Send the key in the header"),
        (403, b"", 3, "refuses"),
        (404, b"", 3, "no PhotoSync console"),
        (404, b"<html>", 3, "no PhotoSync console"),
        (400, refusal("BadRequest", "Leave the token out."), 2, "Leave the token out"),
        (302, b"", 3, "sign-in"),
        (429, b"", 4, "try again"),
        (503, refusal("ServiceDown", "Storage is down: wait a minute."), 4, "Storage is down"),
        (500, b"", 4, "500"),
        (500, refusal("Bug", "Look into the log."), 4, "Look into the log"),
        (502, b"<html>Bad gateway</html>", 4, "502"),
        (200, b"<html>A parking page</html>", 4, "JSON"),
        (200, b"", 4, "JSON"),
        (200, b"[1, 2]", 4, "JSON"),
        (200, b"null", 4, "JSON"),
        (200, b"[" * 100_000, 4, "JSON"),
        (200, b"\xff\xfe{}", 4, "JSON"),
        (200, {"status": "healthy"}, 4, "something else"),
        (200, b" " * (16 * 1024 * 1024 + 1), 4, "far too much"),
        (500, {"error": "a string"}, 4, "500"),
    ],
)
def test_answer_that_is_none(
    manage: Manage, console: ConsoleDouble, status: int, body: object, code: int, words: str
):
    """Any other answer than the one asked for becomes a sentence, the app's own if it has one."""
    console.routes["GET", "overview"] = (status, body)

    assert_one_sentence(manage("status"), code, words)


def test_no_redirect_is_followed(manage: Manage, console: ConsoleDouble):
    """The key is not taken along to where a redirect points."""
    console.routes["GET", "overview"] = (302, b"")
    console.headers["Location"] = f"{console.url}/api/console/doctor"

    assert_one_sentence(manage("status"), 3, "127.0.0.1")
    assert len(console.asked) == 1


@pytest.mark.parametrize("location", ["https://[", "https://host:port/", "\x1b]0;x"], ids=ascii)
def test_redirect_to_nowhere(manage: Manage, console: ConsoleDouble, location: str):
    """A redirect to what is no address is no reason for a traceback."""
    console.routes["GET", "overview"] = (302, b"")
    console.headers["Location"] = location
    said = manage("status")

    assert said.code in {3, 4}
    assert_one_sentence(said, said.code)
    assert "\x1b" not in said.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_another_app(manage: Manage, console: ConsoleDouble, command: list[str]):
    """An app that says 200 to everything and is not PhotoSync does not pass for a healthy one."""
    for route in [("GET", "overview"), ("GET", "users"), ("GET", "doctor"), ("POST", "sweep")]:
        console.routes[route] = (200, {"ok": True})
    console.routes["GET", "users/anne%40contoso.com"] = (200, {"ok": True})

    assert_one_sentence(manage(*command), 4, "something else")


def test_sentence_without_end(manage: Manage, console: ConsoleDouble):
    """What an app says of its error is told, as far as it is a sentence."""
    console.routes["GET", "overview"] = (500, refusal("Bug", "All is lost. " * 1000))

    assert len(manage("status").err) < 1000


def test_answer_that_breaks_off(manage: Manage, console: ConsoleDouble):
    """Half an answer is no answer, nor is one that cannot be unpacked."""
    console.held_back = 10
    assert_one_sentence(manage("status"), 4, "try again")

    console.held_back = 0
    console.headers["Content-Encoding"] = "gzip"
    assert_one_sentence(manage("status"), 4, "try again")


def test_answer_that_does_not_come(console: ConsoleDouble):
    """An app that takes the question and does not answer is not waited for without end."""
    over = threading.Event()

    def never(asked: Asked) -> tuple[int, object]:
        over.wait(30)
        return 200, overview()

    console.routes["GET", "overview"] = never
    with Console(Address(console.url, KEY), patience=(5, 0.1)) as client:
        with pytest.raises(Unreachable, match="too long"):
            client.overview()
    over.set()


def test_answer_that_drips(console: ConsoleDouble):
    """An answer of which a byte comes now and then is not waited for without end."""
    over = threading.Event()

    def drip(asked: Asked) -> Iterator[bytes]:
        while not over.wait(0.02):
            yield b" "

    console.routes["GET", "overview"] = lambda asked: (200, drip(asked))
    with Console(Address(console.url, KEY), patience=(5, 0.2)) as client:
        with pytest.raises(Unreachable, match="too long"):
            client.overview()
    over.set()


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A proxy that is not there."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{bound.getsockname()[1]}"
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy)
        yield proxy


@pytest.mark.usefixtures("nobody")
def test_proxy_that_is_not_there(manage: Manage, secured: ConsoleDouble):
    """A proxy that does not answer is told as such, and not as the app's fault."""
    assert_one_sentence(manage("status", "--url", secured.url), 3, "proxy")


@pytest.mark.usefixtures("nobody")
def test_no_proxy_reads_the_key(manage: Manage):
    """Without TLS nobody but this machine is spoken to, whatever the environment says."""
    assert manage("status").code == 0


def test_unknown_user(manage: Manage):
    """Nobody of that name: the app's sentence, and a code that says so."""
    assert_one_sentence(manage("check", "nobody@contoso.com"), 1, "Nobody in the tenant")
    assert_one_sentence(manage("status", "nobody@contoso.com"), 1, "Nobody in the tenant")


@pytest.mark.parametrize("user", ["", " ", ".", "..", "\udcff@contoso.com"])
def test_user_that_is_no_name(manage: Manage, console: ConsoleDouble, user: str):
    """A name that would turn the path into another one never leaves."""
    assert_one_sentence(manage("check", user), 2, "UPN")
    assert console.asked == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay"],
        ["check"],
        ["check", "a", "b"],
        ["frobnicate"],
        ["status", "--nonsense"],
        ["failures", "--csv", "--json"],
        ["sweep", "--wait", "--release-removals"],
        ["sweep", "--wait", "--timeout", "soon"],
        ["replay", "--from-file", "no-such-file"],
        ["status", "--ca", "no-such-file"],
    ],
    ids=" ".join,
)
def test_usage(manage: Manage, arguments: list[str]):
    """A command line that cannot be understood is code 2 and one sentence."""
    assert_one_sentence(manage(*arguments), 2)


def test_no_command_at_all(manage: Manage):
    """Without a command the help is shown, on stderr."""
    said = manage()

    assert said.code == 2
    assert said.out == ""
    assert "Commands:" in said.err


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secured(authority: trustme.CA) -> Iterator[ConsoleDouble]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    double = ConsoleDouble(routes={("GET", "overview"): (200, overview())})
    with serving(double, context) as served:
        yield served


def test_untrusted_certificate(manage: Manage, secured: ConsoleDouble):
    """A certificate that nobody vouches for is refused, and --ca is named."""
    assert_one_sentence(manage("status", "--url", secured.url), 3, "--ca")


def test_private_authority(
    manage: Manage,
    secured: ConsoleDouble,
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    """The file of --ca, or of PHOTOSYNC_CA, is believed, whatever else the environment says."""
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))

    assert manage("status", "--url", secured.url, "--ca", str(file)).code == 0
    monkeypatch.setenv("PHOTOSYNC_CA", str(file))
    assert manage("status", "--url", secured.url).code == 0


def test_authority_file_without_certificates(
    manage: Manage, secured: ConsoleDouble, tmp_path: Path
):
    """A --ca file that holds something else is told as such."""
    file = tmp_path / "notes.txt"
    file.write_text("not a certificate")

    said = manage("status", "--url", secured.url, "--ca", str(file))

    assert_one_sentence(said, 2, "--ca", "PEM")


def test_https_where_http_is_spoken(manage: Manage, console: ConsoleDouble):
    """The wrong port is not told as a matter of certificates."""
    said = manage("status", "--url", console.url.replace("http:", "https:"))

    assert_one_sentence(said, 3, "PHOTOSYNC_URL")


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one child there")
def test_ctrl_c(console: ConsoleDouble):
    """Ctrl-C ends a command with 130 and a sentence, not with a traceback."""
    arrived, over = threading.Event(), threading.Event()

    def slow(asked: Asked) -> tuple[int, object]:
        arrived.set()
        over.wait(30)
        return 200, overview()

    console.routes["GET", "overview"] = slow
    command = [sys.executable, "manage.py", "--url", console.url, "--key", KEY, "status"]
    # A test run in the background ignores SIGINT, and its children would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    child = subprocess.Popen(
        command, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    signal.signal(signal.SIGINT, before)
    try:
        assert arrived.wait(30)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
    finally:
        over.set()
        child.kill()

    assert child.returncode == 130
    assert out == ""
    assert err.strip() == "Stopped; what was queued stays queued."


def test_program_that_is_not_installed(tmp_path: Path):
    """Without the packages, the sentence says how to get them."""
    program = (
        "import sys; sys.modules['click'] = None; sys.path.insert(0, '.')\n"
        "import manage; sys.exit(manage.run())"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPO, capture_output=True, text=True)

    assert done.returncode == 2
    assert "requirements-manage.txt" in done.stderr
    assert "Traceback" not in done.stderr


def test_reader_that_goes_away(console: ConsoleDouble):
    """A pager that is closed is no error."""
    command = f"'{sys.executable}' manage.py --url {console.url} --key {KEY} status | true"
    done = subprocess.run(command, shell=True, cwd=REPO, capture_output=True, text=True)

    assert done.stderr == ""


def shell(line: str, console: ConsoleDouble) -> subprocess.CompletedProcess[str]:
    program = f"'{sys.executable}' manage.py --url {console.url} --key {KEY}"
    return subprocess.run(
        line.replace("MANAGE", program), shell=True, cwd=REPO, capture_output=True, text=True
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full there")
def test_full_disk(console: ConsoleDouble):
    """What cannot be written is told in a sentence, and does not pass for an answer."""
    done = shell("MANAGE status > /dev/full", console)

    assert done.returncode == 2
    assert done.stderr == "Could not use the output: No space left on device.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no such shell there")
def test_no_output_at_all(console: ConsoleDouble):
    """A task that has neither output nor errors to write to still has its exit code."""
    done = shell("MANAGE status >&- 2>&-", console)

    assert done.returncode == 0


def test_every_code_is_documented(capsys: pytest.CaptureFixture[str]):
    """The help lists every exit code with its meaning."""
    main(["--help"])
    shown = capsys.readouterr().out

    assert "Exit codes" in shown
    for code in (0, 1, 2, 3, 4, 5, 130):
        assert f" {code}  " in shown
