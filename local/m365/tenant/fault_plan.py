"""Which requests are slow and which fail, repeatably by seed. Independent of any wire format."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SERVICES = ("graph", "sharepoint", "login")
# A fault here also makes Graph's handshake fail, as if the webhook had answered with it.
WEBHOOK = "webhook"
# Any 4xx or 5xx status is a kind too. 429 and 503 carry Retry-After unless the kind ends in
# "-bare"; "-html" is a page written by an intermediary.
CONNECTION_KINDS = ("reset", "timeout", "half", "lost-answer")
_STATUS = re.compile(r"[45]\d\d(-bare|-html)?")
_ANY_STATUS = re.compile(r"[2-5]\d\d(-bare)?")
_BODY_KEYS = ("code", "message", "body")
_NEXT_KEYS = ("service", "fault", "method", "path", "next", "retryAfter", "seconds", *_BODY_KEYS)
_ODDS_KEYS = ("service", "rate", "kinds", "seed", "retryAfter", "seconds")


@dataclass(frozen=True)
class Fault:
    """What happens to one request instead of, or in addition to, its answer."""

    kind: str
    retry_after: float = 1.0
    seconds: float = 30.0  # how long a `timeout` keeps the caller waiting
    draw: int = 0  # a number from the seed, to choose the form of the answer
    reason: str = ""  # for the journal, if it is not the kind
    code: str = ""  # the error body's code, if not the simulator's own
    message: str = ""
    body: str = ""  # the complete body, instead of any form


@dataclass(frozen=True)
class Latency:
    """The delay of every answer, and the jitter, of which a seeded share is added."""

    ms: float = 0.0
    jitter_ms: float = 0.0


@dataclass(frozen=True)
class Odds:
    """Random faults of one service: *rate* of all requests, each kind equally likely."""

    rate: float
    kinds: tuple[str, ...]
    seed: int = 0
    retry_after: float = 1.0
    seconds: float = 30.0


@dataclass
class NextFault:
    """A fault of the next *left* matching requests."""

    service: str
    method: str
    path: re.Pattern[str]
    left: int
    fault: Fault


@dataclass(frozen=True)
class Outcome:
    """The delay and the fault of one request."""

    delay: float
    fault: Fault | None


@dataclass
class FaultPlan:
    """
    Latency and faults of all services.

    A request's outcome depends on the seed, the service, the method, the path and how often these
    were seen, never on other requests: the same requests in another order get the same faults.
    """

    latency: dict[str, Latency] = field(default_factory=dict)
    odds: dict[str, Odds] = field(default_factory=dict)
    next_faults: list[NextFault] = field(default_factory=list)
    _seen: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def draw(self, service: str, method: str, path: str) -> Outcome:
        """Draw the delay and the fault of this request."""
        key = (service, method, path)
        self._seen[key] += 1
        odds = self.odds.get(service)
        draw = _draw(odds.seed if odds else 0, *key, self._seen[key])
        latency = self.latency.get(service, Latency())
        delay = (latency.ms + latency.jitter_ms * _share(draw[16:24])) / 1000
        next_fault = self._next_fault(service, method, path)
        if next_fault or odds is None or _share(draw[:8]) >= odds.rate:
            return Outcome(delay, next_fault)
        number = int.from_bytes(draw[8:16])
        kind = odds.kinds[number % len(odds.kinds)]
        return Outcome(delay, Fault(kind, odds.retry_after, odds.seconds, number >> 8))

    def _next_fault(self, service: str, method: str, path: str) -> Fault | None:
        for each in self.next_faults:
            named = each.service == service and each.method in ("*", method)
            if named and each.path.search(path):
                each.left -= 1
                if each.left <= 0:
                    self.next_faults.remove(each)
                return each.fault
        return None

    def set_odds(self, service: str, odds: Odds) -> None:
        """Start a new schedule for *service*, counting its requests from zero."""
        self.odds[service] = odds
        for key in [key for key in self._seen if key[0] == service]:
            del self._seen[key]

    def clear(self) -> None:
        """Remove all faults; latency stays."""
        self.odds.clear()
        self.next_faults.clear()

    def described(self) -> dict[str, Any]:
        return {
            "odds": {
                name: {
                    "rate": odds.rate,
                    "kinds": list(odds.kinds),
                    "seed": odds.seed,
                    "retryAfter": odds.retry_after,
                    "seconds": odds.seconds,
                }
                for name, odds in self.odds.items()
            },
            "next": [
                {
                    "service": each.service,
                    "method": each.method,
                    "path": each.path.pattern,
                    "next": each.left,
                    "fault": each.fault.kind,
                }
                for each in self.next_faults
            ],
        }


def _draw(seed: int, service: str, method: str, path: str, times: int) -> bytes:
    return hashlib.sha256(f"{seed}|{service}|{method}|{path}|{times}".encode()).digest()


def _share(part: bytes) -> float:
    return int.from_bytes(part) / float(1 << (8 * len(part)))


def read_latency(order: Mapping[str, Any]) -> Latency:
    only(order, "ms", "jitterMs")
    return Latency(float(order.get("ms", 0)), float(order.get("jitterMs", 0)))


def only(order: object, *known: str) -> None:
    """Raise ValueError if *order* has an unknown key, which would be ignored."""
    if not isinstance(order, Mapping):
        raise ValueError("an order is an object")
    unknown = sorted(str(key) for key in order if key not in known)
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; known: {', '.join(known) or 'nothing'}")


def apply_order(plan: FaultPlan, order: Mapping[str, Any]) -> None:
    """Apply one order of the control API to *plan*; ValueError says what is wrong with it."""
    only(order, *(_NEXT_KEYS if "fault" in order else _ODDS_KEYS))
    service = str(order.get("service", ""))
    if service not in (*SERVICES, WEBHOOK):
        raise ValueError(f"service must be one of {', '.join((*SERVICES, WEBHOOK))}")
    retry_after = float(order.get("retryAfter", 1.0))
    seconds = float(order.get("seconds", 30.0))
    if "fault" in order:
        (kind,) = _kinds([order["fault"]], any_status="body" in order)
        method = str(order.get("method", "*")).upper()
        path = re.compile(str(order.get("path", "")), re.IGNORECASE)
        times = int(order.get("next", 1))
        if times < 1:
            raise ValueError("next must be at least 1")
        given = [name for name in _BODY_KEYS if name in order]
        if given and service not in ("graph", "sharepoint"):
            raise ValueError(f"{', '.join(given)}: only for graph and sharepoint")
        code, message, body = (str(order.get(name, "")) for name in _BODY_KEYS)
        fault = Fault(kind, retry_after, seconds, code=code, message=message, body=body)
        plan.next_faults.append(NextFault(service, method, path, times, fault))
        return
    kinds = _kinds(order.get("kinds", ["429", "429-bare", "503", "500", "reset", "half"]))
    if "rate" not in order:
        raise ValueError("an order needs either fault or rate")
    rate = float(order["rate"])
    if not 0 <= rate <= 1:
        raise ValueError("rate must be between 0 and 1")
    plan.set_odds(service, Odds(rate, kinds, int(order.get("seed", 0)), retry_after, seconds))


def _kinds(raw: Sequence[Any], *, any_status: bool = False) -> tuple[str, ...]:
    kinds = tuple(str(kind) for kind in raw)
    if not kinds or isinstance(raw, str):
        raise ValueError("kinds must be a list of fault kinds")
    for kind in kinds:
        status = _ANY_STATUS if any_status else _STATUS
        if kind not in CONNECTION_KINDS and not status.fullmatch(kind):
            raise ValueError(f"no such fault: {kind}")
    return kinds
