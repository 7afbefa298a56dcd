r"""
Simulates the Azure Functions host for one app.

python -m local.host --settings local.settings.json --app . --port 7071 --key-file keys.json \
    --certificate server.pem --key server-key.pem --ca ca.pem

Once every listener runs, it prints one JSON line on stdout; the log goes to stderr.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from local.ending import ASKS
from local.host import logs
from local.host.lifetime import Lifetime
from local.host.refusal import Refused
from local.host.settings import (
    HostOptions,
    body_limit,
    load_app_settings,
    load_host_options,
)
from local.host.worker import Worker, start_process
from local.loopback import bound

log = logging.getLogger("host")
GRACE_SECONDS = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGINT, or until the host has a reason to end; 1 if the app is refused."""
    options = _parser().parse_args(arguments)
    try:
        # First of all: the engine and the app read their settings from the environment.
        os.environ.update(load_app_settings(options.settings))
        if options.auth_file:
            # As in the real host (docs/facts/functions.md, "Sign-in").
            os.environ["WEBSITE_AUTH_ENABLED"] = "True"
        if options.ca:
            os.environ["REQUESTS_CA_BUNDLE"] = str(options.ca.resolve())
        host_options = load_host_options(options.app)
        with _listen(options.host, options.port) as listening:
            asyncio.run(_serve(options, host_options, listening))
    except Refused as refused:
        print(refused, file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 0  # stopped during start
    except OSError as error:
        print(f"The host cannot start: {error}", file=sys.stderr, flush=True)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.host",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--settings", type=Path, required=True, help="app settings, as in local.settings.json"
    )
    parser.add_argument("--app", type=Path, required=True, help="folder with function_app.py")
    parser.add_argument(
        "--key-file", type=Path, required=True, help="JSON with the host key and the master key"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0, the default, is any free port")
    parser.add_argument("--certificate", type=Path, help="PEM file; without it, plain HTTP")
    parser.add_argument("--key", type=Path, help="the certificate's private key")
    parser.add_argument("--auth-file", type=Path, help="require sign-in, as this file says")
    parser.add_argument("--ca", type=Path, help="the CA that the app's own calls trust")
    return parser


def _listen(host: str, port: int) -> socket.socket:
    listening = bound(port, host)
    listening.listen()
    return listening


async def _serve(
    options: argparse.Namespace, host_options: HostOptions, listening: socket.socket
) -> None:
    # Before this process loads its own modules: the worker takes longest to start.
    app = options.app.resolve()
    level, grace = host_options.log_level, host_options.function_timeout
    process = start_process(app, level, grace)
    from local.host.bindings import read_functions
    from local.host.drain import Drain
    from local.host.host_storage import host_id
    from local.host.http import HttpHost
    from local.host.invocations import Invocations
    from local.host.keys import Keys
    from local.host.listeners import Listeners
    from local.host.server import WebServer
    from local.host.sign_in import auth_file
    from local.host.sign_in.middleware import SignInMiddleware
    from local.host.sign_in.tokens import Tokens

    logs.configure(level)
    lifetime = Lifetime()
    worker = Worker(process, lambda: start_process(app, level, grace), lifetime)
    keys = Keys.load(options.key_file)
    auth = auth_file.load(options.auth_file) if options.auth_file else None
    server = WebServer(listening, options.certificate, options.key)
    functions = read_functions(await worker.start(), os.environ, bundle=host_options.bundle)
    invocations = Invocations(
        worker, base64=host_options.queues.base64, timeout=host_options.function_timeout
    )
    host = host_id(os.environ, app)
    listeners = Listeners(functions, host_options.queues, invocations, lifetime, host, os.environ)
    http = HttpHost(
        functions,
        host_options.route_prefix,
        keys,
        invocations,
        Drain(listeners, invocations),
        body_limit=body_limit(os.environ),
        open_telemetry=host_options.open_telemetry,
    )
    server.serve_app(
        SignInMiddleware(http, auth, Tokens(auth.issuer, options.ca), server.url) if auth else http
    )
    await server.accepting()
    log.info("Host started")
    listeners.start()
    x(lifetime)
    print(json.dumps({"ready": True, "functions": server.url}), flush=True)
    await lifetime.ended()
    stopping = asyncio.gather(
        server.stop(GRACE_SECONDS), listeners.stop(GRACE_SECONDS), invocations.stop(GRACE_SECONDS)
    )
    # One second more, to release locks; storage may be away.
    await asyncio.wait({stopping}, timeout=GRACE_SECONDS + 1)
    # What did not finish is cut off, as in Azure: its message stays locked for up to ten minutes.
    worker.kill()


def x(lifetime: Lifetime) -> None:
    """
    Stop only at SIGINT.

    SIGTERM does nothing to the real host: the gRPC server that it runs for its worker swallows it
    (AspNetCoreGrpcHostBuilder.cs).
    """
    loop = asyncio.get_running_loop()

    def handle(number: int, frame: object) -> None:
        # A signal can interrupt anything, so nothing else is safe here.
        loop.call_soon_threadsafe(end if number != signal.SIGTERM else ignore)

    def ignore() -> None:
        log.warning("SIGTERM is ignored, as in Azure; SIGINT stops the host")

    end = lifetime.end_quietly
    for number in ASKS:
        signal.signal(number, handle)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: Python would wait for functions that still run after their ten seconds.
    os._exit(code)
