"""The options that every command takes, before its name or behind it, and what it gets for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click


@dataclass
class Choice:
    """The shared options as far as they have been read; what stands behind the command wins."""

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
# Each option, the variable that stands for it, and how click reads it.
_SHARED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "--url",
        "PHOTOSYNC_URL",
        {"help": "The function app, such as https://NAME.azurewebsites.net."},
    ),
    (
        "--key",
        "PHOTOSYNC_KEY",
        {"help": "A function key; others can see it here, so prefer the variable."},
    ),
    (
        "--client-id",
        "PHOTOSYNC_CLIENT_ID",
        {"help": "Sign in, without a key: the client id of the console's app registration."},
    ),
    (
        "--tenant-id",
        "PHOTOSYNC_TENANT_ID",
        {"help": "The tenant to sign in to, if it is not the account's."},
    ),
    (
        "--ca",
        "PHOTOSYNC_CA",
        {"help": "The PEM file of a private certificate authority.", "type": _FILE},
    ),
)


def shared(*, before_command: bool) -> Callable[[Function], Function]:
    """Add the shared options; behind a command all but --json are understood and not listed."""

    def decorate(function: Function) -> Function:
        as_json = {"is_flag": True, "help": "One JSON document on stdout."}
        function = _option("--json", "as_json", **as_json)(function)
        for name, variable, given in reversed(_SHARED):
            listed = {**given, "help": f"{given['help']}  [{variable}]", "envvar": variable}
            option = listed if before_command else {**given, "hidden": True}
            function = _option(name, **option)(function)
        return function

    return decorate


def login_options(clouds: Sequence[str]) -> Callable[[Function], Function]:
    """Where people sign in: variables that are settings of the app, too; not listed."""

    def decorate(function: Function) -> Function:
        function = _option("--cloud", envvar="M365_CLOUD", type=click.Choice(clouds), hidden=True)(
            function
        )
        return _option("--login-url", envvar="LOGIN_URL", hidden=True)(function)

    return decorate


def waits(seconds: float, meaning: str, *, least: float = 1) -> Callable[[Function], Function]:
    """Add the option of a command that waits for something, but not for ever."""
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
    """An option that stands for a setting of the app, and is read from its variable too."""
    if not given.get("hidden"):
        given["help"] = f"{given['help']}  [{variable}]"
    return click.option(*names, envvar=variable, **{"default": "", **given})
