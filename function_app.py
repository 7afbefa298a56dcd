"""
Every trigger and binding of the function app. A handler parses, calls one function and answers.

Nothing heavy is imported at the top: the webhook must answer within Graph's three seconds even
when this process has just been started, and a failure here would show only as "0 functions found".
"""

import functools
import logging
import os
import random
import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, List  # noqa: UP035 - the engine refuses `list`

import azure.functions as func

from shared import version
from shared.console import answers
from shared.errors import SettingsError
from shared.settings.webhook import WebhookSettings
from shared.signature import KEY, Signature
from shared.telemetry.telemetry import Send, Telemetry
from shared.webhook import notifications as graph_notifications

if TYPE_CHECKING:
    from shared.console.api import Console
    from shared.doctor.doctor import Doctor
    from shared.runtime import Runtime

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
log = logging.getLogger("photosync")


def exporters(env: Mapping[str, str]) -> Send:
    """Load and start what sends telemetry: not before the first answer (see Telemetry)."""
    from shared.telemetry.exporters import start

    return start(env)


telemetry = Telemetry(os.environ, load=exporters)
telemetry.listen(log)
STORAGE = "AzureWebJobsStorage"
_building = threading.Lock()
# The engine knows generic types of `typing` only and refuses to load `func.Out[list[str]]`.
Texts = func.Out[List[str]]  # noqa: UP006 - the engine refuses `list`


@functools.cache
def _runtime() -> "Runtime":
    from shared.runtime import build

    # The first line of each process but the webhook's, which has no time for the exporters.
    log.info("app.started %s", version.line())
    return build(os.environ)


def runtime() -> "Runtime":
    """What works in this process, built once, at the first message."""
    telemetry.ready()
    # The cache alone would build one for each of the messages that arrive first, all at once.
    with _building:
        return _runtime()


def new_id() -> str:
    """A name for a message; it is no secret."""
    # Not uuid4: asking the system for each of a hundred lets busy threads in a hundred times.
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def plain(answer: graph_notifications.Answer) -> func.HttpResponse:
    # The token of a handshake is whatever the caller sent: no browser may take it for a page.
    headers = {"X-Content-Type-Options": "nosniff"}
    return func.HttpResponse(
        answer.text, status_code=answer.status, mimetype="text/plain", headers=headers
    )


@app.route(route="notifications", methods=["POST"])
@app.queue_output(arg_name="sync", queue_name="photo-sync", connection=STORAGE)
@app.queue_output(arg_name="upkeep", queue_name="photo-upkeep", connection=STORAGE)
def notifications(req: func.HttpRequest, sync: Texts, upkeep: Texts) -> func.HttpResponse:
    """Take change notifications from Microsoft Graph: stored, then 202. It calls nobody."""
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
        log.error('notifications.rejected why="set CLIENT_STATE; without it none is trusted"')
    if graph_notifications.FOREIGN_TENANT in accepted.ignored:
        log.error('notifications.ignored why="clientState is ours, the tenant not; TENANT_ID?"')
    if accepted.sync:
        sync.set(accepted.sync)
    if accepted.upkeep:
        upkeep.set(accepted.upkeep)
    ignored = "".join(f" ignored.{why}={n}" for why, n in sorted(accepted.ignored.items()))
    log.info(
        "notifications.accepted users=%d lifecycle=%d%s",
        len(accepted.sync),
        len(accepted.upkeep),
        ignored,
    )
    return func.HttpResponse(status_code=202)


@app.queue_trigger(arg_name="message", queue_name="photo-sync", connection=STORAGE)
def sync_photo(message: func.QueueMessage) -> None:
    """Bring one user's SharePoint picture up to date."""
    redelivered = (message.dequeue_count or 0) > 1
    runtime().worker.work_off(message.get_body(), redelivered=redelivered)


@app.queue_trigger(arg_name="message", queue_name="photo-upkeep", connection=STORAGE)
def upkeep(message: func.QueueMessage) -> None:
    """Renew the subscription, or work off a piece of a sweep."""
    runtime().upkeep.work_off(message.get_body())


@app.timer_trigger(arg_name="timer", schedule="%RENEW_SCHEDULE%")
@app.queue_output(arg_name="order", queue_name="photo-upkeep", connection=STORAGE)
def renew_timer(timer: func.TimerRequest, order: func.Out[str]) -> None:
    """Ask twice a day for the subscription to be looked after."""
    order.set("renew")


