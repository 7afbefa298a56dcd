"""
Runs Azure Functions Core Tools (`func start`) in place of our own host.

`python -m local.core_tools` takes the arguments of `python -m local.host`. It prints the same ready
line on stdout, and everything else on stderr.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import requests

from local.cloud.children import tethered
from local.cloud.host_command import OTHERS_START_WITHIN, NoHost, find_core_tools
from local.core_tools.workspace import Workspace, real_program
from local.ending import ASKS, apart, ask
from local.host.keys import Keys
from local.host.refusal import Refused

# A real host gives running functions ten seconds or more to end (functions.md, "Host and worker").
_STOP_SECONDS = 14.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; 1 if Core Tools is missing or did not start the app."""
    options = _parser().parse_args(arguments)
    stopped = threading.Event()
    for number in ASKS:
        signal.signal(number, lambda *_: stopped.set())
    try:
        func = real_program(find_core_tools(os.environ))
        if options.auth_file:
            raise Refused("Core Tools has no App Service authentication; start without --sign-in")
        keys = Keys.load(options.key_file)
        place = Workspace(options.settings, options.app, keys, options.certificate, options.key)
        process: subprocess.Popen[bytes] = subprocess.Popen(
            tethered([func, *place.arguments(options.port)]),
            stdin=subprocess.DEVNULL,
            # stdout is for the ready line alone: an app may log something that looks like it.
            stdout=sys.stderr,
            env=place.environ(os.environ, options.ca),
            cwd=place.app,
            **apart(),
        )
    except (NoHost, Refused, OSError) as problem:
        print(problem, file=sys.stderr, flush=True)
        return 1
    try:
        url = f"{'https' if options.certificate else 'http'}://localhost:{options.port}"
        if not _wait_until_ready(process, url, keys.master, options.ca, stopped):
            return 1
        print(json.dumps({"ready": True, "functions": url}), flush=True)
        while process.poll() is None and not stopped.wait(0.2):
            pass
        return 0 if stopped.is_set() else 1
    finally:
        _stop(process)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.core_tools", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--app", type=Path, required=True)
    parser.add_argument("--key-file", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--certificate", type=Path, help="for HTTPS; without it, plain HTTP")
    parser.add_argument("--key", type=Path)
    parser.add_argument("--auth-file", type=Path, help="refused: Core Tools does not support it")
    parser.add_argument("--ca", type=Path, help="the CA that the app's own calls trust")
    return parser


def _wait_until_ready(
    process: subprocess.Popen[bytes], url: str, key: str, ca: Path | None, stopped: threading.Event
) -> bool:
    """
    Poll the host's state until it is running.

    Documented: HostController, admin/host/status: `Running`, or `Error` with the reasons.
    """
    deadline = time.monotonic() + OTHERS_START_WITHIN
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(ca) if ca else True
        while process.poll() is None and time.monotonic() < deadline and not stopped.is_set():
            state = _state(session, url, key)
            if state.get("state") == "Running":
                return True
            if state.get("state") == "Error":
                print(f"The host has errors: {state.get('errors')}", file=sys.stderr, flush=True)
                return False
            stopped.wait(0.1)
    print("Core Tools did not start the app; see its output above", file=sys.stderr, flush=True)
    return False


def _state(session: requests.Session, url: str, key: str) -> dict[str, object]:
    try:
        answer = session.get(
            f"{url}/admin/host/status", headers={"x-functions-key": key}, timeout=10
        )
        content: dict[str, object] = answer.json() if answer.status_code == 200 else {}
    except (requests.ConnectionError, requests.Timeout):
        return {}
    return content


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Measured: a real host ignores SIGTERM, and shuts down cleanly at SIGINT."""
    if process.poll() is None:
        ask(process, signal.SIGINT)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
