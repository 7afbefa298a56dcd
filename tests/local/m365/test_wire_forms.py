"""Transfer and content encodings of the simulator's answers."""

from __future__ import annotations

import pytest

from tests.local.m365.simulator import Cloud


@pytest.mark.parametrize(
    ("form", "header", "encoding"),
    [
        ("sized", "Transfer-Encoding", None),
        ("chunked", "Transfer-Encoding", "chunked"),
        ("gzip", "Content-Encoding", "gzip"),
    ],
)
def test_forms(office: Cloud, form: str, header: str, encoding: str | None):
    """The switch selects the form of the same answer."""
    office.tenant.switches.answers = form
    with office.session(office.tenant.urls.graph) as session:
        answer = session.get("/users")

    assert answer.headers.get(header) == encoding
    assert "value" in answer.json()
