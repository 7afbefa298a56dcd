"""
The local cloud: `up` runs it, `demo` shows the main job, `show` and `type` let you inspect and use
it, and `set` changes its app settings; `soak` tests it under faults, and `bench` measures it.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from admin.terminal import files, problems, streams
from local import chosen_settings, show, up
from local.bench import command as bench
from local.cloud import proxies
from local.cloud.node import NoNode
from local.cloud.occupancy import NotOurs, NotUp, Occupied
from local.demo import report
from local.soak import command as soak


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command in *arguments*; the one place where an error is printed as a sentence."""
    streams.prepare()
    os.environ.update(proxies.bypassed(os.environ))
    try:
        code = _run(_parser().parse_args(arguments))
        sys.stdout.flush()
        return code
    except (NotUp, NotOurs, chosen_settings.BadSetting, Occupied, NoNode) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return problems.INTERRUPTED
    except BrokenPipeError:
        streams.discard_output()
        return streams.READER_GONE
    except OSError as error:
        if not files.is_about_a_file(error):
            raise
        if error.filename is None:
            streams.discard_output()
        print(files.sentence(error), file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (
        ("up", "start the local cloud and keep it running"),
        ("demo", "show the main job from end to end"),
        ("show", "show what PhotoSync has stored, while the cloud is running"),
        ("type", "type a message into a queue, while the cloud is running"),
        ("set", "change app settings, while the cloud is running"),
        ("soak", "change photos under faults and crashes; fail unless every picture ends up right"),
        ("bench", "measure, and compare with the goals"),
    ):
        command = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
        command.add_argument(
            "--folder",
            type=Path,
            default=up.USUAL_FOLDER,
            help="folder for keys, logs and settings",
        )
        if name == "up":
            command.add_argument(
                "--set",
                action="append",
                default=[],
                metavar="NAME=VALUE",
                help="an app setting, such as DRY_RUN=true; may be repeated",
            )
            command.add_argument(
                "--sign-in", action="store_true", help="require sign-in to the console"
            )
            command.add_argument(
                "--cloud",
                choices=up.CLI_CLOUDS,
                default="",
                help="use Microsoft's own host names of this cloud, through a proxy",
            )
        if name == "set":
            command.add_argument(
                "set", nargs="+", metavar="NAME=VALUE", help="an app setting, such as DRY_RUN=true"
            )
        if name == "type":
            command.add_argument("text", help="the message, such as anne@contoso.com")
            command.add_argument(
                "--queue", default="photo-sync", choices=show.QUEUES, help="default: %(default)s"
            )
        if name == "soak":
            soak.add_arguments(command)
        if name == "bench":
            bench.add_arguments(command)
    return parser


def _run(chosen: argparse.Namespace) -> int:
    match chosen.command:
        case "up":
            settings = chosen_settings.read(chosen.set)
            return up.main(chosen.folder, settings, sign_in=chosen.sign_in, cloud=chosen.cloud)
        case "set":
            chosen_settings.write(chosen.folder, chosen_settings.read(chosen.set))
            print("Settings changed; the app restarts")
            return 0
        case "demo":
            return report.main(chosen.folder)
        case "soak":
            return soak.main(chosen.folder, chosen)
        case "bench":
            return bench.main(chosen.folder, chosen)
        case "type":
            return show.type_text(chosen.folder, chosen.text, chosen.queue)
        case _:
            return show.main(chosen.folder)


if __name__ == "__main__":
    sys.exit(main())
