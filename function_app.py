"""
Every trigger and binding of the function app. A handler parses, calls one function and answers.

Nothing heavy is imported at the top: the webhook must answer within Graph's three seconds even when
this process has just started, and a failure here would show only as "0 functions found".
"""

import functools
import logging
import os
import random
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, List  # noqa: UP035 - the engine refuses `list`

import azure.functions as func

from shared import version
from shared.console import answers
from shared.errors import PhotoSyncError, SettingsError
from shared.messages.upkeep_message import AUDIT, RENEW, SWEEP, UpkeepMessage
from shared.settings.console import ConsoleSettings
from shared.settings.webhook import WebhookSettings
from shared.signature import APP, Signature
from shared.telemetry.telemetry import Send, Telemetry
from shared.webhook import notifications as graph_notifications

if TYPE_CHECKING:
    from shared.console.access import Caller
    from shared.console.api import Console
    from shared.doctor.doctor import Doctor
    from shared.runtime import Runtime

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
log = logging.getLogger("photosync")


def exporters(env: Mapping[str, str]) -> Send:
    """Load and start the telemetry exporters: not before the first answer (see Telemetry)."""
    from shared.telemetry.exporters import start

    return start(env)


telemetry = Telemetry(os.environ, load=exporters)
telemetry.listen(log)
STORAGE = "AzureWebJobsStorage"
# A timer's message is not a person's order.
OURS = Signature(APP)
_building = threading.Lock()
# The engine accepts only generic types of `typing`: it refuses to load `func.Out[list[str]]`.
Texts = func.Out[List[str]]  # noqa: UP006 - the engine refuses `list`
Handler = Callable[[func.HttpRequest], func.HttpResponse]
ConsoleHandler = Callable[[func.HttpRequest, "Caller"], func.HttpResponse]
# The engine indexes this file once: who may open the console must be known by then.
console_settings = ConsoleSettings.from_mapping(os.environ)


@functools.cache
def _runtime() -> "Runtime":
    from shared.runtime import build

    # Logged first in each process, except by the webhook, which has no time for the exporters.
    log.info("app.started %s", version.line())
    return build(os.environ)


def runtime() -> "Runtime":
    """This process's components, built once, at the first message."""
    telemetry.ready()
    # The cache alone would build one for each of the first messages if they arrive together.
    with _building:
        return _runtime()


def new_id() -> str:
    """An id for a message; it need not be secret."""
    # Not uuid4: it yields to other threads on every id, a hundred times for a hundred messages.
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def plain(answer: graph_notifications.Answer) -> func.HttpResponse:
    # A handshake echoes what the caller sent: no browser may render it as a page.
    headers = {"X-Content-Type-Options": "nosniff"}
    return func.HttpResponse(
        answer.text, status_code=answer.status, mimetype="text/plain", headers=headers
    )


@app.route(route="notifications", methods=["POST"])
@app.queue_output(arg_name="sync", queue_name="photo-sync", connection=STORAGE)
@app.queue_output(arg_name="upkeep", queue_name="photo-upkeep", connection=STORAGE)
def notifications(req: func.HttpRequest, sync: Texts, upkeep: Texts) -> func.HttpResponse:
    """Store change notifications from Microsoft Graph, then answer 202. Makes no outgoing call."""
    token = req.params.get("validationToken")
    if token is not None:
        return plain(graph_notifications.handshake(token))
    accepted = graph_notifications.accept(
        req.get_body(),
        WebhookSettings.from_mapping(os.environ),
        now=datetime.now(UTC),
        new_id=new_id,
    )
    if isinstance(accepted, graph_notifications.Answer):
        return plain(accepted)
    if graph_notifications.NO_CLIENT_STATE in accepted.ignored:
        log.error('notifications.rejected why="set CLIENT_STATE; without it, none is trusted"')
    if graph_notifications.FOREIGN_TENANT in accepted.ignored:
        log.error(
            'notifications.ignored why="clientState matches, the tenant does not: check TENANT_ID"'
        )
    if accepted.sync:
        sync.set(accepted.sync)
    if accepted.upkeep:
        upkeep.set(accepted.upkeep)
    ignored = "".join(f" ignored.{why}={n}" for why, n in sorted(accepted.ignored.items()))
    log.info(
        "notifications.accepted users=%d lifecycle=%d%s",
        accepted.users,
        accepted.events,
        ignored,
    )
    return func.HttpResponse(status_code=202)


