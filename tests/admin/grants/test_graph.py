"""Graph with an admin's token: retries, refusals, pages, and one host for the token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from admin.grants.graph import Answered, Busy, Graph
from admin.terminal.problems import Problem, Refused, Unsound
from tests.doubles.web import Answer, FunctionAdapter, Web, answer, in_turn

URL = "https://graph.contoso.com"
REFUSAL = "It takes another role."


class Cli:
    """A Graph whose network is a function; records requests and pauses."""

    def __init__(self, web: Web) -> None:
        self.asked: list[requests.PreparedRequest] = []
        self.waited: list[float] = []

        def noted(request: requests.PreparedRequest) -> Answer:
            self.asked.append(request)
            return web(request)

        self.graph = Graph(
            URL, "secret", pause=self.waited.append, transport=FunctionAdapter(noted)
        )


def error(status: int, code: str = "Bad", message: str = "It is bad.", **headers: str) -> Answer:
    return answer({"error": {"code": code, "message": message}}, status, **headers)


FINE = answer({"id": "1"})
ORDERS: list[Callable[[Graph], Any]] = [
    lambda graph: graph.get("x", refusal=REFUSAL),
    lambda graph: graph.post("x", {}, refusal=REFUSAL),
    lambda graph: graph.patch("x", {}, refusal=REFUSAL),
    lambda graph: graph.delete("x", refusal=REFUSAL),
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_transient_errors_are_retried(order: Callable[[Graph], Any], status: int):
    """As long as Graph asks, and a few times at most."""
    desk = Cli(in_turn(error(status, retry_after="7"), FINE))
    order(desk.graph)
    assert desk.waited == [7.0]

    desk = Cli(in_turn(error(status)))
    with pytest.raises(Busy, match="repeat"):
        order(desk.graph)
    assert (len(desk.asked), desk.waited) == (4, [2.0, 4.0, 8.0])


def test_longest_pause():
    """Whatever Retry-After says, half a minute is the most."""
    desk = Cli(in_turn(error(429, retry_after="86400"), error(429, retry_after="-1"), FINE))
    desk.graph.get("x", refusal=REFUSAL)

    assert desk.waited == [30.0, 0.0]


@pytest.mark.parametrize(("status", "tries"), [(429, 2), (503, 2), (500, 1), (504, 1)])
def test_request_that_may_not_be_repeated(status: int, tries: int):
    """A registration that Graph may have created is not requested again."""
    desk = Cli(in_turn(error(status), FINE))
    try:
        desk.graph.post("applications", {}, refusal=REFUSAL, repeatable=False)
    except Busy:
        pass
    assert len(desk.asked) == tries


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ("Insufficient privileges to complete the operation.", REFUSAL),
        ("Access denied", REFUSAL),
        ("A policy forbids it.", f"{REFUSAL} Microsoft Graph says: A policy forbids it."),
    ],
)
def test_refusal_says_what_is_needed(message: str, sentence: str):
    """The caller's sentence, and Graph's if that explains more."""
    desk = Cli(in_turn(error(403, message=message)))
    with pytest.raises(Refused) as refused:
        desk.graph.get("x", refusal=REFUSAL)

    assert (str(refused.value), refused.value.exit_code) == (sentence, 3)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (error(400, "Request_BadRequest", "No such property."), "400 Request_BadRequest: No such "),
        (Answer(418, b"<html>"), "418"),
        # A Location that cannot be parsed is ignored.
        (Answer(307, b"", {"Location": "https://[bad"}), "307"),
    ],
)
def test_other_answers_are_errors(result: Answer, words: str):
    """With status, code and Graph's own message; also if the answer is not JSON."""
    with pytest.raises(Answered, match=words):
        Cli(in_turn(result)).graph.get("x", refusal=REFUSAL)


def test_missing_objects():
    """`find` returns None, a deletion succeeds; other errors stay errors."""
    gone = Cli(in_turn(error(404)))
    assert gone.graph.find("x", refusal=REFUSAL) is None
    gone.graph.delete("x", refusal=REFUSAL)
    bad = Cli(in_turn(error(400)))
    with pytest.raises(Answered):
        bad.graph.find("x", refusal=REFUSAL)
    with pytest.raises(Answered):
        bad.graph.delete("x", refusal=REFUSAL)


def test_pages_are_followed():
    """The link is requested unchanged, and only on the same host."""
    link = f"{URL}/v1.0/x?$skiptoken=abc"
    desk = Cli(
        in_turn(answer({"value": [{"id": 1}], "@odata.nextLink": link}), answer({"value": [{}]}))
    )
    found = list(desk.graph.pages("x", refusal=REFUSAL, select="id"))
    assert len(found) == 2
    assert [each.url for each in desk.asked] == [f"{URL}/v1.0/x?%24select=id", link]


def test_pages_in_a_circle():
    """A next link that never changes ends with a sentence, and not never."""
    page = answer({"value": [{"id": 1}], "@odata.nextLink": f"{URL}/v1.0/x?$skiptoken=abc"})
    desk = Cli(in_turn(page))

    with pytest.raises(Unsound, match="The list does not end"):
        list(desk.graph.pages("x", refusal=REFUSAL))
    assert len(desk.asked) == 2


@pytest.mark.parametrize("host", ["https://evil.example", f"{URL}.evil.example", "http://x"])
def test_the_token_stays_with_graph(host: str):
    """Neither a next page nor a redirect takes it to another host."""
    astray = Cli(in_turn(answer({"value": [], "@odata.nextLink": f"{host}/v1.0/x"})))
    with pytest.raises(Unsound, match="another host"):
        list(astray.graph.pages("x", refusal=REFUSAL))
    redirected = Cli(in_turn(Answer(302, b"", {"Location": f"{host}/"})))
    with pytest.raises(Problem):
        redirected.graph.get("x", refusal=REFUSAL)
    assert len(astray.asked) == len(redirected.asked) == 1


@pytest.mark.parametrize(
    ("trouble", "word"),
    [
        (requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED"), "--ca"),
        (requests.exceptions.SSLError("WRONG_VERSION_NUMBER"), "No connection to graph.contoso"),
        (requests.exceptions.ProxyError("x"), "HTTPS_PROXY"),
        (requests.exceptions.ReadTimeout("x"), "too long"),
        (requests.exceptions.ConnectionError("x"), "No connection to graph.contoso.com"),
    ],
)
def test_no_answer(trouble: Exception, word: str):
    """Each kind has its sentence."""
    desk = Cli(in_turn(trouble))
    with pytest.raises(Problem, match=word) as problem:
        desk.graph.get("x", refusal=REFUSAL)

    assert problem.value.exit_code == 3


def test_the_token_wins_over_a_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A password for every host in ~/.netrc goes nowhere, and the token is sent."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login anne password secret-of-anne\n")
    monkeypatch.setenv("NETRC", str(netrc))
    desk = Cli(in_turn(FINE))

    desk.graph.get("x", refusal=REFUSAL)

    assert desk.asked[0].headers["Authorization"] == "Bearer secret"
