"""
A Log Analytics workspace on this machine: the tables of Application Insights, and queries.

duckdb-kql runs the queries: it translates them for DuckDB and refuses what it does not know.
Microsoft's own parser (folder kusto) checks them. Neither knows the product.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import duckdb_kql

from local.cloud.node import find_node, install_packages
from tests import REPO
from tests.shared.telemetry.receivers import Envelope

QUERIES = REPO / "infra" / "queries"
NAMES = sorted(path.stem for path in QUERIES.glob("*.kql"))
# How the host names a request to the webhook: with and without OpenTelemetry, with and without a
# slash (functions.md section Telemetry).
WEBHOOK = ["notifications", "POST api/notifications", "POST /api/notifications"]
_KUSTO = Path(__file__).with_name("kusto")

# learn.microsoft.com/azure/azure-monitor/reference/tables/apptraces and its neighbours: the columns
# that our queries may use.
_COMMON = {
    "TimeGenerated": "datetime",
    "AppRoleName": "string",
    "_ResourceId": "string",
    "Properties": "dynamic",
    "ItemCount": "int",
}
_TRACES = {"Message": "string", "SeverityLevel": "int", "OperationId": "string"}
_METRICS = {"Name": "string", "Sum": "real", "Min": "real", "Max": "real"}
_REQUESTS = {
    "Name": "string",
    "Url": "string",
    "Success": "bool",
    "ResultCode": "string",
    "DurationMs": "real",
}
TABLES = {
    "AppTraces": _COMMON | _TRACES,
    "AppMetrics": _COMMON | _METRICS,
    "AppRequests": _COMMON | _REQUESTS,
}
_DUCKDB = {
    "datetime": "TIMESTAMP",
    "string": "VARCHAR",
    "int": "INTEGER",
    "real": "DOUBLE",
    "bool": "BOOLEAN",
    "dynamic": "JSON",
}


class Workspace:
    """Tables that are empty at first."""

    def __init__(self) -> None:
        self._database = duckdb.connect()
        self._database.execute("SET TimeZone = 'UTC'")
        for table, columns in TABLES.items():
            declared = ", ".join(f'"{name}" {_DUCKDB[kind]}' for name, kind in columns.items())
            self._database.execute(f"CREATE TABLE {table} ({declared})")

    def put(self, table: str, **row: Any) -> None:
        """Add one row; columns that are not given are empty."""
        moment = row.pop("TimeGenerated", None) or datetime.now(UTC)
        cells = {**row, "TimeGenerated": moment.astimezone(UTC).replace(tzinfo=None)}
        values = [
            json.dumps(cells[name]) if kind == "dynamic" and name in cells else cells.get(name)
            for name, kind in TABLES[table].items()
        ]
        marks = ", ".join("?" * len(values))
        self._database.execute(f"INSERT INTO {table} VALUES ({marks})", values)

    def log(self, line: str, *, ago: timedelta = timedelta(), level: int = 1) -> None:
        """Add a line of the app's log."""
        moment = datetime.now(UTC) - ago
        self.put("AppTraces", Message=line, SeverityLevel=level, TimeGenerated=moment)

    def ingest(self, envelopes: Iterable[Envelope], *, ago: timedelta = timedelta()) -> None:
        """Add what Application Insights received, as if it were sent *ago* earlier."""
        for envelope in envelopes:
            data = envelope["data"]["baseData"]
            common = {
                "TimeGenerated": datetime.fromisoformat(envelope["time"]) - ago,
                "AppRoleName": envelope["tags"]["ai.cloud.role"],
                "Properties": data["properties"],
            }
            if envelope["data"]["baseType"] == "MessageData":
                line = {"Message": data["message"], "SeverityLevel": data["severityLevel"]}
                self.put("AppTraces", **common, **line)
            else:
                [point] = data["metrics"]
                least, most = point.get("min"), point.get("max")
                self.put(
                    "AppMetrics",
                    **common,
                    Name=point["name"],
                    Sum=point["value"],
                    ItemCount=point["count"],
                    Min=least,
                    Max=most,
                )

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The rows that *query* finds."""
        found = duckdb_kql.kql(self._database, query)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def query(name: str) -> str:
    return (QUERIES / f"{name}.kql").read_text("utf-8")


def evaluated_by_microsoft(queries: Mapping[str, str]) -> dict[str, dict[str, list[str]]]:
    """`faults` and result `columns` of each query, by Microsoft's parser. Raises NoNode."""
    node = find_node()
    install_packages(_KUSTO, node)
    tables = {
        table: "(" + ", ".join(f"{name}: {kind}" for name, kind in columns.items()) + ")"
        for table, columns in TABLES.items()
    }
    done = subprocess.run(
        [node, _KUSTO / "check.js"],
        input=json.dumps({"tables": tables, "queries": queries}),
        capture_output=True,
        text=True,
        check=True,
    )
    answers: dict[str, dict[str, list[str]]] = json.loads(done.stdout)
    return answers