@app.queue_trigger(arg_name="message", queue_name="photo-sync", connection=STORAGE)
def sync_photo(message: func.QueueMessage) -> None:
    """Bring one user's SharePoint picture up to date."""
    redelivered = (message.dequeue_count or 0) > 1
    runtime().worker.process(
        message.get_body(), redelivered=redelivered, message_id=message.id or ""
    )


@app.queue_trigger(arg_name="message", queue_name="photo-upkeep", connection=STORAGE)
def upkeep(message: func.QueueMessage) -> None:
    """Process one message: renew the subscription, split a bundle, sweep, audit and so on."""
    redelivered = (message.dequeue_count or 0) > 1
    runtime().upkeep.process(
        message.get_body(), redelivered=redelivered, message_id=message.id or ""
    )


@app.timer_trigger(arg_name="timer", schedule="%RENEW_SCHEDULE%")
@app.queue_output(arg_name="order", queue_name="photo-upkeep", connection=STORAGE)
def renew_timer(timer: func.TimerRequest, order: func.Out[str]) -> None:
    """Twice a day, ask for a check of the subscription."""
    order.set(UpkeepMessage(RENEW, by=OURS).to_json())


@app.timer_trigger(arg_name="timer", schedule="%SWEEP_SCHEDULE%")
@app.queue_output(arg_name="orders", queue_name="photo-upkeep", connection=STORAGE)
def sweep_timer(timer: func.TimerRequest, orders: Texts) -> None:
    """Every hour, ask for a sweep, and for the audit pages that are due."""
    orders.set([UpkeepMessage(kind, by=OURS).to_json() for kind in (SWEEP, AUDIT)])


@app.timer_trigger(arg_name="timer", schedule="0 */5 * * * *")
def park_timer(timer: func.TimerRequest) -> None:
    """Record the messages that the host gave up on, so that an admin sees and can replay them."""
    runtime().parking.empty()


def console() -> "Console":
    """The console of this process. Raises SettingsError if settings are wrong."""
    found = runtime().console
    if isinstance(found, SettingsError):
        # A new instance: one raised again collects tracebacks, which keep every request alive.
        raise SettingsError(str(found))
    return found


def response(answer: answers.ConsoleAnswer) -> func.HttpResponse:
    return func.HttpResponse(
        answer.body, status_code=answer.status, mimetype=answer.media_type, headers=answer.headers
    )


def authorized(
    handler: ConsoleHandler,
    req: func.HttpRequest,
    authenticate: Callable[[], "Caller"],
    *,
    orders: bool,
) -> func.HttpResponse:
    """The answer of *handler*, if the caller is allowed to ask."""
    from shared.console import access

    try:
        caller = authenticate()
        if orders:
            access.must_order(caller, req.headers)
    except PhotoSyncError as error:
        return response(answers.refuse(error))
    return handler(req, caller)


def console_route(path: str, *, orders: bool = False) -> Callable[[ConsoleHandler], ConsoleHandler]:
    """
    Register a function of the console under *path*: a query, or with *orders* an order.

    The host asks for a key or lets everybody through to sign in, never both on one route
    (functions.md section Sign-in). So if both may open the console, keys have routes of their own.
    """

    def register(handler: ConsoleHandler) -> ConsoleHandler:
        def by_key(req: func.HttpRequest) -> func.HttpResponse:
            from shared.console import access

            return authorized(handler, req, access.by_key, orders=orders)

        def signed_in(req: func.HttpRequest) -> func.HttpResponse:
            from shared.console import access

            def authenticate() -> "Caller":
                return access.signed_in(req.headers, console_settings)

            return authorized(handler, req, authenticate, orders=orders)

        def add(name: str, route: str, function: Handler, level: func.AuthLevel) -> None:
            methods = ["POST" if orders else "GET"]
            builder = app.route(route=route, methods=methods, auth_level=level)(function)
            app.function_name(name)(builder)

        name = handler.__name__
        if not console_settings.signs_in:
            add(name, f"console/{path}", by_key, func.AuthLevel.FUNCTION)
            return handler
        add(name, f"console/{path}", signed_in, func.AuthLevel.ANONYMOUS)
        if console_settings.takes_keys:
            add(f"{name}_by_key", f"keyed/{path}", by_key, func.AuthLevel.FUNCTION)
        return handler

    return register


