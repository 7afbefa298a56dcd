"""HTTP functions behave as in the real host."""

import asyncio
from collections.abc import Iterator

import pytest
import requests
from starlette.requests import Request
from starlette.types import Message

from local.host import web_request
from tests.local.host.host_process import HostFiles, RunningHost, posted

pytestmark = pytest.mark.server

CODE = """
import json

@app.route("echo/{user}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
def echo(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps({
        "params": dict(req.route_params), "query": dict(req.params),
        "headers": dict(req.headers), "body": req.get_body().decode("latin-1"), "url": req.url,
    }))

@app.route("echo/fixed", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def fixed(req: func.HttpRequest) -> str:
    return "fixed"

@app.route("picture", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def picture(req: func.HttpRequest) -> func.HttpResponse:
    headers = {"X-One": "1", "Set-Cookie": "a=b; Path=/"}
    return func.HttpResponse(b"\\x00\\xff", status_code=418, headers=headers, mimetype="image/png")

@app.route("locked", auth_level=func.AuthLevel.FUNCTION)
def locked(req: func.HttpRequest) -> str:
    return "open"

@app.route("once", auth_level=func.AuthLevel.FUNCTION)
def once(req: func.HttpRequest) -> str:
    return "open"

@app.route("master", auth_level=func.AuthLevel.ADMIN)
def master(req: func.HttpRequest) -> str:
    return "open"

@app.route("broken", auth_level=func.AuthLevel.ANONYMOUS)
def broken(req: func.HttpRequest) -> str:
    logging.getLogger("app").warning("about to break")
    raise RuntimeError("a bug")

@app.route("off", auth_level=func.AuthLevel.ANONYMOUS)
def off(req: func.HttpRequest) -> str:
    return "on"

@app.route("slow", auth_level=func.AuthLevel.ANONYMOUS)
async def slow(req: func.HttpRequest, context: func.Context) -> str:
    return context.function_name + " " + context.trace_context.trace_parent
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    files = HostFiles(
        tmp_path_factory.mktemp("http"), CODE, settings={"AzureWebJobs.off.Disabled": "1"}
    )
    with RunningHost(files) as running:
        yield running


def test_route_parameters_are_decoded_except_slashes(host):
    """{user} is URL-decoded; an encoded slash stays encoded, as in ASP.NET."""
    answer = host.call("GET", "/api/echo/o%27hara%40contoso.com%2Fx")

    assert answer.json()["params"] == {"user": "o'hara@contoso.com%2Fx"}


def test_query_is_read_as_aspnet_does(host):
    """
    + is a space, empty values are omitted, values of a repeated name are joined under its second
    spelling, ignoring case. Invalid UTF-8 stays escaped.
    """
    answer = host.call("GET", "/api/echo/a?t=a+b%2Bc&x=1&X=2&x=3&empty=&flag&f=%FCb%C3%BC")

    assert answer.json()["query"] == {"t": "a b+c", "X": "1,2,3", "f": "%FCb\u00fc"}


def test_headers_and_body(host):
    """Header names become lower case; values, and a body of any content type, stay unchanged."""
    body, headers = bytes(range(256)), {"Content-Type": "text/plain", "X-Mixed-Case": "Value"}

    answer = host.call("POST", "/api/echo/a", data=body, headers=headers).json()

    assert answer["body"].encode("latin-1") == body
    assert answer["headers"]["x-mixed-case"] == "Value"
    assert all(name == name.lower() for name in answer["headers"])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/echo/a%40b?x=%40", "/api/echo/a@b?x=%40"),
        ("/api/echo/%FC%20%25", "/api/echo/%FC%20%25"),
    ],
)
def test_url_is_complete(host, path, expected):
    """req.url has scheme, host, the path decoded where possible, and the query as sent."""
    assert host.call("GET", path).json()["url"] == host.url + expected


def test_body_without_a_length_is_empty(host):
    """A chunked body does not reach the function, as measured in the real host."""
    answer = host.call("POST", "/api/echo/a", data=iter([b"x" * 70_000, b"y"]))

    assert (answer.status_code, answer.json()["body"]) == (200, "")
    assert host.call("POST", "/api/echo/a", data=b"again").json()["body"] == "again"


def test_first_name_wins_between_two_routes(host):
    """echo/{user} of the function `echo` takes precedence over echo/fixed of `fixed`."""
    assert host.call("GET", "/api/echo/FIXED").json()["params"] == {"user": "FIXED"}


def test_answer_of_a_function(host):
    """Status, type, headers, cookies and bytes are sent unchanged."""
    answer = host.call("GET", "/api/picture")

    assert (answer.status_code, answer.content) == (418, b"\x00\xff")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-one"] == "1"
    assert answer.cookies["a"] == "b"


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/api/echo/a"), ("GET", "/api/nothing"), ("GET", "/echo/a"), ("GET", "/api/off")],
)
def test_unknown_route_method_and_disabled_function_are_404(host, method, path):
    """The real host answers 404 for each of these, never 405."""
    assert host.call(method, path).status_code == 404


@pytest.mark.parametrize(
    ("function", "name", "key", "answer"),
    [
        ("locked", "x-functions-key", "host", (200, "open")),
        ("locked", "x-functions-key", "master", (200, "open")),
        ("locked", "code", "host", (200, "open")),
        ("locked", "CODE", "host", (200, "open")),
        ("locked", "code", "", (401, "")),
        ("locked", "code", "wrong", (401, "")),
        ("locked", "code", "wröng", (401, "")),
        ("master", "x-functions-key", "host", (401, "")),
        ("master", "x-functions-key", "master", (200, "open")),
    ],
)
def test_keys(host, function, name, key, answer):
    """In header or query: the host key opens level FUNCTION, only the master key level ADMIN."""
    sent = {name: getattr(host.keys, key) if key in ("host", "master") else key}
    headers, query = (sent, {}) if name == "x-functions-key" else ({}, sent)
    found = requests.get(f"{host.url}/api/{function}", query, headers=headers, timeout=30)

    assert (found.status_code, found.text) == answer


def test_which_key_counts(host):
    """The header, even if empty, else the first `code`; a cached key ignores case."""
    key, url = host.keys.host, f"{host.url}/api/locked"
    swapped = {"x-functions-key": key.swapcase()}
    before = requests.get(f"{host.url}/api/once", headers=swapped, timeout=30)
    host.call("GET", "/api/once")
    after = requests.get(f"{host.url}/api/once", headers=swapped, timeout=30)

    assert (before.status_code, after.status_code) == (401, 200)
    assert requests.get(f"{url}?code={key}&code=wrong", timeout=30).status_code == 200
    assert requests.get(f"{url}?code=wrong&code={key}", timeout=30).status_code == 401
    emptied = requests.get(f"{url}?code={key}", headers={"x-functions-key": ""}, timeout=30)
    assert emptied.status_code == 401


def test_failure_is_500_without_body_and_logged_once(host):
    """The caller gets an empty 500; traceback and app records are logged exactly once."""
    answer = host.call("GET", "/api/broken")

    assert (answer.status_code, answer.content) == (500, b"")
    log = host.logged("Executed 'Functions.broken' (Failed, Id=")
    assert log.count("about to break") == 1
    assert log.count("RuntimeError: a bug") == 1


def test_async_function_gets_context(tmp_path, host):
    """With OpenTelemetry it has a new, recorded span in the caller's trace; otherwise none."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    caller = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    assert host.call("GET", "/api/slow", headers=caller).text == "slow "
    files = HostFiles(tmp_path, CODE, host_json={"telemetryMode": "OpenTelemetry"})
    with RunningHost(files) as traced:
        name, child = traced.call("GET", "/api/slow", headers=caller).text.split()
        _, new = traced.call("GET", "/api/slow").text.split()

    version, same, span, flags = child.split("-")
    assert (name, version, same, flags) == ("slow", "00", trace, "01")
    assert span != "b7ad6b7169203331"
    assert trace not in new
    assert new.endswith("-01")


