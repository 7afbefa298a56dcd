"""Requests to this machine bypass proxies."""

import pytest

from local.cloud.proxies import bypassed

HERE = "localhost,127.0.0.1,::1"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, HERE),
        ({"NO_PROXY": " .contoso.com, 10.0.0.1 "}, f".contoso.com,10.0.0.1,{HERE}"),
        ({"no_proxy": ".contoso.com", "NO_PROXY": "other"}, f".contoso.com,{HERE}"),
        ({"no_proxy": "localhost"}, HERE),
        ({"NO_PROXY": "*"}, "*"),
    ],
)
def test_this_machine_is_added(given: dict[str, str], expected: str):
    """Existing entries stay; an asterisk alone already means all hosts."""
    assert bypassed(given) == {"NO_PROXY": expected, "no_proxy": expected}
