"""Makes the product log rare events, with its own code."""

from __future__ import annotations

import pytest

from shared.errors import AccessDenied, ServiceDown
from shared.orders.order import REPLAY, Order
from shared.signature import KEY, Signature
from shared.subscription.keeper import LIFE
from shared.telemetry.telemetry import COLLECTOR, SWITCH, Telemetry
from tests.doubles.memory_lines import in_memory
from tests.doubles.office import Office, failing
from tests.shared.auditing.auditing_alone import Auditing
from tests.shared.copying.runs import OLD, message
from tests.shared.subscription.deployment import Deployment
from tests.shared.sweeping.sweeping_alone import Sweeping, result
from tests.shared.test_misconfigured import Desk
from tests.shared.upkeep.test_upkeep import Office as UpkeepOffice
from tests.shared.webhook.notifying import item
from tests.test_function_app import Posted, body


def subscription() -> None:
    """A subscription is created, kept, and renewed after more than half its life."""
    here = Deployment()
    here.keep()
    here.keep()
    here.clock.advance(LIFE * 0.6)
    here.keep()


def failed_sweep() -> None:
    """A sweep that cannot continue."""
    sweeping = Sweeping(result())
    sweeping.sweep.start()
    sweeping.sweep.fail(sweeping.log.id, "No role.")


def audits() -> None:
    """An audit that holds repairs back, and one that cannot continue."""
    braked = Auditing(30, size=30)
    braked.damage(*range(30))
    braked.audit.order(repair=True)
    braked.process()
    failed = Auditing(1)
    failed.audit.fail(failed.audit.order(repair=True).id, "No role.")


def wrong_settings() -> None:
    """Messages that arrive while settings are wrong."""
    desk = Desk()
    desk.worker.process(b"anne@contoso.com")
    desk.upkeep.park(b"sweep")
    # Tests run without CLIENT_STATE.
    Posted(body(item()))


def crashes() -> None:
    """A bug, in a run and in upkeep."""
    office = Office()
    office.exchange.upload(OLD)
    office.sharepoint.plan_error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        office.process()
    upkeep = UpkeepOffice()
    # No fault of a service makes the product's own code crash.
    upkeep.sweeps.start = failing(ZeroDivisionError())  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        upkeep.upkeep.process(b"sweep")


def upkeep_without_rights() -> None:
    """Upkeep that needs a person's help."""
    office = UpkeepOffice()
    office.here.graph.error = AccessDenied("Consent is missing.")
    office.upkeep.process(b"renew")


def unwritten_order() -> None:
    """An order whose end cannot be written to the log of orders."""
    office = Office()
    office.exchange.upload(OLD)
    file = in_memory(office.clock, office.lines).give(Order(REPLAY, Signature(KEY), "c-1"))
    office.lines.error = ServiceDown("Down.")
    office.process(message(orderedIn=file))


def unwatched() -> None:
    """Telemetry that cannot be sent."""
    load = failing(ImportError(name="opentelemetry.exporter"))
    Telemetry({SWITCH: "true", COLLECTOR: "http://localhost"}, load=load).ready()


RARE = (
    subscription,
    failed_sweep,
    audits,
    wrong_settings,
    crashes,
    upkeep_without_rights,
    unwritten_order,
    unwatched,
)
