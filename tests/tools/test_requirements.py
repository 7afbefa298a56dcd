"""requirements.txt is generated from requirements.in, and pins everything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import run
from tests.tools.conftest import BASE, ENGINE
from tools.pins import DEPLOYED, ROOT, pins, wanted

INPUT = ROOT / "requirements.in"


@pytest.mark.parametrize("python", sorted(run.VERSIONS))
def test_input_is_satisfied(python):
    """Every line of requirements.in has a version in requirements.txt, on each Python."""
    pinned = pins(python=python)

    unmet = [one for one in wanted(INPUT, python) if pinned[one.name] not in one.specifier]

    assert unmet == []


def test_made_from_the_input_that_is_here():
    """The direct requirements in requirements.txt are those of requirements.in."""
    blocks = re.split(r"\n(?=[a-z])", DEPLOYED.read_text())
    direct = {block.partition("==")[0] for block in blocks if "-r requirements.in" in block}

    named = {one.name for python in ("3.11", "3.13") for one in wanted(INPUT, python)}

    assert direct == named, "run `make lock`"


def test_each_input_line_has_its_reason():
    """Every dependency has a reason; a second line of the same one needs none."""
    lines = [line for line in INPUT.read_text().splitlines() if not line.startswith("#")]
    names = {re.split(r"[<>=]", line)[0] for line in lines}

    assert {re.split(r"[<>=]", line)[0] for line in lines if "  # " in line} == names


def test_every_line_is_one_exact_version():
    """No range, no address, no path and no option: any registry can serve the file."""
    text = DEPLOYED.read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    exact = re.compile(r"==[0-9][0-9a-z.]*")

    assert [line for line in lines if not exact.fullmatch(str(Requirement(line).specifier))] == []
    assert "/" not in text


def test_nothing_is_left_to_the_resolver():
    """The requirements of every pinned package are pinned to an accepted version."""
    pinned = pins()
    unmet = [
        f"{asker} asks for {one}"
        for asker, one in _asked()
        if pinned.get(str(canonicalize_name(one.name)), "0") not in one.specifier
    ]

    assert unmet == []


def test_nothing_is_left_over():
    """Every package in requirements.txt is required, directly or indirectly."""
    assert set(pins()) - {str(canonicalize_name(one.name)) for _, one in _asked()} == set()


def test_installed_versions_are_the_pinned_ones():
    """The tests run with the very versions that are deployed."""
    assert {name: metadata.version(name) for name in pins()} == pins()


def test_the_tested_engine_is_the_one_that_runs():
    """One version of the engine and its dependency, on Azure's Python and on older ones."""
    installed = pins(ROOT / "requirements-engine.txt")

    assert list(installed) == [ENGINE]
    assert {python: pins(python=python).get(ENGINE) for python in ("3.11", "3.12", "3.13")} == {
        "3.11": None,
        "3.12": None,
        "3.13": installed[ENGINE],
    }
    assert metadata.version(ENGINE) == installed[ENGINE]
    assert pins(ROOT / "requirements-dev.txt")[BASE] == pins(python="3.13")[BASE]


def test_the_terminal_client_shares_versions():
    """manage.py and the functions pin the same versions of shared packages."""
    deployed, client = pins(), pins(ROOT / "requirements-manage.txt")

    shared = deployed.keys() & client.keys()
    assert [name for name in shared if deployed[name] != client[name]] == []


def _asked() -> Iterator[tuple[str, Requirement]]:
    """Yield each requirement and its parent, from requirements.in down, for this Python."""
    ahead = [("requirements.in", one) for one in wanted(INPUT)]
    seen = set()
    while ahead:
        asker, one = ahead.pop()
        yield asker, one
        if (one.name, *sorted(one.extras)) in seen:
            continue
        seen.add((one.name, *sorted(one.extras)))
        extras = ("", *one.extras)
        for text in metadata.requires(one.name) or ():
            below = Requirement(text)
            if below.marker is None or any(below.marker.evaluate({"extra": e}) for e in extras):
                ahead.append((one.name, below))
