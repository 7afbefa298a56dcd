"""HTTP functions behave as behind the real host."""

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from tests.local.host.host_process import HostFiles, RunningHost

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
def fixed(req: func.HttpRequest) -> func.HttpResponse:
    headers = {"X-One": "1", "Set-Cookie": "a=b; Path=/"}
    return func.HttpResponse(b"\\x00\\xff", status_code=418, headers=headers, mimetype="image/png")

@app.route("locked", auth_level=func.AuthLevel.FUNCTION)
def locked(req: func.HttpRequest) -> str:
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


def test_route_parameters_are_decoded_but_for_slashes(host):
    """{user} arrives URL-decoded; an encoded slash stays encoded, as in ASP.NET."""
    answer = host.call("GET", "/api/echo/o%27hara%40contoso.com%2Fx")

    assert answer.json()["params"] == {"user": "o'hara@contoso.com%2Fx"}


def test_query_is_read_as_aspnet_does(host):
    """+ is a space, repeated keys are joined in any case, empty values are left out."""
    answer = host.call("GET", "/api/echo/a?t=a+b%2Bc&x=1&X=2&empty=&flag")

    assert answer.json()["query"] == {"t": "a b+c", "x": "1,2"}


def test_header_names_arrive_in_lower_case(host):
    """The worker sees lower-case names and the untouched value."""
    headers = host.call("GET", "/api/echo/a", headers={"X-Mixed-Case": "Value"}).json()["headers"]

    assert headers["x-mixed-case"] == "Value"
    assert all(name == name.lower() for name in headers)


def test_body_is_passed_raw(host):
    """Bytes are not touched, whatever the content type says."""
    body = bytes(range(256))

    answer = host.call("POST", "/api/echo/a", data=body, headers={"Content-Type": "text/plain"})

    assert answer.json()["body"].encode("latin-1") == body


def test_url_is_the_full_one(host):
    """req.url holds scheme, host, undecoded path and query."""
    answer = host.call("GET", "/api/echo/a%40b?x=1")

    assert answer.json()["url"] == f"{host.url}/api/echo/a%40b?x=1"


def test_literal_route_wins_over_parameter(host):
    """The more specific route is chosen, and status, type, headers, cookies, bytes come through."""
    answer = host.call("GET", "/api/echo/FIXED")

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


def test_function_level_takes_host_key_in_header_or_query(host):
    """The host key and the master key open a function; a text return value is 200."""
    by_query = requests.get(f"{host.url}/api/locked?code={host.keys.host}", timeout=30)
    in_capitals = requests.get(f"{host.url}/api/locked?CODE={host.keys.host}", timeout=30)
    by_master = host.call("GET", "/api/locked", headers={"x-functions-key": host.keys.master})

    assert in_capitals.status_code == 200
    assert (host.call("GET", "/api/locked").text, by_query.text) == ("open", "open")
    assert by_master.status_code == 200


@pytest.mark.parametrize("key", ["", "wrong", "wröng"])
def test_wrong_or_no_key_is_401_without_body(host, key):
    """Who has no key learns nothing."""
    answer = requests.get(f"{host.url}/api/locked", params={"code": key}, timeout=30)

    assert (answer.status_code, answer.content) == (401, b"")


def test_admin_level_takes_master_key_only(host):
    """The host key does not open a function of level ADMIN."""
    by_master = host.call("GET", "/api/master", headers={"x-functions-key": host.keys.master})

    assert host.call("GET", "/api/master").status_code == 401
    assert by_master.status_code == 200


def test_failure_is_500_without_body_and_logged_once(host):
    """The caller gets an empty 500; traceback and app records are in the log exactly once."""
    answer = host.call("GET", "/api/broken")

    assert (answer.status_code, answer.content) == (500, b"")
    log = host.logged("Executed 'Functions.broken' (Failed, Id=")
    assert log.count("about to break") == 1
    assert log.count("RuntimeError: a bug") == 1


def test_async_function_gets_context(host):
    """A coroutine runs too, and the caller's traceparent reaches it."""
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    assert host.call("GET", "/api/slow", headers={"traceparent": parent}).text == f"slow {parent}"


def test_body_over_100_mb_is_413(host):
    """The announced length is enough to refuse."""
    headers = {"Content-Length": str(104_857_601)}
    request = requests.Request("POST", f"{host.url}/api/echo/a", headers=headers).prepare()
    request.headers["Content-Length"] = str(104_857_601)
    with requests.Session() as session:
        answer = session.send(request, timeout=30)

    assert answer.status_code == 413


def test_limit_that_the_app_sets(tmp_path):
    """What is over FUNCTIONS_REQUEST_BODY_SIZE_LIMIT is 413 before a byte of it is read."""
    limit = {"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "1000"}
    with RunningHost(HostFiles(tmp_path, CODE, settings=limit)) as host:
        address = urlsplit(host.url)
        asked = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        # Announced, and never sent.
        asked.putrequest("POST", "/api/echo/anne")
        asked.putheader("Content-Length", "1001")
        asked.endheaders()
        unread = asked.getresponse().status
        asked.close()
        held = host.call("POST", "/api/echo/anne", data=b"x" * 1000)
        dripped = host.call("POST", "/api/echo/anne", data=iter([b"x" * 600, b"x" * 600]))

    assert (unread, held.status_code, dripped.status_code) == (413, 200, 413)


def test_route_prefix_of_host_json(tmp_path):
    """extensions.http.routePrefix replaces api; an empty one leaves no prefix."""
    files = HostFiles(tmp_path, CODE, host={"http": {"routePrefix": ""}})
    with RunningHost(files) as running:
        assert running.call("GET", "/locked").status_code == 200
        assert running.call("GET", "/api/locked").status_code == 404
