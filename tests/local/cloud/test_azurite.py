"""Azurite: starting, stopping, installing, and finding it on the machine."""

import errno
import json
import subprocess
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient
from filelock import FileLock

from local.cloud import azurite, node
from local.cloud.azurite import PACKAGES, Azurite, command, find_elsewhere

pytestmark = pytest.mark.server


def test_folder_keeps_the_data(tmp_path):
    """With a folder, data outlives the process; the key is new each time."""
    keys = []
    for exists in (False, True):
        azurite = Azurite(tmp_path / "azurite.log", folder=tmp_path / "data")
        text = azurite.wait_until_ready().connection_string
        keys.append(text)
        with BlobServiceClient.from_connection_string(text) as service:
            container = service.get_container_client("kept")
            assert container.exists() is exists
            if not exists:
                container.create_container()
        azurite.stop()
    assert keys[0] != keys[1]


def test_command_is_loopback_and_quiet(tmp_path):
    """No fixed port, loopback addresses only, no telemetry."""
    words = command(["node", "azurite.js"], None)

    assert words.count("127.0.0.1") == words.count("0") == 3
    assert {"--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck"} <= set(words)


def script(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("text", "major"), [("echo v20.1.0", 20), ("echo nothing", None), ("exit 1", None)]
)
def test_version_of_node(tmp_path, text, major):
    """A program that fails, or prints something else, has no version."""
    assert node.major_version(script(tmp_path, "node", text)) == major
    assert node.major_version(tmp_path / "absent") is None


def test_new_enough_node_on_path_is_used(tmp_path):
    """The machine's own Node.js is preferred."""
    found = script(tmp_path, "node", "echo v20.0.0")

    assert node.find_node({"PATH": str(tmp_path)}) == found


def test_old_node_is_replaced_by_the_wheel(tmp_path, monkeypatch):
    """For an older version than 20, the one from PyPI is used."""
    script(tmp_path, "node", "echo v18.20.0")
    monkeypatch.setattr(node, "_wheel_folder", lambda: tmp_path / "wheel")

    assert node.find_node({"PATH": str(tmp_path)}) == tmp_path / "wheel" / "bin" / "node"


def packages(folder: Path) -> Path:
    """Prepare *folder* for npm; returns a Node.js that does nothing, in a folder of its own."""
    (folder / "package-lock.json").write_text("1")
    (folder / "node_modules").mkdir()
    (folder / "bin").mkdir()
    return script(folder / "bin", "node", "exit 0")


def test_packages_are_installed_once(tmp_path, capfd):
    """npm ci runs only if the lock file has changed, and its failure is an error."""
    fake = packages(tmp_path)
    script(fake.parent, "npm", 'echo ran >> "$PWD/runs"; exit $(cat "$PWD/code")')
    (tmp_path / "code").write_text("0")

    for _ in range(2):
        node.install_packages(tmp_path, fake)
    assert (tmp_path / "runs").read_text() == "ran\n"
    assert "npm ci" in capfd.readouterr().err

    (tmp_path / "package-lock.json").write_text("2")
    (tmp_path / "code").write_text("3")
    with pytest.raises(node.NoPackages, match="code 3.*npm config set registry"):
        node.install_packages(tmp_path, fake)


def test_npm_where_home_is_not_writable(tmp_path, monkeypatch):
    """npm's cache is then in a temporary folder, which is deleted afterwards."""
    fake = packages(tmp_path)
    script(
        fake.parent, "npm", 'echo "$npm_config_cache" > "$PWD/cache"; touch "$npm_config_cache/x"'
    )
    monkeypatch.setenv("HOME", str(tmp_path / "absent"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "absent"))

    node.install_packages(tmp_path, fake)

    used = Path((tmp_path / "cache").read_text().strip())
    assert used.is_absolute()
    assert not used.exists()


def test_packages_where_nothing_can_be_written(tmp_path, monkeypatch):
    """A read-only checkout is reported; if the packages are installed, nothing is written."""

    def refused(lock: FileLock) -> None:
        raise OSError(errno.EROFS, "read-only", lock.lock_file)

    monkeypatch.setattr(FileLock, "acquire", refused)
    (tmp_path / "package-lock.json").write_text("1")
    with pytest.raises(node.NoPackages, match=r"install\.lock: it is on a read-only disk"):
        node.install_packages(tmp_path, tmp_path / "node")

    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / ".photosync-lock.json").write_text("1")
    node.install_packages(tmp_path, tmp_path / "node")


@pytest.mark.parametrize("place", ["link", "beside", "global"])
@pytest.mark.parametrize(("version", "is_taken"), [("3.30.0", True), ("4.0.0", False)])
def test_azurite_of_the_machine(tmp_path, place, version, is_taken):
    """An Azurite of the same major version is found wherever npm has put it."""
    binaries = tmp_path / "bin"
    binaries.mkdir()
    home = {
        "link": tmp_path / "prefix" / "lib" / "node_modules" / "azurite",
        "beside": binaries / "node_modules" / "azurite",
        "global": tmp_path / "lib" / "node_modules" / "azurite",
    }[place]
    home.mkdir(parents=True)
    package = {"name": "azurite", "version": version, "bin": {"azurite": "./azurite.js"}}
    (home / "package.json").write_text(json.dumps(package))
    program = script(home, "azurite.js", "exit 0")
    if place == "link":
        (binaries / "azurite").symlink_to(program)
    if place == "beside":
        script(binaries, "azurite", "exit 0")

    found = find_elsewhere(binaries / "node", "3", {"PATH": str(binaries)})

    assert found == (program if is_taken else None)


def test_npm_out_of_reach(monkeypatch, capsys):
    """The machine's own Azurite is used and the reason printed; without one, how to get it."""

    def unreachable(folder: Path, found: Path) -> None:
        raise node.NoPackages("npm could not.")

    monkeypatch.setattr(azurite, "install_packages", unreachable)
    monkeypatch.setattr(azurite, "find_elsewhere", lambda *_: Path("/opt/azurite.js"))
    assert azurite.prepare()[1] == "/opt/azurite.js"
    assert capsys.readouterr().err == (
        "npm could not. For now, using this machine's Azurite: /opt/azurite.js\n"
    )

    monkeypatch.setattr(azurite, "find_elsewhere", lambda *_: None)
    with pytest.raises(node.NoPackages, match=r"npm install --global azurite@3\.35\.0\.$"):
        azurite.prepare()


def test_azurite_is_pinned_exactly():
    """The installed version is 3.35.0, as in the lock file."""
    printed = subprocess.run(
        [node.find_node(), "-p", "require('./node_modules/azurite/package.json').version"],
        cwd=PACKAGES,
        capture_output=True,
        text=True,
        check=True,
    )

    assert printed.stdout.strip() == "3.35.0"
