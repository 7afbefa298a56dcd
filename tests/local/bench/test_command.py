"""`make bench`: what it measures, what it leaves, and how it ends."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.bench import command
from local.bench.measuring import machine
from local.bench.measuring.rows import Measure, Row
from local.cloud.occupancy import MARK


def measure(row: Row) -> Measure:
    def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
        say(folder.name)
        return [row]

    return rows


@pytest.fixture(autouse=True)
def subjects(monkeypatch: pytest.MonkeyPatch) -> None:
    near = measure(Row("near", "calls", 1, "", goal=1))
    far = measure(Row("far", "time", 3, "s", floor=1, floor_is="another", goal_ratio=2))
    slow = measure(Row("slow", "all", 1, ""))
    monkeypatch.setattr(command, "SUBJECTS", {"near": near, "far": far})
    monkeypatch.setattr(command, "BY_NAME_ONLY", {"slow": slow})


def bench(folder: Path, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.main(folder, parser.parse_args(arguments))


def kept(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "bench.json").read_text())
    return content


def subjects_in(folder: Path) -> list[str]:
    return [row["subject"] for row in kept(folder)["rows"]]


def test_measures_everything_but_the_slowest(tmp_path: Path):
    """Without a name every subject is measured, but none that takes too long."""
    bench(tmp_path)

    assert subjects_in(tmp_path) == ["near", "far"]


@pytest.mark.parametrize("name", ["near", "slow"])
def test_measures_one_by_name(tmp_path: Path, name: str):
    """With a name that subject is measured alone, and what is kept says so."""
    assert bench(tmp_path, "--only", name) == 0
    assert subjects_in(tmp_path) == kept(tmp_path)["subjects"] == [name]


def test_missed_goal_fails_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A goal that is not met makes the command fail, and is named at the end."""
    code = bench(tmp_path)
    told = capsys.readouterr().out

    assert code == 1
    assert "1 of 2 goals are met.\nfar, time" in told


def broken(folder: Path, say: Callable[[str], None]) -> list[Row]:
    raise OSError("the disk is full")


def test_a_failure_loses_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """The other subjects are measured and kept; what failed is named, and the command fails."""
    near = command.SUBJECTS["near"]
    monkeypatch.setattr(command, "SUBJECTS", {"broken": broken, "near": near})

    assert bench(tmp_path) == 1
    assert "1 of 1 goals are met.\nbroken could not be measured: OSError: the disk is full" in (
        capsys.readouterr().out
    )
    assert subjects_in(tmp_path) == ["near"]
    assert kept(tmp_path)["failed"] == {"broken": "OSError: the disk is full"}


def test_nothing_measured_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Where not one figure was measured, no goal can be met."""
    monkeypatch.setattr(command, "SUBJECTS", {"empty": lambda folder, say: []})

    assert bench(tmp_path) == 1
    assert list(kept(tmp_path)["failed"]) == ["empty"]


def interrupted(folder: Path, say: Callable[[str], None]) -> list[Row]:
    raise KeyboardInterrupt


def test_ctrl_c_keeps_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What was measured until then is kept, nothing more is begun, and the command fails."""
    near, far = command.SUBJECTS.values()
    monkeypatch.setattr(command, "SUBJECTS", {"near": near, "long": interrupted, "far": far})

    assert bench(tmp_path) == 1
    assert subjects_in(tmp_path) == ["near"]
    assert list(kept(tmp_path)["failed"]) == ["long"]


def killed(folder: Path, say: Callable[[str], None]) -> list[Row]:
    raise SystemExit(9)


def test_no_older_figures_remain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whoever kills a run finds no figures of the run before it."""
    bench(tmp_path)
    monkeypatch.setattr(command, "SUBJECTS", {"near": killed})
    with pytest.raises(SystemExit):
        bench(tmp_path)

    assert not (tmp_path / "bench.json").exists()


def writing(folder: Path, say: Callable[[str], None]) -> list[Row]:
    folder.mkdir()
    (folder / "kept").touch()
    return [Row("writing", "files", 1, "")]


def test_keeps_its_files_only_where_there_is_something_to_find(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Two runs do not share a folder; it is deleted if all is well, and kept if not."""
    monkeypatch.setattr(command, "SUBJECTS", {"writing": writing})
    assert bench(tmp_path) == 0
    assert {each.name for each in tmp_path.iterdir()} == {"bench.json", MARK}

    monkeypatch.setattr(command, "SUBJECTS", {"writing": writing, "broken": broken})
    assert [bench(tmp_path), bench(tmp_path)] == [1, 1]
    assert len(list(tmp_path.glob("bench-*/writing/kept"))) == 2


def test_json_holds_what_the_table_says(tmp_path: Path):
    """bench.json has each row with its ratio and verdict, and what it was measured on and when."""
    bench(tmp_path)
    content = kept(tmp_path)

    assert content["machine"] == machine.described()
    assert {"at", "loadBefore", "seconds"} <= content.keys()
    assert [(row["ratio"], row["met"]) for row in content["rows"]] == [(1.0, True), (3.0, False)]


def test_machine_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The machine is told by its cores and Python, with processor and memory where they show."""
    (tmp_path / "cpuinfo").write_text(
        "processor\t: 0\nmodel name\t: Abacus 9\nmodel name\t: other\n"
    )
    (tmp_path / "meminfo").write_text("MemFree: 1 kB\nMemTotal:       8388608 kB\n")
    monkeypatch.setattr(machine, "_PROC", tmp_path)
    monkeypatch.setattr("os.cpu_count", lambda: 2)

    assert machine.described().startswith("2 cores, Abacus 9, 8 GB, ")
