"""The versions in a requirements file that a given Python on Linux would install."""

from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
DEPLOYED = ROOT / "requirements.txt"


def wanted(file: Path, python: str | None = None) -> list[Requirement]:
    """Return the lines of *file* that apply to *python*, such as "3.12"; to this one if None."""
    other = {"python_version": python, "python_full_version": f"{python}.0"} if python else {}
    lines = (line.partition("#")[0].strip() for line in file.read_text("utf-8").splitlines())
    found = (Requirement(line) for line in lines if line and not line.startswith("-r"))
    return [one for one in found if one.marker is None or one.marker.evaluate(other)]


def pins(file: Path = DEPLOYED, python: str | None = None) -> dict[str, str]:
    """Return the version of every package in *file*, which must be an exact one."""
    return {
        str(canonicalize_name(one.name)): str(one.specifier).removeprefix("==")
        for one in wanted(file, python)
    }
