"""
A test double of the Azure CLI: `az account get-access-token`, with a token of the simulator.

Its variables: AZ_CONTROL and AZ_CA (the simulator), AZ_NAME (who is signed in), AZ_ROLES
(directory roles, separated by semicolons), AZ_MODE (`logged-out`, or `redacted` as the next version
is documented).
"""

from __future__ import annotations

import argparse
import json
import os
import ssl
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen


def main() -> int:
    parser = argparse.ArgumentParser(prog="az")
    parser.add_argument("command", nargs=2)
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--resource")
    wanted.add_argument("--scope")
    parser.add_argument("--tenant", "--tenant-id")
    parser.add_argument("--output", "-o", choices=["json"], required=True)
    parser.add_argument("--plaintext", action="store_true")
    given = parser.parse_args()
    assert given.command == ["account", "get-access-token"]
    mode = os.environ.get("AZ_MODE", "")
    if mode == "logged-out":
        sys.stderr.write("ERROR: Please run 'az login' to setup account.\n")
        return 1
    if given.plaintext and mode != "redacted":
        parser.error("unrecognized arguments: --plaintext")
    try:
        token = _token(given.scope)
    except HTTPError as error:
        sys.stderr.write(f"ERROR: {json.load(error)['error']}\n")
        return 1
    if mode == "redacted" and not given.plaintext:
        token["accessToken"] = "<redacted>"
    sys.stdout.write(json.dumps({**token, "tokenType": "Bearer"}))
    return 0


def _token(scope: str | None) -> dict[str, object]:
    roles = [role for role in os.environ.get("AZ_ROLES", "").split(";") if role]
    order: dict[str, object] = {"roles": roles}
    if "AZ_NAME" in os.environ:
        order["name"] = os.environ["AZ_NAME"]
    if scope:
        order["scope"] = scope
    request = Request(f"{os.environ['AZ_CONTROL']}/_sim/admin-token", json.dumps(order).encode())
    trust = ssl.create_default_context(cafile=os.environ["AZ_CA"])
    with urlopen(request, context=trust, timeout=30) as answer:
        content: dict[str, object] = json.load(answer)
    return content


if __name__ == "__main__":
    sys.exit(main())
