"""
Every trigger and binding of the function app. A handler parses, calls one function and answers.

Nothing heavy is imported at the top: the webhook must answer within Graph's three seconds even
when this process has just been started, and a failure here would show only as "0 functions found".
"""

import functools
import logging
import os
import threading
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, List  # noqa: UP035 - see Texts

import azure.functions as func

from shared import notifications as graph_notifications
from shared.settings import WebhookSettings

if TYPE_CHECKING:
    from shared.runtime import Runtime

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
log = logging.getLogger("photosync")
STORAGE = "AzureWebJobsStorage"
_building = threading.Lock()
# The engine knows generic types of `typing` only and refuses to load `func.Out[list[str]]`.
Texts = func.Out[List[str]]  # noqa: UP006


@functools.cache
def _runtime() -> "Runtime":
    from shared.runtime import build

    return build(os.environ)


def runtime() -> "Runtime":
    """What works in this process, built once, at the first message."""
    # The cache alone would build one for each of the messages that arrive first, all at once.
    with _building:
        return _runtime()


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
        new_id=lambda: str(uuid.uuid4()),
    )
    if isinstance(accepted, graph_notifications.Answer):
        return plain(accepted)
    if graph_notifications.NO_CLIENT_STATE in accepted.ignored:
        log.error("notifications.rejected: set CLIENT_STATE; without it no notification is trusted")
    if graph_notifications.FOREIGN_TENANT in accepted.ignored:
        log.error("notifications.ignored: the tenant is not ours though clientState is; TENANT_ID?")
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
    runtime().worker.work_off(message.get_body())


@app.queue_trigger(arg_name="message", queue_name="photo-sync-poison", connection=STORAGE)
def park_poison(message: func.QueueMessage) -> None:
    """Record a message that the host gave up on, so that an admin sees and can replay it."""
    runtime().worker.park(message.get_body())


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
@app.queue_output(arg_name="order", queue_name="photo-upkeep", connection=STORAGE)
def sweep_timer(timer: func.TimerRequest, order: func.Out[str]) -> None:
    """Ask every hour for a sweep."""
    order.set("sweep")


@app.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:
    """Say only that the app runs: for probes, without a secret and without a call."""
    return func.HttpResponse("ok", mimetype="text/plain")
