"""How the bodies of the simulator's answers travel."""

from __future__ import annotations

import pytest

from tests.local.m365.simulator import Cloud


@pytest.mark.parametrize(
    ("form", "header", "told"),
    [
        ("sized", "Transfer-Encoding", None),
        ("chunked", "Transfer-Encoding", "chunked"),
        ("gzip", "Content-Encoding", "gzip"),
    ],
)
def test_forms(office: Cloud, form: str, header: str, told: str | None):
    """Each switch gives another form of the same answer."""
    office.tenant.switches.answers = form
    graph = office.tenant.urls.graph
    with office.session(graph) as session:
        answer = session.get(f"{graph}/v1.0/users")

    assert answer.headers.get(header) == told
    assert "value" in answer.json()
