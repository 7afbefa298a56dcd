"""
A test double of `az` and Azure Resource Manager: `AZURE_STAND_IN=state.json python azure.py ...`.

It supports the hook's commands, with the options of az 2.91.0, and rejects everything else as az
does, with exit code 2. Azure's state is in the state file.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import stat
import sys
from pathlib import Path
from typing import Any, NoReturn

_SITE = re.compile(
    r"/subscriptions/[0-9a-f-]{36}/resourceGroups/[\w.-]+/providers/Microsoft\.Web/sites/([\w-]+)"
    r"/([^?]+)\?api-version=\d{4}-\d\d-\d\d"
)


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--only-show-errors", action="store_true")
    common.add_argument("--output", "-o", choices=["json", "none", "tsv"], default="json")
    common.add_argument("--subscription")
    parser = argparse.ArgumentParser(prog="az")
    groups = parser.add_subparsers(dest="group", required=True)
    rest = groups.add_parser("rest", parents=[common])
    rest.add_argument("--method", "-m", default="get", choices=["get", "post", "put"])
    rest.add_argument("--url", "--uri", "-u", required=True)
    rest.add_argument("--body", "-b")
    storage = groups.add_parser("storage").add_subparsers(required=True)
    put = (
        storage.add_parser("message")
        .add_subparsers(required=True)
        .add_parser("put", parents=[common])
    )
    for name in ("--account-name", "--queue-name", "--content"):
        put.add_argument(name, required=True)
    put.add_argument("--visibility-timeout", type=int)
    put.add_argument("--auth-mode", choices=["login", "key"], default="key")
    return parser


def _refuse(sentence: str, code: int = 1) -> NoReturn:
    sys.stderr.write(f"ERROR: {sentence}\n")
    sys.exit(code)


class StandIn:
    """One call of az."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def run(self, arguments: list[str]) -> Any:
        self.state["calls"].append(arguments)
        if self.state["signed_out"]:
            _refuse("Please run 'az login' to setup account.")
        given = _parser().parse_args(arguments)
        answer = self._rest(given) if given.group == "rest" else self._put(given)
        return None if given.output == "none" else answer

    def _rest(self, given: argparse.Namespace) -> Any:
        found = _SITE.fullmatch(given.url)
        if not found or found[1] != self.state["app"]:
            _refuse('Not Found({"error":{"code":"ResourceNotFound"}})', 3)
        body = self._body(given.body)
        match given.method, found[2].split("/"):
            case "get", ["functions"]:
                return self._functions()
            case "post", ["functions", name, "listkeys"]:
                self._started(name)
                keys = self._listed_keys()
                return {"properties": keys} if self.state["as_documented"] else keys
            case "put", ["functions", name, "keys", key]:
                self._started(name)
                return self._make_key(key, body)
            case "post", ["config", "appsettings", "list"]:
                return {"name": "appsettings", "properties": self.state["settings"]}
            case "put", ["config", "appsettings"]:
                return self._write(body)
        _refuse("Method Not Allowed")

    def _body(self, given: str | None) -> Any:
        if given is None:
            return None
        if not given.startswith("@"):
            _refuse(f"unrecognized arguments: {given}", 2)
        file = Path(given[1:])
        self.state["modes"].append(stat.S_IMODE(file.stat().st_mode))
        return json.loads(file.read_text())

    def _functions(self) -> Any:
        if self.state["unlisted"]:
            _refuse(self.state["unlisted"])
        if self.state["listed_after"] > 0:
            self.state["listed_after"] -= 1
            return {"value": []}
        return {"value": [{"name": f"{self.state['app']}/{n}"} for n in self.state["functions"]]}

    def _started(self, function: str) -> None:
        if function not in self.state["functions"]:
            _refuse('Not Found({"Code":"NotFound","Message":"Function does not exist."})', 3)
        if self.state["started_after"] > 0:
            self.state["started_after"] -= 1
            _refuse(self.state["starting"])

    def _listed_keys(self) -> dict[str, str]:
        if len(self.state["keys"]) > 1 and self.state["keys_listed_after"] > 0:
            self.state["keys_listed_after"] -= 1
            return {"default": self.state["keys"]["default"]}
        keys: dict[str, str] = self.state["keys"]
        return keys

    def _make_key(self, key: str, body: Any) -> Any:
        properties = body["properties"]
        if set(properties) - {"name", "value"} or properties["name"] != key:
            _refuse("Bad Request(The key is not named as its address says.)")
        self.state["keys"][key] = properties.get("value") or f"{secrets.token_urlsafe(40)}=="
        return {"properties": {"name": key, "value": self.state["keys"][key]}}

    def _write(self, body: Any) -> Any:
        if self.state["refuses_settings"]:
            _refuse(f"Bad Request({json.dumps(body)})")
        if not all(isinstance(value, str) for value in body["properties"].values()):
            _refuse("Bad Request(Settings are texts.)")
        self.state["settings"] = body["properties"]
        self.state["restarts"] += 1
        return body

    def _put(self, given: argparse.Namespace) -> Any:
        if given.auth_mode != "login":
            _refuse("Key based authentication is not permitted on this storage account.")
        if not self.state["may_type"]:
            _refuse("\nYou do not have the required permissions needed to perform this operation.")
        delay = given.visibility_timeout or 0
        self.state["messages"].append([given.account_name, given.queue_name, given.content, delay])
        return {"content": given.content}


def main() -> None:
    file = Path(os.environ["AZURE_STAND_IN"])
    state = json.loads(file.read_text())
    try:
        answer = StandIn(state).run(sys.argv[1:])
    finally:
        file.write_text(json.dumps(state))
    if answer is not None:
        sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
