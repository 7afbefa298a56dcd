"""What a command of manage.py works with, and how a function becomes one."""

from __future__ import annotations

import functools
import sys
from typing import Any, NamedTuple

import click

from admin.console.address import Address
from admin.console.console import Console
from admin.terminal.options import Choice, Function, shared
from admin.terminal.output import Output


class Desk(NamedTuple):
    """What a command works with."""

    console: Console
    output: Output


def command(function: Function) -> click.Command:
    """Make a command of a function that takes a Desk and returns an exit code."""

    @click.pass_context
    @functools.wraps(function)
    def run(context: click.Context, /, **values: Any) -> Any:
        choice = context.ensure_object(Choice)
        output = Output(sys.stdout, as_json=choice.as_json)
        address = Address.check(choice.url, choice.key, choice.ca)
        with Console(address, warn=output.complain) as console:
            return function(Desk(console, output), **values)

    return click.command(shared(before_command=False)(run))
