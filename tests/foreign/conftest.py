"""Unmodified third-party programs beside the whole product, at the real host names."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from local.bench.measuring.conditions import LIMITS
from local.cloud.node import NoNode
from tests.e2e.cloud import LiveCloud, quiet_cloud
from tests.foreign import programs

Script = Callable[..., Any]


class Person(NamedTuple):
    """A user whose photo, `picture(1)`, the product has copied."""

    id: str
    upn: str

    def file(self, size: str) -> str:
        return f"{self.id}_{size}Thumb.jpg"


def _or_skip(install: Callable[[], Path]) -> Path:
    try:
        return install()
    except (NoNode, OSError, subprocess.CalledProcessError) as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the third-party programs are not installed: {error}")


@pytest.fixture(scope="session")
def node() -> Path:
    """A Node.js with the programs; without it the tests are skipped, but never in CI."""
    return _or_skip(programs.node_with_clients)


@pytest.fixture(scope="session")
def python() -> Path:
    """A Python with the programs; skipped under the same conditions."""
    return _or_skip(programs.python_with_clients)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCloud]:
    """The whole local cloud at real names, with the documented limits; no timer runs."""
    with quiet_cloud(tmp_path_factory.mktemp("world"), cloud="global") as world:
        world.switch(**LIMITS)
        yield world


@pytest.fixture
def anne(world: LiveCloud) -> Person:
    return Person(*world.copied(1, displayName="Anne"))


@pytest.fixture
def script(world: LiveCloud, tmp_path: Path) -> Script:
    """A function that runs a step of a script in clients/ and returns its JSON."""

    def run(program: Path, file: str, step: str, **order: str) -> Any:
        who = {"clientId": world.at.client_id, "certificate": world.at.client_certificate}
        order = {"step": step, "tenant": world.at.tenant_id, **who, **order}
        command: list[str | Path] = [program, programs.CLIENTS / file, json.dumps(order)]
        return json.loads(programs.output(command, programs.way_to(world.at, tmp_path)))

    return run


@pytest.fixture(autouse=True)
def no_other_host(request: pytest.FixtureRequest) -> Iterator[None]:
    """A request for a host outside the tenant fails the test."""
    yield
    for name in {"cloud", "world"}.intersection(request.fixturenames):
        journal = request.getfixturevalue(name).watcher.journal()
        asked = {one["host"]: one["status"] for one in journal if one["service"] == "proxy"}
        assert set(asked.values()) == {200}, asked
