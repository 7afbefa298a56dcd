"""The smallest app that answers Graph: the webhook's bindings without any code of ours."""

from typing import List  # noqa: UP035 - the engine refuses `list`

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
STORAGE = "AzureWebJobsStorage"
Texts = func.Out[List[str]]  # noqa: UP006 - the engine refuses `list`


@app.route(route="notifications", methods=["POST"])
@app.queue_output(arg_name="sync", queue_name="photo-sync", connection=STORAGE)
@app.queue_output(arg_name="upkeep", queue_name="photo-upkeep", connection=STORAGE)
def notifications(req: func.HttpRequest, sync: Texts, upkeep: Texts) -> func.HttpResponse:
    """Answer a handshake, and accept everything else."""
    token = req.params.get("validationToken")
    return func.HttpResponse(token, status_code=200 if token else 202, mimetype="text/plain")
