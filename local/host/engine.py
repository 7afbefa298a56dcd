"""
The engine that Azure runs for Python functions, as it runs in a worker process.

azure-functions-runtime indexes and executes the app. It expects protobuf classes from its caller,
but only builds and reads plain records, so small duck-typed classes replace them (measured on 1.3.0
with Python 3.11 and 3.13; facts/functions.md, "Running the app").
"""

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime
from azure_functions_runtime import invocation_id_cv, native_invocation
from azure_functions_runtime.bindings.datumdef import Datum

from local.host.protocol import IndexedFunction, Result
from local.host.refusal import Refused

__all__ = ["Datum", "Engine", "Result", "running_invocation"]


class _Record(SimpleNamespace):
    """Accepts any keyword arguments, like a protobuf message class."""


class _StatusResult(_Record):
    Failure = 0
    Success = 1


# The direction numbers of the worker's protocol; azure.functions uses the same. `in` is a keyword,
# so this cannot be a class statement.
_BindingInfo = type("BindingInfo", (_Record,), {"in": 0, "out": 1, "inout": 2, "undefined": 0})

_PROTOS = SimpleNamespace(
    BindingInfo=_BindingInfo,
    FunctionMetadataResponse=_Record,
    RpcException=_Record,
    RpcFunctionMetadata=_Record,
    RpcRetryOptions=_Record,
    StatusResult=_StatusResult,
    WorkerInitResponse=_Record,
    WorkerMetadata=_Record,
)


def running_invocation() -> str:
    """The id of the current invocation, or an empty text."""
    return invocation_id_cv.get() or ""


class Engine:
    """Runs the functions of one app; only one per process, because the engine is global."""

    async def load(self, app: Path) -> list[IndexedFunction]:
        """
        Import function_app.py of *app* as Azure does and return its functions, or refuse the app.
        """
        if not (app / "function_app.py").exists():
            raise Refused(f"function_app.py is missing in {app}")
        sys.path.insert(0, str(app))
        os.chdir(app)
        runtime.start_threadpool_executor()
        init = SimpleNamespace(capabilities={}, function_app_directory=str(app))
        request = SimpleNamespace(
            request=SimpleNamespace(worker_init_request=init),
            properties={"host": "127.0.0.1", "protos": _PROTOS},
        )
        response = await runtime.worker_init_request(request)
        if response.result.status != _StatusResult.Success:
            problem = response.result.exception
            print(problem.stack_trace, file=sys.stderr)
            raise Refused(f"function_app.py could not be loaded: {problem.message}")
        metadata = await runtime.functions_metadata_request(request)
        return [_indexed(found) for found in metadata.function_metadata_results or ()]

    async def invoke(
        self,
        invocation_id: str,
        function_id: str,
        inputs: list[tuple[str, Any]],
        metadata: dict[str, Any],
        traceparent: str,
    ) -> Result:
        """Run one function to its end; any exception becomes a Result that is not ok."""
        ok, returned, outputs, error, _ = await native_invocation.invocation_request_native(
            invocation_id, function_id, inputs, metadata, trace_parent=traceparent
        )
        return Result(ok=ok, returned=returned, outputs=tuple(outputs), error=error or "")


def _indexed(found: Any) -> IndexedFunction:
    bindings = tuple(json.loads(raw) for raw in found.raw_bindings)
    return IndexedFunction(name=found.name, id=found.function_id, bindings=bindings)
