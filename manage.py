"""`python manage.py`: PhotoSync on the command line. requirements-manage.txt lists its packages."""

from __future__ import annotations

import sys


def run() -> int:
    """Run one command, or say which package must be installed first."""
    try:
        from admin.program import main
    except ModuleNotFoundError as error:
        sentence = f"{error.name} is missing: run pip install -r requirements-manage.txt first.\n"
        sys.stderr.write(sentence)
        return 2
    except KeyboardInterrupt:
        return 130  # while the packages were loaded
    return main()


if __name__ == "__main__":
    sys.exit(run())
