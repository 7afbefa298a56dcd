"""The webhook is woken up before Graph validates it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.microsoft365.warm_up import warm_up
from tests.doubles.web_server import Request, reply, web_server


def handshake(request: Request) -> None:
    """Answer with the status that the path names."""
    path, _, token = request.path.partition("?validationToken=")
    reply(request, int(path[1:]), token.encode())


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with web_server(handshake) as url:
        yield url


@pytest.mark.parametrize(
    ("path", "lines"),
    [("/200", []), ("/404", ["subscription.unreachable status=404"])],
    ids=["awake", "missing"],
)
def test_endpoint_is_woken_up(endpoint, caplog, path, lines):
    """A wrong answer leaves a warning in the log, because Graph's handshake would fail too."""
    warm_up(endpoint + path)

    assert caplog.messages == lines


def test_unreachable_endpoint(caplog):
    """An endpoint that cannot be reached stops nothing: Graph will report the same."""
    warm_up("http://127.0.0.1:1/api/notifications?code=a-key")

    assert caplog.messages == ["subscription.unreachable kind=ConnectionError"]