def test_body_over_the_limit_is_500(tmp_path, host):
    """
    The limit is 100 MB, or the app's setting. The announced length is enough to refuse, but the
    key is checked first. Chunked bodies are not counted.
    """
    limit = {"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "1000"}
    assert posted(host.url, "/api/echo/a", "Content-Length: 104857601") == 500
    assert posted(host.url, "/api/locked", "Content-Length: 104857601") == 401
    with RunningHost(HostFiles(tmp_path, CODE, settings=limit)) as limited:
        unread = posted(limited.url, "/api/echo/anne", "Content-Length: 1001")
        largest = limited.call("POST", "/api/echo/anne", data=b"x" * 1000)
        chunked = limited.call("POST", "/api/echo/anne", data=iter([b"x" * 600, b"x" * 600]))

    assert (unread, largest.status_code) == (500, 200)
    assert (chunked.status_code, chunked.json()["body"]) == (200, "")


def test_body_that_stalls(monkeypatch):
    """A body slower than 240 bytes a second is refused after the grace period."""
    monkeypatch.setattr(web_request, "GRACE_SECONDS", 0.01)
    sent: list[Message] = [{"type": "http.request", "body": b"half", "more_body": True}]

    async def receive() -> Message:
        return sent.pop() if sent else await asyncio.Future()

    scope = {"type": "http", "headers": [(b"content-length", b"8")]}
    with pytest.raises(web_request.Unreadable):
        asyncio.run(web_request.read_body(Request(scope, receive), 100))


def test_route_prefix_of_host_json(tmp_path):
    """extensions.http.routePrefix replaces api; an empty one leaves no prefix."""
    files = HostFiles(tmp_path, CODE, host={"http": {"routePrefix": ""}})
    with RunningHost(files) as running:
        assert running.call("GET", "/locked").status_code == 200
        assert running.call("GET", "/api/locked").status_code == 404
