"""Turns raw bindings into functions that can be served, or refuses, naming the function."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from local.host import routes, schedule, storage
from local.host.protocol import IndexedFunction
from local.host.refusal import Refused, switched_off
from local.host.settings import connection_string, disabled, expand

# Documented: Azure/azure-functions-host, WebJobs.Script/Utility.cs.
_FUNCTION_NAME = re.compile(r"[a-z][a-z0-9_\-]{0,127}", re.IGNORECASE)
# Documented: FunctionDescriptorProvider.cs of the same repository: no underscore.
_BINDING_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9]{0,127}|\$return")
# Documented: naming queues and metadata, Azure Storage.
_QUEUE_NAME = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")
# Documented: ScriptHost.ValidateHttpFunction, a plain prefix test: "administrators" matches too.
_RESERVED = ("admin", "runtime")
_KNOWN = ("httpTrigger", "http", "queueTrigger", "queue", "timerTrigger")


@dataclass(frozen=True)
class HttpTrigger:
    parameter: str
    template: routes.Template
    route: str
    methods: frozenset[str]  # empty: every method
    level: str


@dataclass(frozen=True)
class QueueTrigger:
    parameter: str
    queue: str
    connection: str


@dataclass(frozen=True)
class TimerTrigger:
    parameter: str
    schedule: schedule.Schedule
    run_on_startup: bool
    monitored: bool  # whether the function gets its last and next occurrence


@dataclass(frozen=True)
class QueueOutput:
    parameter: str
    queue: str
    connection: str


@dataclass(frozen=True)
class Function:
    """One function that the host can run."""

    name: str
    id: str
    trigger: HttpTrigger | QueueTrigger | TimerTrigger
    outputs: tuple[QueueOutput, ...]
    disabled: bool


def read_functions(
    indexed: Iterable[IndexedFunction], settings: Mapping[str, str], *, bundle: bool
) -> list[Function]:
    """
    Check all functions by the real host's rules.

    The first violation refuses the whole app, and the sentence says if the real host would
    continue.

    *bundle*: host.json names an extension bundle, without which queue bindings do not exist.
    """
    functions = [_Reader(found, settings, bundle=bundle).read() for found in indexed]
    if not functions:
        raise Refused("0 functions found in function_app.py")
    seen: dict[str, Function] = {}
    for function in functions:
        if function.name.lower() in seen:
            raise Refused(
                f"Function '{function.name}': the name is used twice; the real host would run none"
            )
        for other in seen.values():
            _refuse_conflict(function, other)
        seen[function.name.lower()] = function
    return functions


def _refuse_conflict(one: Function, other: Function) -> None:
    """
    Refuse two functions that claim the same route and method.

    Documented: ScriptHost.HttpRoutesConflict: no methods means all methods; only equal routes.
    """
    first, second = one.trigger, other.trigger
    if not isinstance(first, HttpTrigger) or not isinstance(second, HttpTrigger):
        return
    if first.route.lower() != second.route.lower():
        return
    if not first.methods or not second.methods or first.methods & second.methods:
        raise switched_off(one.name, f"its route is the route of '{other.name}'")


class _Reader:
    """Reads the bindings of one function."""

    def __init__(
        self, found: IndexedFunction, settings: Mapping[str, str], *, bundle: bool
    ) -> None:
        self.bundle = bundle
        self.found = found
        self.name = found.name
        self.settings = settings

    def read(self) -> Function:
        if not _FUNCTION_NAME.fullmatch(self.name) or self.name.lower() == "host":
            self._refuse("the name is not allowed")
        for binding in self.found.bindings:
            self._check(binding)
        triggers = [b for b in self.found.bindings if b["type"].endswith("Trigger")]
        if len(triggers) != 1:
            self._refuse(f"a function has one trigger, not {len(triggers)}")
        return Function(
            name=self.name,
            id=self.found.id,
            trigger=self._trigger(triggers[0]),
            outputs=tuple(self._output(b) for b in self.found.bindings if b["type"] == "queue"),
            disabled=disabled(self.name, self.settings),
        )

    def _check(self, binding: Mapping[str, Any]) -> None:
        name, kind = str(binding.get("name")), binding.get("type")
        if kind not in _KNOWN:
            raise Refused(
                f"Function '{self.name}': the local host does not support bindings of type "
                f"{kind!r}; the real one may"
            )
        if kind in ("queueTrigger", "queue") and not self.bundle:
            self._refuse(f"a {kind} binding needs the extensionBundle in host.json")
        if not _BINDING_NAME.fullmatch(name):
            self._refuse(f"the binding name {name!r} is invalid: letters and digits only")
        direction = "IN" if str(kind).endswith("Trigger") else "OUT"
        if binding.get("direction") != direction:
            self._refuse(f"the binding {name!r} must have the direction {direction}")

    def _trigger(self, binding: Mapping[str, Any]) -> HttpTrigger | QueueTrigger | TimerTrigger:
        if binding["type"] == "httpTrigger":
            return self._http(binding)
        if binding["type"] == "queueTrigger":
            return QueueTrigger(
                binding["name"], self._queue_name(binding), self._connection(binding)
            )
        return self._timer(binding)

    def _http(self, binding: Mapping[str, Any]) -> HttpTrigger:
        # Documented: without a route, the function's name is the route.
        route = (binding.get("route") or self.name).strip("/")
        if route.lower().startswith(_RESERVED):
            self._refuse(f"the route {route!r} is reserved: it begins with admin or runtime")
        try:
            template = routes.parse(route)
        except routes.BadRoute as error:
            raise Refused(f"Function '{self.name}': the route {route!r}: {error}") from error
        return HttpTrigger(
            parameter=binding["name"],
            template=template,
            route=route,
            methods=frozenset(method.upper() for method in binding.get("methods") or ()),
            level=str(binding.get("authLevel") or "function").lower(),
        )

    def _timer(self, binding: Mapping[str, Any]) -> TimerTrigger:
        expression = expand(str(binding.get("schedule", "")), self.settings, self.name)
        try:
            parsed = schedule.parse(expression)
        except schedule.BadSchedule as error:
            self._refuse(f"bad schedule {expression!r}: {error}", error)
        return TimerTrigger(
            binding["name"],
            parsed,
            run_on_startup=bool(binding.get("runOnStartup")),
            # Documented: TimerSchedule.ShouldDisableScheduleMonitor.
            monitored=binding.get("useMonitor") is not False and not parsed.within_minutes,
        )

    def _output(self, binding: Mapping[str, Any]) -> QueueOutput:
        return QueueOutput(binding["name"], self._queue_name(binding), self._connection(binding))

    def _queue_name(self, binding: Mapping[str, Any]) -> str:
        # Documented: the extension converts the name to lower case first (QueueTrigger binding).
        name = expand(str(binding.get("queueName", "")), self.settings, self.name).lower()
        if not _QUEUE_NAME.fullmatch(name) or not 3 <= len(name) <= 63:
            self._refuse(f"{name!r} is not a queue name")
        return name

    def _connection(self, binding: Mapping[str, Any]) -> str:
        name = binding.get("connection") or "AzureWebJobsStorage"
        connection = connection_string(name, self.settings, self.name)
        try:
            storage.client(connection, "any-queue")
        except ValueError as error:
            # Not the text of the error, which might quote the key.
            self._refuse(f"the setting {name} is not a storage connection string", error)
        return connection

    def _refuse(self, reason: str, cause: Exception | None = None) -> NoReturn:
        raise switched_off(self.name, reason) from cause
