"""The product's functions, and besides its webhook an empty one with the same bindings."""

import importlib.util
import sys
from pathlib import Path
from typing import List  # noqa: UP035 - the engine refuses `list`

import azure.functions as func

# Under another name: for the engine, this file is function_app.
_FILE = Path(__file__).resolve().parents[5] / "function_app.py"
_spec = importlib.util.spec_from_file_location("product_functions", _FILE)
assert _spec is not None
assert _spec.loader is not None
product = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = product
_spec.loader.exec_module(product)

app: func.FunctionApp = product.app
STORAGE = "AzureWebJobsStorage"
Texts = func.Out[List[str]]  # noqa: UP006 - the engine refuses `list`


@app.route(route="empty", methods=["POST"])
@app.queue_output(arg_name="sync", queue_name="photo-sync", connection=STORAGE)
@app.queue_output(arg_name="upkeep", queue_name="photo-upkeep", connection=STORAGE)
def empty(req: func.HttpRequest, sync: Texts, upkeep: Texts) -> func.HttpResponse:
    """Accept everything, and do nothing."""
    return func.HttpResponse(status_code=202)
