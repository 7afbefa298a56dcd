"""
`python -m tools.javascript`: lints our JavaScript with ESLint and type-checks it with TypeScript.

Both come from npm, pinned in the folder javascript; the types are in comments (JSDoc).
"""

import subprocess
import sys
from pathlib import Path

from local.cloud.node import NoNode, find_node, install_packages
from tools.pins import ROOT

_PACKAGES = Path(__file__).with_name("javascript")
_RULES = str(_PACKAGES / "eslint.config.js")
_CHECKS = (
    ("eslint/bin/eslint.js", "--config", _RULES, "--max-warnings=0", "shared", "tests", "tools"),
    ("typescript/bin/tsc", "--project", str(_PACKAGES)),
)


def main() -> int:
    """Print every error; 1 if there is any."""
    try:
        node = find_node()
        install_packages(_PACKAGES, node)
    except NoNode as error:
        print(error, file=sys.stderr)
        return 1
    programs = _PACKAGES / "node_modules"
    # Both run at once, but are printed one after the other, so that their lines do not mix.
    checks = [
        subprocess.Popen([node, programs / program, *words], cwd=ROOT, stdout=subprocess.PIPE)
        for program, *words in _CHECKS
    ]
    for check in checks:
        sys.stdout.write(check.communicate()[0].decode())
    return 1 if any(check.returncode for check in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
