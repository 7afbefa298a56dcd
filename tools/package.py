"""
`python -m tools.package`: builds the zip that azd and Core Tools send for a remote build.

Documented: Azure/azure-dev, cli/azd/pkg/project/project_utils.go: `.funcignore` is read like
.gitignore; `.funcignore`, `local.settings.json` and every folder `.azure` are always left out.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pathspec import GitIgnoreSpec

from infra.hooks import stamp
from tools.pins import ROOT

IGNORE_FILE = ".funcignore"
_NEVER = {IGNORE_FILE, "local.settings.json"}
# Without these the app does not start, and Azure hardly says why.
NEEDED = {"function_app.py", "host.json", "requirements.txt"}
# The earliest time in a zip, so that the same files always give the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Incomplete(Exception):
    """The package would not start; the text says what is missing."""


@dataclass(frozen=True)
class Package:
    """The files with their sizes, and the size and hash of the zip."""

    files: dict[str, int]
    packed: int
    sha256: str


def chosen(root: Path) -> list[str]:
    """Return the files of *root* to send, as sorted paths with slashes."""
    rules = GitIgnoreSpec.from_lines((root / IGNORE_FILE).read_text("utf-8").splitlines())
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".azure"]
        paths = ((Path(folder) / name).relative_to(root).as_posix() for name in names)
        found += [path for path in paths if not rules.match_file(path)]
    return sorted(path for path in found if path.rpartition("/")[2] not in _NEVER)


def build(root: Path, target: Path) -> Package:
    """Pack the files of *root* that are sent into *target*."""
    files = chosen(root)
    if missing := NEEDED.difference(files):
        raise Incomplete(f"{IGNORE_FILE} leaves out {', '.join(sorted(missing))}: include it again")
    target.parent.mkdir(parents=True, exist_ok=True)
    sizes = {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, on Windows too: the mode counts only then
            entry.external_attr = 0o100644 << 16
            content = (root / path).read_bytes()
            archive.writestr(entry, content)
            sizes[path] = len(content)
    packed = target.read_bytes()
    return Package(sizes, len(packed), hashlib.sha256(packed).hexdigest())


def main(root: Path = ROOT) -> int:
    """Build the package of this folder and list its content."""
    parser = argparse.ArgumentParser(prog="python -m tools.package", description=__doc__)
    parser.add_argument("--to", type=Path, default=Path(".local/photosync.zip"))
    target: Path = parser.parse_args().to
    try:
        package = build(root, target)
    except Incomplete as error:
        print(error, file=sys.stderr)
        return 1
    for path, size in package.files.items():
        print(f"{size:8,}  {path}")
    total = sum(package.files.values())
    print(
        f"{len(package.files)} files of {total:,} bytes make {package.packed:,} bytes: {target}\n"
        f"sha256 {package.sha256}"
    )
    return 0


if __name__ == "__main__":
    stamp.write(ROOT, datetime.now(UTC))
    sys.exit(main())
