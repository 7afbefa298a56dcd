"""One local cloud per folder."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from local.cloud.occupancy import NotUp, Occupancy, Occupied, must_be_up
from tests import REPO

HOLDER = """
import sys, time
from pathlib import Path
from local.cloud.occupancy import Occupancy
held = Occupancy(Path(sys.argv[1]))
held.take()
print("taken", flush=True)
time.sleep(600)
"""


def test_second_cloud_in_a_folder(tmp_path: Path):
    """The error names the process to stop; after that, the folder is free."""
    first, second = Occupancy(tmp_path), Occupancy(tmp_path)
    first.take()

    with pytest.raises(Occupied, match=rf"process {os.getpid()}\): stop it first, or"):
        second.take()
    # From another thread, since a cloud may be stopped by another thread than it was started.
    leaving = threading.Thread(target=first.leave)
    leaving.start()
    leaving.join()
    second.take()
    second.leave()


@pytest.mark.parametrize("left", [[], ["photosync.zip"], ["in-use.txt", "new.log"], ["m365.json"]])
def test_folders_that_it_may_use(tmp_path: Path, left: list[str]):
    """An empty folder, a former folder of any version, and .local with only the package."""
    for name in left:
        (tmp_path / name).touch()
    Occupancy(tmp_path).take()


def test_killed_process_frees_the_folder(tmp_path: Path):
    """The lock of a killed process is released, although it could not clean up."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout
            assert holder.stdout.readline() == "taken\n"
            with pytest.raises(Occupied, match=f"process {holder.pid}"):
                Occupancy(tmp_path).take()
        finally:
            holder.kill()

    Occupancy(tmp_path).take()


def test_no_cloud_is_running(tmp_path: Path):
    """`show`, `type` and `set` need a running cloud, not just the files of a former one."""
    with pytest.raises(NotUp, match="run python run.py start first"):
        must_be_up(tmp_path)
    cloud = Occupancy(tmp_path)
    cloud.take()
    (tmp_path / "endpoints.json").touch()
    must_be_up(tmp_path)

    cloud.leave()
    with pytest.raises(NotUp):
        must_be_up(tmp_path)
