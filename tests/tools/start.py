"""
Starts an unpacked package with the engine, as Azure would, and prints the result as JSON.

Run by a clean Python: `start.py ENGINE APP`. ENGINE is a folder with the engine's driver and, if
the package's requirements do not include it, the engine itself; APP is the unpacked package.
"""

import asyncio
import importlib
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

TOKEN = "Validation: Testing client application reachability / RequestId: 1 + ä"


async def start(app: Path) -> dict[str, Any]:
    """Index the app, shake hands with it, and import every module it has."""
    from local.host.engine import Datum, Engine

    engine = Engine()
    functions = {one.name: one for one in await engine.load(app)}
    notifications = functions["notifications"]
    trigger = next(one for one in notifications.bindings if one["type"] == "httpTrigger")
    fields = {
        "method": Datum("POST", "string"),
        "url": Datum("https://localhost/api/notifications", "string"),
        "headers": {},
        "params": {},
        "query": {"validationToken": Datum(TOKEN, "string")},
        "body": Datum(b"", "bytes"),
    }
    inputs = [(trigger["name"], Datum(fields, "http"))]
    result = await engine.invoke("1", notifications.id, inputs, {}, "")
    answer = result.returned.value
    for module in sorted((app / "shared").rglob("*.py")):
        importlib.import_module(".".join(module.relative_to(app).with_suffix("").parts))
    return {
        "functions": sorted(functions),
        "error": result.error,
        "status": answer["status_code"].value,
        "type": answer["headers"]["content-type"].value,
        "body": answer["body"].value.decode(),
        "engine": version("azure-functions-runtime"),
        "files": _files(),
    }


def _files() -> list[str]:
    """Return the files of all modules that this process has loaded, but not this one."""
    others = (module for name, module in sys.modules.items() if name != "__main__")
    found = (getattr(module, "__file__", None) for module in others)
    return sorted({os.path.realpath(file) for file in found if file})


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    sys.stdout.write(json.dumps(asyncio.run(start(Path(sys.argv[2])))))
