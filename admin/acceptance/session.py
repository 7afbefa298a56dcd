"""One call of `acceptance`: read, ask whether to write, restore everything, and report."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from requests.exceptions import SSLError

from admin.acceptance import report, runner
from admin.acceptance.app import App
from admin.acceptance.backup import Backup
from admin.acceptance.microsoft365 import Microsoft365
from admin.acceptance.order import Order
from admin.acceptance.scene import Person, Scene
from admin.acceptance.scrub import Scrub
from admin.acceptance.step import Result, Step
from admin.acceptance.steps.every import LAST, READING, WRITING
from admin.terminal.fields import Fields
from admin.terminal.output import Output
from admin.terminal.problems import NotFound, Problem, Refused, Unreachable, Unsound, Unusable
from admin.terminal.question import agreed, must_be_possible
from shared.errors import (
    AccessDenied,
    NoMailbox,
    NoPhoto,
    PhotoSyncError,
    SettingsError,
    TryLater,
    UnknownUser,
)
from shared.user import User

RESTORE = "acceptance-restore"
_READ_ONLY = "give --yes, or --read-only to write nothing"


def run(order: Order, app: App | None, person: Person, output: Output) -> int:
    """Run every step that the order allows; returns an exit code."""
    if not (order.yes or order.read_only):
        must_be_possible(output, instead=_READ_ONLY)
    backup = Backup(order.file.parent / RESTORE)
    if not order.read_only:
        backup.check()
    draft = report.Draft(order.file)
    try:
        scene = _scene(order, app, person, backup)
        run = _Run(order, scene, output)
        try:
            with _stopped_in_order():
                run.ask()
        finally:
            # Also after Ctrl-C and after unexpected errors.
            run.end(draft)
        return report.code(run.results, run.orders, declined=run.declined, kept=run.is_kept)
    finally:
        draft.forget()


@contextmanager
def _stopped_in_order() -> Iterator[None]:
    """Treat a closing terminal and a termination signal like Ctrl-C."""
    names = [name for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in (signal.Signals[n] for n in names)}
    for number, handler in before.items():
        # A signal that is ignored, as under nohup, stays ignored.
        if handler is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Run:
    def __init__(self, order: Order, scene: Scene, output: Output) -> None:
        self.results: list[Result] = []
        self.orders: list[str] = []
        self.declined = False
        self.is_kept = False
        self._order = order
        self._scene = scene
        self._output = output
        self._complete = False

    def ask(self) -> None:
        self._take(READING)
        if self._order.read_only:
            self.results += runner.refused(WRITING, "--read-only skips steps that write")
        elif agreed(self._question(), self._output, yes=self._order.yes, instead=_READ_ONLY):
            self._take(WRITING)
        else:
            self.declined = True
            self.results += runner.refused(WRITING, "you did not agree to writing")
        self._take(LAST)
        self._complete = True

    def _question(self) -> str:
        users = [self._scene.user, *([self._scene.other] if self._scene.other else [])]
        names = " and ".join(each.user_principal_name for each in users)
        return (
            f"The next steps overwrite the picture of {names} in SharePoint, then restore it. "
            "Continue?"
        )

    def _take(self, steps: Iterable[Step]) -> None:
        steps = tuple(steps)
        with self._output.progress("Testing") as tell:
            number = 0

            def begin(step: Step) -> None:
                nonlocal number
                tell(number, len(steps), f"{step.id}: {step.question}")
                number += 1

            for result in runner.results(steps, self._scene, begin):
                self.results.append(result)

    def end(self, draft: report.Draft) -> None:
        self.orders = [*self._under_way(), *self._scene.backup.restore()]
        for order in self.orders:
            self._output.error(f"Not restored: {order}")
        names = [*_names(self._order, self._scene)]
        # A service's own sentence may write a name in another order.
        sentences = Scrub([*names, *_parts_of_names(self._scene)])
        tested = [self._scene.deployed and "deployed", self._scene.direct and "certificate"]
        way = " and ".join(each for each in tested if isinstance(each, str))
        document = report.document(
            self.results,
            Scrub(names),
            sentences,
            way=way,
            left=len(self.orders),
            complete=self._complete,
        )
        try:
            draft.finish(document)
            self.is_kept = True
        except Unusable as error:
            # The results are still shown.
            self._output.error(str(error))
        self._output.document(document)
        report.show(document, self._output)
        if self.is_kept:
            self._output.line(f"{self._order.file} contains the same results without names.")

    def _under_way(self) -> Iterator[str]:
        """Wait for copies that Ctrl-C interrupted; an instruction if one may still arrive."""
        scene = self._scene
        try:
            if scene.direct:
                scene.direct.close()
            if scene.deployed:
                scene.deployed.finish(scene.limit)
        except (Exception, KeyboardInterrupt):  # noqa: BLE001 - whatever it is, restore the rest
            name = scene.user.user_principal_name
            yield f"Check {name} again later: an ordered copy may still arrive."


def _scene(order: Order, app: App | None, person: Person, backup: Backup) -> Scene:
    """Find the users, and check that USER has a photo. Raises Problem with one sentence."""
    try:
        direct = Microsoft365(order.settings) if order.settings else None
    except SettingsError as error:
        raise Unusable(str(error)) from error
    user = _found(order.user, direct, app)
    other = _found(order.unlicensed, direct, app) if order.unlicensed else None
    if direct:
        _check_photo(user, direct)
    return Scene(user, direct, app, person, backup, order.limit, other)


def _found(name: str, direct: Microsoft365 | None, app: App | None) -> User:
    if direct is None:
        assert app, "an order without settings is for the deployed app"
        return _user_of(name, app.console.user(name))
    try:
        return direct.graph.user(name)
    except PhotoSyncError as error:
        raise _problem(name, error) from error


def _user_of(name: str, answer: Fields) -> User:
    known = answer.part("user") or answer.part("state")
    user_id, upn = known.text("id") or known.text("userId"), known.text("userPrincipalName")
    if not user_id or not upn:
        raise NotFound(f"The app does not know {name}: give the UPN of a test user.")
    return User(user_id, upn, account_enabled=True, is_guest=False)


def _check_photo(user: User, direct: Microsoft365) -> None:
    try:
        direct.graph.photo_etag(user.id)
    except PhotoSyncError as error:
        raise _problem(user.user_principal_name, error) from error


def _problem(name: str, error: PhotoSyncError) -> Problem:
    """The Problem for a user who cannot be read at all."""
    match error:
        case UnknownUser():
            return NotFound(f"{name} does not exist in this tenant: give the UPN of a test user.")
        case NoPhoto() | NoMailbox():
            return NotFound(f"{name} has no photo in Exchange: give a test user who has one.")
        case AccessDenied():
            return Refused(f"{error} See manage.py grant --check.")
        case TryLater() if isinstance(error.__cause__, SSLError):
            return Unreachable(
                f"{error} If a private CA issued the certificate of Entra or Microsoft Graph, set "
                "REQUESTS_CA_BUNDLE to that CA's PEM file."
            )
        case TryLater():
            return Unreachable(f"{error} Try again in a minute.")
    return Unsound(str(error))


def _parts_of_names(scene: Scene) -> Iterator[str]:
    """Parts of people's names, since services may write "Keller, Anne"."""
    for user in (scene.user, scene.other):
        if user:
            whole = f"{user.display_name} {user.user_principal_name.partition('@')[0]}"
            yield from re.split(r"[\W_]+", whole)


def _names(order: Order, scene: Scene) -> Iterator[str]:
    """Everything in this run's sentences that could identify somebody."""
    for user in (scene.user, scene.other):
        if user:
            upn = user.user_principal_name
            yield from (user.id, upn, user.display_name, *upn.split("@"))
            yield re.sub("[@.]", "_", upn)
    yield from (order.user, order.unlicensed, scene.deployed.host if scene.deployed else "")
    settings = order.settings
    if settings:
        yield from (settings.tenant_id, settings.client_id, settings.sharepoint_tenant)
        yield from settings.sharepoint_geos
        urls = (settings.sharepoint_my_url, settings.sharepoint_admin_url, settings.graph_url)
        yield from (urlsplit(url).netloc for url in (*urls, settings.login_url))
