"""`python -m local up`: the local cloud, until Ctrl-C. `python -m local demo`: the main job."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from local import demo_report
from local.azurite import prepare
from local.children import ChildDied
from local.endpoints import Endpoints
from local.node import NoNode
from local.stack import Stack


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that *arguments* name."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start the local cloud and keep it up")
    demo = commands.add_parser("demo", help="show the main job from end to end")
    for command in (up, demo):
        command.add_argument(
            "--folder", type=Path, default=Path(".local"), help="for keys, logs, settings"
        )
    chosen = parser.parse_args(arguments)
    return demo_report.main(chosen.folder) if chosen.command == "demo" else stay_up(chosen.folder)


def stay_up(folder: Path) -> int:
    """Start everything, say what to try, and stop everything at SIGINT or SIGTERM."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        prepare()
        print("Starting storage, Microsoft 365 and the Functions host", flush=True)
        with Stack(folder) as stack:
            print(invitation(stack.endpoints, folder), flush=True)
            dead: list[str] = []
            while not dead and not stopped.wait(0.5):
                dead = stack.dead_children()
    except (ChildDied, NoNode) as error:
        print(error, file=sys.stderr)
        return 1
    if dead:
        logs = ", ".join(str(folder / f"{name}.log") for name in dead)
        print(f"Stopped, because a part ended by itself; see {logs}", file=sys.stderr)
        return 1
    print("Stopped")
    return 0


def invitation(endpoints: Endpoints, folder: Path) -> str:
    """Return what a person can try now, as commands to paste."""
    curl = f"curl --cacert '{endpoints.ca}'"
    functions, code = endpoints.functions, endpoints.key
    return "\n".join(
        [
            "",
            "The local cloud is up. Try, in another terminal:",
            "",
            "  Does it run?",
            f"    {curl} {functions}/api/health",
            "  Graph's handshake with the webhook:",
            f"    {curl} -X POST '{functions}/api/notifications?code={code}"
            "&validationToken=hello%20world'",
            "  The users of the simulated tenant, and what happened to them:",
            f"    {curl} {endpoints.control}/_sim/users",
            f"    {curl} {endpoints.control}/_sim/journal",
            "  Sync one user now, whatever queued it (the host's admin route):",
            f"    {curl} -X POST -H 'x-functions-key: {endpoints.master_key}'"
            " -H 'Content-Type: application/json' -d '{\"input\": \"anne@contoso.com\"}'"
            f" {functions}/admin/functions/sync_photo",
            "  What the app says:",
            f"    tail -f '{folder / 'host.log'}'",
            "",
            f"Everything a program needs is in {folder / 'endpoints.json'}. Ctrl-C ends it all.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
