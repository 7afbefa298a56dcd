"""Requests and answers on the wire, as in the web server of the real host."""

from collections.abc import Iterator

import pytest

from local.host.kestrel import path_of
from tests.local.host.host_process import HostFiles, RunningHost, raw

pytestmark = pytest.mark.server

CODE = """
@app.route("say", auth_level=func.AuthLevel.ANONYMOUS)
def say(req: func.HttpRequest) -> func.HttpResponse:
    query = req.params
    headers = {"Content-Length": query["length"]} if "length" in query else {}
    return func.HttpResponse(query.get("text", ""), status_code=int(query["as"]), headers=headers)
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    with RunningHost(HostFiles(tmp_path_factory.mktemp("wire"), CODE)) as running:
        yield running


def ask(
    host: RunningHost, target: bytes, *headers: bytes, method: bytes = b"GET"
) -> tuple[int, bytes, bytes]:
    lines = (method + b" " + target + b" HTTP/1.1", b"Host: localhost", *headers)
    return raw(host.url, b"\r\n".join([*lines, b"Connection: close", b"", b""]))


@pytest.mark.parametrize(
    ("target", "header", "status"),
    [
        (b"/api/say?as=200", b"X: \xfc", 400),
        (b"/api/say?as=200", b"X: \xc3\xbc", 200),
        (b"/api/say\x00", b"X: y", 400),
        (b"/api/say%00?as=200", b"X: y", 400),
        (b"/api/say?as=200#end", b"X: y", 400),
        (b"http://localhost/api/say?as=200", b"X: y", 400),
        (b"/api/say?as=200&x=" + b"y" * 8192, b"X: y", 414),
        (b"/api/say?as=200&x=" + b"y" * 100_000, b"X: y", 414),
        (b"/api/say?as=200", b"X: " + b"y" * 33_000, 431),
        (b"/api/say?as=200", b"\r\n".join([b"X: y"] * 100), 431),
        (b"/api/say?as=200", b"\r\n".join([b"X: y"] * 98), 200),
    ],
)
def test_refused_requests(host, target, header, status):
    """Malformed or oversized requests get only a status, without a body."""
    found, head, body = ask(host, target, header)

    assert (found, body) == (status, b"")
    assert b"Server: Kestrel" in head


def test_body_is_chunked_unless_the_function_sets_its_length(host):
    """An empty body has Content-Length: 0."""
    chunked = ask(host, b"/api/say?as=200&text=hello")[1]
    sized = ask(host, b"/api/say?as=200&text=hello&length=5")[1]
    empty = ask(host, b"/api/say?as=202")[1]

    assert b"Transfer-Encoding: chunked" in chunked
    assert b"Content-Length: 5" in sized
    assert b"Content-Length: 0" in empty


@pytest.mark.parametrize(
    ("answer", "status"),
    [("as=204", 204), ("as=204&text=x", 500), ("as=304&text=x", 500), ("as=999&text=x", 999)],
)
def test_status(host, answer, status):
    """A body with a status that forbids one is a 500; an unknown status is sent."""
    assert ask(host, f"/api/say?{answer}".encode())[0] == status


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a%FCb%c3%bc%2fx%2Fy", "/a%FCb\u00fc%2fx%2Fy"),
        ("/a/b/../%2e%2E/./c", "/c"),
        ("/a/./b/.", "/a/b/"),
        ("/../a", "/a"),
        ("/a//b", "/a//b"),
        ("/%E2%82%E2%82%AC", "/%E2%82\u20ac"),
    ],
)
def test_path(path, expected):
    """Valid UTF-8 is decoded, except slashes; then dot segments are removed."""
    assert path_of(path) == expected


def test_own_pages(host):
    """A home page at /, the host's state for the master key; two slashes are not one."""
    master = b"x-functions-key: " + host.keys.master.encode()
    key = b"x-functions-key: " + host.keys.host.encode()

    assert ask(host, b"/")[0] == 200
    assert ask(host, b"/api//say?as=200")[0] == 404
    assert ask(host, b"/api/x/%2e%2e/say?as=200")[0] == 200
    status = b"/admin/host/status"
    assert [ask(host, status, *given)[0] for given in ([], [key], [master])] == [401, 403, 200]
