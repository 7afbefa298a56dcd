"""`make bench`: what it measures, what it leaves, and how it ends."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.bench import command
from local.bench.measuring.rows import Row
from local.cloud.occupancy import MARK

NEAR = Row("calls", 1, goal=1)
FAR = Row("time", 3, "s", floor=1, floor_is="another", goal_ratio=2)


@pytest.fixture(autouse=True)
def subjects(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Two subjects, of which one misses its goal; a test may add others."""

    def writing(folder: Path, say: Callable[[str], None]) -> list[Row]:
        folder.mkdir()
        return [NEAR]

    found = {"near": writing, "far": lambda folder, say: [FAR]}
    monkeypatch.setattr(command, "SUBJECTS", found)
    return found


def failing(error: BaseException) -> Callable[[Path, Callable[[str], None]], list[Row]]:
    def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
        raise error

    return rows


def bench(folder: Path, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.main(folder, parser.parse_args(arguments))


def kept(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "bench.json").read_text())
    return content


def subjects_in(folder: Path) -> list[str]:
    return [row["subject"] for row in kept(folder)["rows"]]


def test_missed_goal_fails_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Every subject is measured; a missed goal makes the command fail, and is named at the end."""
    assert bench(tmp_path) == 1
    assert "1 of 2 goals are met.\nfar, time" in capsys.readouterr().out
    assert subjects_in(tmp_path) == kept(tmp_path)["subjects"] == ["near", "far"]


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (failing(OSError("the disk is full")), "OSError: the disk is full"),
        (lambda folder, say: [], "ValueError: no row was measured"),
    ],
    ids=["an error", "no row"],
)
def test_a_failure_loses_nothing_else(
    tmp_path: Path,
    subjects: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    broken: Any,
    why: str,
):
    """The other subjects are measured and kept; the failure is named, and the command fails."""
    subjects |= {"near": broken, "far": subjects["near"]}

    assert bench(tmp_path) == 1
    assert f"1 of 1 goals are met.\nnear could not be measured: {why}" in capsys.readouterr().out
    assert subjects_in(tmp_path) == ["far"]
    assert kept(tmp_path)["failed"] == {"near": why}


def test_ctrl_c_keeps_what_was_measured(tmp_path: Path, subjects: dict[str, Any]):
    """What was measured until then is kept, nothing more is begun, and the command fails."""
    subjects |= {"far": failing(KeyboardInterrupt()), "after": subjects["near"]}

    assert bench(tmp_path) == 1
    assert subjects_in(tmp_path) == ["near"]
    assert list(kept(tmp_path)["failed"]) == ["far"]


def test_no_older_figures_remain(tmp_path: Path, subjects: dict[str, Any]):
    """After a run that was killed there are no figures of the run before it."""
    bench(tmp_path)
    subjects["near"] = failing(SystemExit(9))
    with pytest.raises(SystemExit):
        bench(tmp_path)

    assert not (tmp_path / "bench.json").exists()


def test_files_are_kept_only_if_something_is_wrong(tmp_path: Path):
    """
    With a name only that subject is measured. Two runs do not share a folder; it is deleted if all
    is well, and kept if not.
    """
    assert bench(tmp_path, "--only", "near") == 0
    assert subjects_in(tmp_path) == kept(tmp_path)["subjects"] == ["near"]
    assert {each.name for each in tmp_path.iterdir()} == {"bench.json", MARK}

    assert [bench(tmp_path), bench(tmp_path)] == [1, 1]
    assert len(list(tmp_path.glob("bench-*/near"))) == 2


def test_json_has_what_the_table_says(tmp_path: Path):
    """bench.json has each row with its ratio and verdict, the machine and the time."""
    bench(tmp_path)
    content = kept(tmp_path)

    assert content["machine"] == command.machine()
    assert {"at", "loadBefore", "seconds"} <= content.keys()
    assert [(row["ratio"], row["met"]) for row in content["rows"]] == [(1.0, True), (3.0, False)]
