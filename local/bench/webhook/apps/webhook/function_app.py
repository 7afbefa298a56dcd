"""The product's functions, and besides its webhook an empty one with the same bindings."""

import runpy
from pathlib import Path
from typing import List  # noqa: UP035 - the engine refuses `list`

import azure.functions as func

# Under another name: for the engine, this file is function_app.
_FILE = Path(__file__).resolve().parents[5] / "function_app.py"
app: func.FunctionApp = runpy.run_path(str(_FILE), run_name="product_functions")["app"]
STORAGE = "AzureWebJobsStorage"
Texts = func.Out[List[str]]  # noqa: UP006 - the engine refuses `list`


@app.route(route="empty", methods=["POST"])
@app.queue_output(arg_name="sync", queue_name="photo-sync", connection=STORAGE)
@app.queue_output(arg_name="upkeep", queue_name="photo-upkeep", connection=STORAGE)
def empty(req: func.HttpRequest, sync: Texts, upkeep: Texts) -> func.HttpResponse:
    """Accept everything, and do nothing."""
    return func.HttpResponse(status_code=202)
