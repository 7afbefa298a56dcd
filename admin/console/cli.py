"""Turns a function into a command of manage.py, and gives it what it needs."""

from __future__ import annotations

import functools
import sys
from typing import Any, NamedTuple

import click

from admin.console.account import Account
from admin.console.address import Address
from admin.console.console import Console
from admin.terminal.options import Choice, Function, login_options, shared
from admin.terminal.output import Output
from shared.settings.clouds import CLOUDS


class Cli(NamedTuple):
    """What a command gets."""

    console: Console
    output: Output


def command(function: Function) -> click.Command:
    """Turn a function that takes a Desk and returns an exit code into a command."""

    @click.pass_context
    @functools.wraps(function)
    def run(context: click.Context, /, **values: Any) -> Any:
        choice = context.ensure_object(Choice)
        output = Output(sys.stdout, as_json=choice.as_json)
        address = Address.check(choice.url, choice.key, choice.ca)
        account = Account.check(
            choice.client_id, choice.tenant_id, login_url=choice.login_url, cloud=choice.cloud
        )
        with Console(address, account=account, tell=output.error) as console:
            return function(Cli(console, output), **values)

    clouds = login_options(list(CLOUDS))
    return click.command(shared(before_command=False)(clouds(run)))
