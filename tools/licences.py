"""
`python -m tools.licences`: lists the licence of every package, deployed ones first.

A deployed package's licence must be in AGREED; a person must read any other licence first.
"""

import sys
from collections.abc import Mapping
from importlib import metadata

from packaging.utils import canonicalize_name

from tools.pins import pins

# All allow use in a service. MPL-2.0 requires changes to its files to be published; we make none.
AGREED = {
    "Apache-2.0",
    "BSD License",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "MPL-2.0",
    "PSF-2.0",
}
_OTHER_NAMES = {"MIT License": "MIT", "Apache Software License": "Apache-2.0"}
_LONGEST_NAME = 40


def licence(package: str) -> str:
    """Return the licence that the installed *package* declares, as an SPDX name if possible."""
    about = metadata.metadata(package)
    classifiers = (
        text for text in about.get_all("Classifier", []) if text.startswith("License ::")
    )
    said = [
        *about.get_all("License-Expression", []),
        # Some packages put the full text here.
        *(text for text in about.get_all("License", []) if len(text) <= _LONGEST_NAME),
        *(text.rpartition(" :: ")[2] for text in classifiers),
    ]
    name = next(iter(said), "unknown")
    return _OTHER_NAMES.get(name, name)


def agreed(name: str) -> bool:
    """Whether this licence is approved; if it offers a choice, one approved licence is enough."""
    return any(AGREED.issuperset(choice.split(" AND ")) for choice in name.split(" OR "))


def main() -> int:
    """List all licences of this environment; 1 if a deployed package's is not approved."""
    deployed = {name: licence(name) for name in pins()}
    installed = {str(canonicalize_name(one.name)) for one in metadata.distributions()}
    print(f"Deployed\n{_table(deployed)}")
    print("\nOn an admin's or developer's machine only")
    print(_table({name: licence(name) for name in sorted(installed - deployed.keys())}))
    odd = [f"{name} ({text})" for name, text in deployed.items() if not agreed(text)]
    if odd:
        print(f"\nRead the licence, then add it to AGREED: {', '.join(odd)}", file=sys.stderr)
    return 1 if odd else 0


def _table(licences: Mapping[str, str]) -> str:
    return "\n".join(
        f"  {name:44}{metadata.version(name):16}{text}" for name, text in licences.items()
    )


if __name__ == "__main__":
    sys.exit(main())