@app.timer_trigger(arg_name="timer", schedule="%SWEEP_SCHEDULE%")
@app.queue_output(arg_name="orders", queue_name="photo-upkeep", connection=STORAGE)
def sweep_timer(timer: func.TimerRequest, orders: Texts) -> None:
    """Ask every hour for a sweep, and for the pages of the audit that are due by now."""
    orders.set(["sweep", "audit"])


@app.timer_trigger(arg_name="timer", schedule="0 */5 * * * *")
def park_timer(timer: func.TimerRequest) -> None:
    """Record the messages that the host gave up on, so that an admin sees and can replay them."""
    runtime().parking.empty()


def console() -> "Console":
    """The console of this process. Raises SettingsError where settings are wrong."""
    found = runtime().console
    if isinstance(found, SettingsError):
        raise found
    return found


def told(answer: answers.ConsoleAnswer) -> func.HttpResponse:
    return func.HttpResponse(
        answer.body, status_code=answer.status, mimetype=answer.media_type, headers=answers.HEADERS
    )


@app.route(route="console", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def console_page(req: func.HttpRequest) -> func.HttpResponse:
    """The page; it holds no data and asks for the key."""
    from shared.console.page import page

    html, headers = page.page()
    return func.HttpResponse(html, mimetype="text/html", headers=headers)


@app.route(route="console/overview", methods=["GET"])
def console_overview(req: func.HttpRequest) -> func.HttpResponse:
    """The whole at a glance."""
    return told(answers.tell(lambda: console().overview()))


@app.route(route="console/users", methods=["GET"])
def console_users(req: func.HttpRequest) -> func.HttpResponse:
    """Search users."""
    return told(answers.tell(lambda: console().users(req.params)))


@app.route(route="console/users/{user}", methods=["GET"])
def console_user(req: func.HttpRequest) -> func.HttpResponse:
    """One user, from both sides."""
    user = req.route_params["user"]
    return told(answers.tell(lambda: console().user(user, req.params)))


@app.route(route="console/users/{user}/photo/{side}", methods=["GET"])
def console_photo(req: func.HttpRequest) -> func.HttpResponse:
    """One side's picture of a user."""
    named = req.route_params
    return told(answers.show(lambda: console().photo(named["user"], named["side"])))


@app.route(route="console/users/{user}/replay", methods=["POST"])
def console_replay(req: func.HttpRequest) -> func.HttpResponse:
    """Queue one user again."""
    user = req.route_params["user"]
    return told(
        answers.tell(
            lambda: console().replay(user, answers.order(req.params, req.get_body())), status=202
        )
    )


@app.route(route="console/sweep", methods=["POST"])
def console_sweep(req: func.HttpRequest) -> func.HttpResponse:
    """Queue a sweep or a renewal, or release the removals that the brake holds back."""
    return told(
        answers.tell(lambda: console().sweep(answers.order(req.params, req.get_body())), status=202)
    )


@app.route(route="console/audit", methods=["POST"])
def console_audit(req: func.HttpRequest) -> func.HttpResponse:
    """Audit everybody now, or release the repairs that the brake holds back."""
    return told(
        answers.tell(lambda: console().audit(answers.order(req.params, req.get_body())), status=202)
    )


@app.route(route="console/dismiss", methods=["POST"])
def console_dismiss(req: func.HttpRequest) -> func.HttpResponse:
    """Dismiss lines of the overview that somebody has dealt with."""
    return told(
        answers.tell(
            lambda: console().dismiss(answers.order(req.params, req.get_body()), by=Signature(KEY))
        )
    )


@app.route(route="console/uninstall", methods=["POST"])
def console_uninstall(req: func.HttpRequest) -> func.HttpResponse:
    """Take PhotoSync back, or take that order back."""
    return told(
        answers.tell(
            lambda: console().uninstall(answers.order(req.params, req.get_body())), status=202
        )
    )


def doctor() -> "Doctor":
    """The doctor of this process, who can be asked whatever is wrong with the settings."""
    try:
        return runtime().doctor
    except SettingsError as error:
        from shared.doctor.doctor import Doctor, unopened

        return Doctor(unopened(error), None, clock=lambda: datetime.now(UTC))


@app.route(route="console/doctor", methods=["GET"])
def console_doctor(req: func.HttpRequest) -> func.HttpResponse:
    """What is wrong with the app and all around it, and what to do."""
    return told(answers.tell(lambda: doctor().examine()))


@app.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:
    """Say only that the app runs, and which version: without a secret and without a call."""
    # It begins as it ever did: there are probes that look for "ok".
    return func.HttpResponse(f"ok {version.VERSION}", mimetype="text/plain")
