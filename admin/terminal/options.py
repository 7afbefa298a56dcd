"""The options that every command takes, before or after its name, and their values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click


@dataclass
class Choice:
    """The shared options read so far; one given after the command wins."""

    url: str = ""
    key: str = ""
    ca: str = ""
    client_id: str = ""
    tenant_id: str = ""
    login_url: str = ""
    cloud: str = ""
    as_json: bool = False

    def keep(self, name: str, value: str | bool | None) -> None:
        if value:
            setattr(self, name, value)


Function = Callable[..., Any]


_FILE = click.Path(exists=True, dir_okay=False, readable=True)
# Each option, its environment variable, and how click reads it.
_SHARED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "--url",
        "PHOTOSYNC_URL",
        {"help": "URL of the function app, such as https://NAME.azurewebsites.net."},
    ),
    (
        "--key",
        "PHOTOSYNC_KEY",
        {"help": "A function key. Prefer the variable: other users can see arguments."},
    ),
    (
        "--client-id",
        "PHOTOSYNC_CLIENT_ID",
        {"help": "Client id of the console's app registration, to sign in without a key."},
    ),
    (
        "--tenant-id",
        "PHOTOSYNC_TENANT_ID",
        {"help": "The tenant to sign in to, if it is not your account's own."},
    ),
    (
        "--ca",
        "PHOTOSYNC_CA",
        {"help": "PEM file of a private certificate authority.", "type": _FILE},
    ),
)


def shared(*, before_command: bool) -> Callable[[Function], Function]:
    """Add the shared options; after a command they all work, but help lists only --json."""

    def decorate(function: Function) -> Function:
        as_json = {"is_flag": True, "help": "Print one JSON document on stdout."}
        function = _option("--json", "as_json", **as_json)(function)
        for name, variable, given in reversed(_SHARED):
            listed = {**given, "help": f"{given['help']}  [{variable}]", "envvar": variable}
            option = listed if before_command else {**given, "hidden": True}
            function = _option(name, **option)(function)
        return function

    return decorate


def login_options(clouds: Sequence[str]) -> Callable[[Function], Function]:
    """Where people sign in; the variables are app settings, too. Hidden from help."""

    def decorate(function: Function) -> Function:
        function = _option("--cloud", envvar="M365_CLOUD", type=click.Choice(clouds), hidden=True)(
            function
        )
        return _option("--login-url", envvar="LOGIN_URL", hidden=True)(function)

    return decorate


def waits(seconds: float, meaning: str, *, least: float = 1) -> Callable[[Function], Function]:
    """Add --timeout to a command that waits for something."""
    return click.option(
        "--timeout",
        type=click.FloatRange(min=least),
        metavar="SECONDS",
        default=seconds,
        show_default=True,
        help=meaning,
    )


def _option(*names: str, **given: Any) -> Callable[[Function], Function]:
    return click.option(*names, expose_value=False, callback=_keep, **given)


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    context.ensure_object(Choice).keep(parameter.name or "", value)


def setting(*names: str, variable: str, **given: Any) -> Callable[[Function], Function]:
    """An option for an app setting, also read from the environment variable of that name."""
    if not given.get("hidden"):
        given["help"] = f"{given['help']}  [{variable}]"
    return click.option(*names, envvar=variable, **{"default": "", **given})
