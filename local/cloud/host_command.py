"""Which program runs the app: our own host, Azure Functions Core Tools, or any other."""

import shlex  # windows: see _words
import shutil
import sys
from collections.abc import Mapping

from local.cloud.children import ChildDied

VARIABLE = "LOCAL_HOST_COMMAND"
CORE_TOOLS = "func"
# A host that is not ours may download its extension bundle on its first start.
OTHERS_START_WITHIN = 300.0
_OURS_STARTS_WITHIN = 60.0


class NoHost(ChildDied):
    """The program that should run the app does not exist; the text says how to get it."""


def is_another(environ: Mapping[str, str]) -> bool:
    """Whether a program other than `python -m local.host` should run the app."""
    return bool(environ.get(VARIABLE, "").strip())


def host_command(environ: Mapping[str, str]) -> list[str]:
    """
    The start of a command that takes the same arguments as `python -m local.host`.

    LOCAL_HOST_COMMAND is the value of HOST for `make`: `func`, or a command like ours. Raises
    NoHost.
    """
    if not is_another(environ):
        return [sys.executable, "-m", "local.host"]
    try:
        command = _words(environ[VARIABLE])
    except ValueError as error:
        raise NoHost(f"HOST is not a valid command line: {error}") from error
    if command == [CORE_TOOLS]:
        find_core_tools(environ)
        return [sys.executable, "-m", "local.core_tools"]
    if shutil.which(command[0], path=environ.get("PATH")) is None:
        raise NoHost(
            f"HOST names the program that runs the app, but there is no program {command[0]!r}: "
            "leave HOST out for our own host, or use HOST=func for Azure Functions Core Tools"
        )
    return command


def _words(text: str) -> list[str]:
    if sys.platform != "win32":
        return shlex.split(text)  # windows: below
    # On Windows a backslash separates folders, and only " quotes.
    return [word.strip('"') for word in shlex.split(text, posix=False)]  # windows: so


def starts_within(environ: Mapping[str, str]) -> float:
    """The seconds in which the host must be ready."""
    return OTHERS_START_WITHIN if is_another(environ) else _OURS_STARTS_WITHIN


def find_core_tools(environ: Mapping[str, str]) -> str:
    """The path of `func`. Raises NoHost."""
    found = shutil.which(CORE_TOOLS, path=environ.get("PATH"))
    if found is None:
        raise NoHost(
            "HOST=func runs the app in Azure Functions Core Tools, but func is not on the PATH: "
            "install it with npm install --global azure-functions-core-tools@4"
        )
    return found
