"""Programs that others wrote, unmodified, beside the whole product at real names."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from local.cloud.node import NoNode
from local.cloud.stack import Stack
from tests.e2e.cloud import LiveCloud, picture
from tests.e2e.conftest import NEVER, STRICT
from tests.foreign import programs

Script = Callable[..., Any]


class Person(NamedTuple):
    """Somebody whose photo, `picture(1)`, the product has copied."""

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
        pytest.skip(f"the programs of others are not there: {error}")


@pytest.fixture(scope="session")
def node() -> Path:
    """A Node.js that has the programs; without it the tests are skipped, but never in CI."""
    return _or_skip(programs.node_with_clients)


@pytest.fixture(scope="session")
def python() -> Path:
    """A Python that has the programs, with the same exception."""
    return _or_skip(programs.python_with_clients)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCloud]:
    """The whole local cloud at real names, with the documented limits; nothing runs by itself."""
    settings = {"RENEW_SCHEDULE": NEVER, "SWEEP_SCHEDULE": NEVER}
    with Stack(tmp_path_factory.mktemp("world"), settings=settings, cloud="global") as stack:
        world = LiveCloud(stack)
        world.switch(**STRICT)
        yield world


@pytest.fixture
def anne(world: LiveCloud) -> Person:
    person = Person(*world.add(displayName="Anne"))
    world.seed_photo(person.id, picture(1))
    world.replayed(person.id)
    return person


@pytest.fixture
def at_real_names(world: LiveCloud, tmp_path: Path) -> dict[str, str]:
    """The variables by which a program finds the tenant; nothing of the program is changed."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "HTTPS_PROXY": world.at.proxy,
        "NODE_EXTRA_CA_CERTS": world.at.ca,
        "NODE_NO_WARNINGS": "1",
        "REQUESTS_CA_BUNDLE": world.at.ca,
        "SSL_CERT_FILE": world.at.ca,
    }


@pytest.fixture
def script(world: LiveCloud, at_real_names: dict[str, str]) -> Script:
    """Run a step of one of the scripts beside the programs; what it saw comes out."""

    def run(program: Path, file: str, step: str, **order: str) -> Any:
        who = {"clientId": world.at.client_id, "certificate": world.at.client_certificate}
        order = {"step": step, "tenant": world.at.tenant_id, **who, **order}
        done = subprocess.run(
            [program, programs.CLIENTS / file, json.dumps(order)],
            env=at_real_names,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(autouse=True)
def nobody_leaves(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whoever asks for a host that is none of the tenant's fails the test."""
    yield
    if "world" in request.fixturenames:
        journal = request.getfixturevalue("world").watcher.journal()
        asked = {one["host"]: one["status"] for one in journal if one["service"] == "proxy"}
        assert set(asked.values()) == {200}, asked
