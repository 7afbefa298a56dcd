"""`python -m local up`: the local cloud, until Ctrl-C. `python -m local demo`: the main job."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from local import demo_report, up


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that *arguments* name."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (
        ("up", "start the local cloud and keep it up"),
        ("demo", "show the main job from end to end"),
    ):
        command = commands.add_parser(name, help=what)
        command.add_argument(
            "--folder", type=Path, default=Path(".local"), help="for keys, logs, settings"
        )
    chosen = parser.parse_args(arguments)
    return up.main(chosen.folder) if chosen.command == "up" else demo_report.main(chosen.folder)


if __name__ == "__main__":
    sys.exit(main())
