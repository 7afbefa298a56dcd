"""The whole local cloud starts with one call and leaves no process behind."""

import functools
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests
import trustme

from local.cloud.children import ChildDied
from local.cloud.endpoints import Endpoints
from local.cloud.stack import Stack
from tests import REPO
from tests.local.host.host_process import BUNDLE, HEAD, alive, eventually

pytestmark = pytest.mark.server

# The test's own app; the real one is tested elsewhere.
CODE = """
import os
import pathlib
import re
import time

@app.route("settings", auth_level=func.AuthLevel.FUNCTION)
def settings(req: func.HttpRequest) -> str:
    return os.environ[req.params["name"]]

@app.route("long", auth_level=func.AuthLevel.ANONYMOUS)
def long(req: func.HttpRequest) -> str:
    begun, go = (pathlib.Path(req.params[name]) for name in ("begun", "go"))
    begun.touch()
    while not go.exists():
        time.sleep(0.01)
    return "done"

@app.route("health", auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> str:
    return "ok"

@app.route("notifications", methods=["POST"])
def notifications(req: func.HttpRequest) -> str:
    return req.params["validationToken"]
"""
HOST = {"version": "2.0", "extensionBundle": BUNDLE}
# Characters with a meaning in shells, URLs and Python's formats; Windows allows no double quotes.
ODD = "Büro's 100% #1 & $HOME"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app") / ODD
    folder.mkdir()
    (folder / "function_app.py").write_text(HEAD + CODE)
    (folder / "host.json").write_text(json.dumps(HOST))
    return folder


@pytest.fixture(scope="module")
def stack(tmp_path_factory, app):
    with Stack(tmp_path_factory.mktemp("cloud"), settings={"EXTRA": "1"}, app=app) as running:
        yield running


def get(stack: Stack, path: str, **params: str) -> requests.Response:
    url = stack.endpoints.functions + path
    return requests.get(url, params=params, verify=stack.endpoints.ca, timeout=30)


def test_endpoints_file_is_the_contract(stack):
    """endpoints.json holds the names that outside programs rely on."""
    path = Path(stack.endpoints.ca).with_name("endpoints.json")
    content = json.loads(path.read_text())

    assert set(content) >= {
        *("functions", "key", "graph", "login", "sharepointMy", "sharepointAdmin"),
        *("sharepointRoot", "control", "ca", "storage", "tenantId", "clientId"),
        *("clientCertificate", "clientState", "appClientId", "appCertificate"),
    }
    assert not any(url.endswith("/") for url in content.values())
    assert Endpoints.load(path) == stack.endpoints


def test_functions_answer_over_https_with_their_settings(stack):
    """The CA is trusted, the key gives access, and app settings are environment variables."""
    key = stack.endpoints.key

    assert get(stack, "/api/health").text == "ok"
    assert get(stack, "/api/settings", name="EXTRA").status_code == 401
    assert get(stack, "/api/settings", name="EXTRA", code=key).text == "1"
    assert get(stack, "/api/settings", name="SHAREPOINT_TENANT", code=key).text == "contoso"
    assert get(stack, "/api/settings", name="REQUESTS_CA_BUNDLE", code=key).text == (
        stack.endpoints.ca
    )


def test_killed_host_comes_back_on_its_port(stack):
    """kill_host is a crash; start_host serves the same URL with the same key."""
    # The system itself gives others from 32768 (Linux) or 49152 on, to any connection.
    assert 20_000 <= (urlsplit(stack.endpoints.functions).port or 0) < 32_768
    stack.kill_host()
    with pytest.raises(requests.ConnectionError):
        get(stack, "/api/health")
    assert stack.dead_children() == []

    stack.start_host()

    assert get(stack, "/api/settings", name="EXTRA", code=stack.endpoints.key).text == "1"


@pytest.mark.local_host("another host may end its worker")
def test_worker_of_a_killed_host_finishes_its_function(stack, tmp_path):
    """It is an orphan until then, and may write; then it ends."""
    begun, go = tmp_path / "begun", tmp_path / "go"

    def call() -> None:
        with suppress(requests.ConnectionError):
            get(stack, "/api/long", begun=begun, go=go)

    calling = threading.Thread(target=call)
    calling.start()
    eventually(begun.exists)
    stack.kill_host()
    calling.join()
    assert stack.orphans() == 1

    go.touch()
    eventually(lambda: not stack.orphans())
    stack.start_host()


@pytest.mark.local_host("another host logs other text")
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_host_that_exits_cleanly_is_restarted(stack):
    """As Azure does: a host exits with code 0 at its worker's third death, and is restarted."""
    before = logged(stack, "Host started")
    for deaths in (1, 2, 3):
        assert eventually(stack.kill_worker)
        eventually(functools.partial(logged, stack, "The worker ended", deaths))
    eventually(functools.partial(logged, stack, "Host started", before + 1))
    log = stack.host_log.read_text()

    assert "platform: The host has exited and is restarted" in log
    assert eventually(lambda: answers(stack)) == "ok"
    assert stack.dead_children() == []


ONCE = """
import json, pathlib, sys
again = pathlib.Path(sys.argv[1])
if not again.exists():
    again.touch()
    print(json.dumps({"ready": True, "functions": "https://localhost"}), flush=True)
"""


def test_host_that_does_not_restart_is_dead(tmp_path, monkeypatch):
    """Although it exited with code 0 each time, no third one is started."""
    script = tmp_path / "once.py"
    script.write_text(ONCE)
    command = [sys.executable, str(script), str(tmp_path / "again")]
    monkeypatch.setenv("LOCAL_HOST_COMMAND", shlex.join(command))

    with Stack(tmp_path / "cloud") as stack:
        assert eventually(stack.dead_children) == ["host"]