@app.route(route="console", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_page(req: func.HttpRequest) -> func.HttpResponse:
    """The page; it holds no data and asks for the key, or for a sign-in."""
    from shared.console.page import page

    html, headers = page.page(sign_in=console_settings.signs_in)
    return func.HttpResponse(html, mimetype="text/html", headers=headers)


@console_route("me")
def console_me(req: func.HttpRequest, caller: "Caller") -> func.HttpResponse:
    """Who the caller is, and what they may do."""
    return response(answers.as_json(caller.to_fields))


@console_route("overview")
def console_overview(req: func.HttpRequest, caller: "Caller") -> func.HttpResponse:
    """Everything at a glance."""
    return response(answers.as_json(lambda: console().overview()))


@console_route("users")
def console_users(req: func.HttpRequest, caller: "Caller") -> func.HttpResponse:
    """Search users."""
    return response(answers.as_json(lambda: console().users(req.params)))


@console_route("users/{user}")
def console_user(req: func.HttpRequest, caller: "Caller") -> func.HttpResponse:
    """One user, on both sides."""
    user = req.route_params["user"]
    return response(answers.as_json(lambda: console().user(user, req.params)))


@console_route("users/{user}/photo/{side}")
def console_photo(req: func.HttpRequest, caller: "Caller") -> func.HttpResponse:
    """The picture of a user on one side."""
    named = req.route_params
    return response(
        answers.as_picture(lambda: console().photo(named["user"], named["side"], req.params))
    )


@console_route("users/{user}/replay", orders=True)
def console_replay(req: func.HttpRequest, caller: "Caller") -> func.HttpResponse:
    """Queue one user again."""
    user = req.route_params["user"]
    return ordered(req, lambda order: console().orders.replay(user, order, by=caller.signature))


@console_route("sweep", orders=True)
def console_sweep(req: func.HttpRequest, caller: "Caller") -> func.HttpResponse:
    """Queue a sweep or a renewal, or release the removals that the brake holds back."""
    return ordered(req, lambda order: console().orders.sweep(order, by=caller.signature))


@console_route("audit", orders=True)
def console_audit(req: func.HttpRequest, caller: "Caller") -> func.HttpResponse:
    """Audit everybody now, or release the repairs that the brake holds back."""
    return ordered(req, lambda order: console().orders.audit(order, by=caller.signature))


@console_route("dismiss", orders=True)
def console_dismiss(req: func.HttpRequest, caller: "Caller") -> func.HttpResponse:
    """Dismiss lines of the overview that somebody has dealt with."""
    return ordered(req, lambda order: console().orders.dismiss(order, by=caller.signature))


@console_route("uninstall", orders=True)
def console_uninstall(req: func.HttpRequest, caller: "Caller") -> func.HttpResponse:
    """Uninstall PhotoSync, or cancel that."""
    return ordered(req, lambda order: console().orders.uninstall(order, by=caller.signature))


def ordered(
    req: func.HttpRequest, carry_out: Callable[[dict[str, Any]], Mapping[str, Any]]
) -> func.HttpResponse:
    """The result of the order in the body of *req*."""
    return response(
        answers.as_json(lambda: carry_out(answers.order(req.params, req.get_body())), status=202)
    )


@console_route("history")
def console_history(req: func.HttpRequest, caller: "Caller") -> func.HttpResponse:
    """Who ordered what, newest first."""
    return response(answers.as_json(lambda: console().history(req.params)))


def doctor() -> "Doctor":
    """The doctor of this process, which answers even if the settings are wrong."""
    try:
        return runtime().doctor
    except SettingsError as error:
        from shared.doctor.doctor import Doctor, unopened

        return Doctor(unopened(error), None, clock=lambda: datetime.now(UTC))


@console_route("doctor")
def console_doctor(req: func.HttpRequest, caller: "Caller") -> func.HttpResponse:
    """What is wrong with the app and its surroundings, and what to do."""
    return response(answers.as_json(lambda: doctor().examine()))


@app.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:
    """Say only that the app runs, and which version: no secret, no call."""
    # It must start with "ok": some probes check for that.
    return func.HttpResponse(f"ok {version.VERSION}", mimetype="text/plain")
