"""`manage.py`: all its commands, and the one place where a Problem is printed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from admin.acceptance import command as acceptance
from admin.console import (
    check,
    doctor,
    failures,
    history,
    renew,
    replay,
    status,
    sweep,
    uninstall,
    users,
)
from admin.grants import command as grant
from admin.terminal import files, problems, streams
from admin.terminal.options import shared
from admin.terminal.output import clean
from shared.version import VERSION

NAME = "manage.py"
COMMANDS = (
    status.status,
    replay.replay,
    sweep.sweep,
    renew.renew,
    users.users,
    failures.failures,
    history.history,
    check.check,
    doctor.doctor,
    grant.grant,
    acceptance.acceptance,
    uninstall.uninstall,
)
_CODES = "\n".join(f"{code:>5}  {meaning}" for code, meaning in problems.EXIT_CODES.items())


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "terminal_width": 90},
    epilog=f"\b\nExit codes:\n{_CODES}",
)
@click.version_option(VERSION, prog_name="PhotoSync", message="%(prog)s %(version)s")
@shared(before_command=True)
def program() -> None:
    """
    Show what PhotoSync knows about every user, process a user again, and diagnose problems.

    A USER is a UPN such as anne@contoso.com, another mail address, an object id, or the beginning
    of a name that matches only one person; stderr says who was matched. The options below may
    also follow the command. Errors are one sentence on stderr. With --json, stdout holds one JSON
    document and nothing else.
    """


for _command in COMMANDS:
    program.add_command(_command)


def help_texts() -> str:
    """The help of the program and of each command, in order."""
    texts = [_help_of(program, NAME, None)]
    with click.Context(program, info_name=NAME, **program.context_settings) as parent:
        texts += [_help_of(one, one.name or "", parent) for one in COMMANDS]
    return "\n\n".join(texts)


def _help_of(one: click.Command, name: str, parent: click.Context | None) -> str:
    settings = program.context_settings if parent is None else {}
    with click.Context(one, info_name=name, parent=parent, **settings) as context:
        return one.get_help(context).rstrip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (see `problems`)."""
    streams.prepare()
    try:
        code = program.main(arguments, prog_name=NAME, standalone_mode=False)
        sys.stdout.flush()
        return int(code or problems.FINE)
    except problems.Problem as problem:
        return _say(str(problem), problem.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return problems.USAGE
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else NAME
        told = " ".join(error.format_message().split()).rstrip(".")
        return _say(f"{told}: see {path} --help.", problems.USAGE)
    except (click.Abort, KeyboardInterrupt):
        return _say("Stopped. Messages that are already queued stay queued.", problems.INTERRUPTED)
    except BrokenPipeError:
        # The reader closed the pipe: no error.
        streams.discard_output()
        return problems.FINE
    except OSError as error:
        # Usually a full disk; network errors have become Problems by now.
        streams.discard_output()
        return _say(files.sentence(error), problems.USAGE)


def _say(sentence: str, code: int) -> int:
    click.echo(clean(sentence), err=True)
    return code