def logged(stack: Stack, text: str, times: int = 0) -> int:
    """How often the host's log contains *text*; 0 if fewer than *times*."""
    count = stack.host_log.read_text().count(text)
    return count if count >= times else 0


def answers(stack: Stack) -> str:
    try:
        return get(stack, "/api/health").text
    except requests.ConnectionError:
        return ""


@pytest.mark.local_host("a host that is refused an app ends with a sentence")
def test_refused_app_is_an_error_with_its_log(tmp_path):
    """An app that cannot start stops the stack, and the error says why."""
    (tmp_path / "function_app.py").write_text("import no_such_module")
    (tmp_path / "host.json").write_text(json.dumps(HOST))
    stack = Stack(tmp_path / "cloud", app=tmp_path)

    with pytest.raises(ChildDied, match="no_such_module"):
        stack.__enter__()

    assert not (tmp_path / "cloud" / "endpoints.json").exists()


UP = [sys.executable, "-m", "local", "up"]


class Up:
    """`python -m local up` as a process, and the pids of its children."""

    def __init__(
        self, folder: Path, *arguments: str, environ: Mapping[str, str] = os.environ
    ) -> None:
        self.folder = folder
        self.output = folder / "up.txt"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*UP, "--folder", str(folder / "cloud"), *arguments],
                cwd=REPO,
                env=environ,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def ready(self) -> list[int]:
        """
        Wait until it prints what to try, and return the ids of its child processes.

        There is no time limit of ours: `up` ends if one of its children takes too long.
        """
        while "Ctrl-C stops everything" not in self.output.read_text():
            assert self.process.poll() is None, self.output.read_text()
            # A file that grows sends no signal.
            time.sleep(0.02)
        return children_of(self.process.pid)


def children_of(pid: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


@contextmanager
def running(up: Up) -> Iterator[Up]:
    """*up*, which is ended after the block unless it has ended."""
    try:
        yield up
    finally:
        if up.process.poll() is None:
            up.process.terminate()
            up.process.wait()


@pytest.fixture
def company(tmp_path) -> dict[str, str]:
    """The variables of a machine with a proxy, which is down, and a company's own CA."""
    bundle = tmp_path / "company.pem"
    trustme.CA().cert_pem.write_to_path(str(bundle))
    kept = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    trust = dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"), str(bundle))
    return kept | proxies | {name.upper(): proxy for name, proxy in proxies.items()} | trust


@pytest.fixture
def up(tmp_path, company):
    """`up` on a company's machine, which is harder than other machines."""
    folder = tmp_path / ODD
    folder.mkdir()
    with running(Up(folder, environ=company)) as up:
        yield up


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties children to parents")
def test_no_process_remains_after_sigkill(up):
    """SIGKILL of `local up` also ends storage, simulator, host and worker."""
    children = up.ready()
    assert len(children) == 3
    # The host's worker, which is not a child of `up`.
    children += [grandchild for child in children for grandchild in children_of(child)]
    assert len(children) == 4

    up.process.kill()
    up.process.wait()

    assert eventually(lambda: not any(alive(pid) for pid in children))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ctrl_c_leaves_no_process(up, number):
    """SIGINT and SIGTERM stop all children cleanly; the exit code is 0."""
    children = up.ready()

    up.process.send_signal(number)

    assert up.process.wait(60) == 0
    assert not any(alive(pid) for pid in children)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_curl_commands_of_up(up, company):
    """Each curl command that `up` prints succeeds in a shell."""
    up.ready()
    text = up.output.read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    commands = [shlex.split(line) for line in lines if line.startswith("curl ")]

    assert len(commands) == 5
    for command in commands:
        done = subprocess.run(
            [*command, "--fail", "--silent"], env=company, capture_output=True, check=False
        )
        assert done.returncode == 0, command


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_manage_commands_of_up(up, company):
    """
    The three variables that `up` prints are all that manage.py needs; and the users with another
    address and another name exist.
    """
    up.ready()
    lines = [line.strip() for line in up.output.read_text().splitlines()]
    exports = [line for line in lines if line.startswith("export ")]
    commands = [line for line in lines if "manage.py" in line]
    messages = []
    for command in commands:
        pasted = "\n".join([*exports, f"{command} --json"])
        done = subprocess.run(
            ["bash", "-c", pasted],
            cwd=REPO,
            env=company,
            capture_output=True,
            check=False,
            text=True,
        )
        assert json.loads(done.stdout)["asOf"]
        messages.append(done.stderr)

    assert len(exports) == 3
    assert messages == [
        "",
        "anne.keller@contoso.com is Anne Keller (anne@contoso.com).\n",
        "hugo is Hugo Silva (hugo@contoso.com).\n",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("arguments", [[], ["--sign-in"]], ids=["by key", "signed in"])
def test_way_into_the_console(tmp_path, arguments: list[str]):
    """The console's URL contains the key; with --sign-in it redirects to the login page."""
    with running(Up(tmp_path, *arguments)) as up:
        up.ready()
        at = Endpoints.load(tmp_path / "cloud" / "endpoints.json")
        words = up.output.read_text().split()
        [page] = [word for word in words if word.startswith(f"{at.functions}/api/console")]
        reply = requests.get(page, verify=at.ca, timeout=60, allow_redirects=False)

    if arguments:
        assert urlsplit(reply.headers["Location"]).netloc == urlsplit(at.login).netloc
    else:
        assert (reply.status_code, page.partition("?")[2]) == (200, f"code={at.key}")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_dead_child_stops_the_cloud(up):
    """When a child dies, `up` stops the others and says so."""
    children = up.ready()

    psutil.Process(children[0]).kill()

    assert up.process.wait(60) == 1
    assert "ended unexpectedly" in up.output.read_text()
    assert not any(alive(pid) for pid in children)
