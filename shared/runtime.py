"""Builds all objects from the settings: the composition root."""

from __future__ import annotations

import functools
import logging
import random
import uuid
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from shared import scope, stopwatch
from shared.at_once import Threads
from shared.auditing.audit import LARGEST_PAGE, Audit, Terms
from shared.auditing.audit_log import AuditLogs
from shared.auditing.checker import PictureChecker
from shared.auditing.repairs import Repairs
from shared.budget.fleet_budget import FleetBudget
from shared.budget.fleet_ledger import FOR_AUDITS
from shared.budget.tenant_limit import TenantLimit
from shared.budget.work import Kind
from shared.console.api import Console
from shared.console.card import Rules
from shared.console.comparison import PictureComparison
from shared.console.lookup import UserLookup
from shared.console.ordering import Chains, Queues
from shared.console.roster import Roster
from shared.copying.run import Policy
from shared.copying.sync import Sync
from shared.copying.worker import Worker
from shared.doctor.doctor import Doctor, unopened
from shared.doctor.microsoft365_checks import Clients, Microsoft365Checks
from shared.errors import SettingsError
from shared.graph.client import GraphClient
from shared.graph.errors import is_of_one_mailbox
from shared.graph.excluded_members import MarkedListing
from shared.graph.groups import Groups
from shared.graph.licences import Licences
from shared.graph.subscriptions import SubscriptionClient
from shared.graph.user_listing import UserListing
from shared.graph.user_search import UserSearch
from shared.messages.upkeep_message import SWEEP, UpkeepMessage
from shared.microsoft365.http import Http
from shared.microsoft365.throttle import Throttle
from shared.microsoft365.tokens import EntraTokens, PlaceholderTokens
from shared.microsoft365.warm_up import warm_up
from shared.misconfigured import NoUpkeep, NoWorker
from shared.orders.order_log import OrderLog
from shared.parking import Parking, PoisonHandler
from shared.pictures.recipe import RECIPE, Recipe
from shared.pictures.renditions import renditions
from shared.settings.app import Settings, StorageSettings
from shared.sharepoint.client import SharePointClient
from shared.sharepoint.geos import Geos
from shared.sharepoint.publisher import Publisher
from shared.signature import APP, Signature
from shared.storage.azure import UPKEEP, USERS, OpenStorage, open_storage
from shared.storage.roster_entry import COPY, REMOVAL, REPAIR
from shared.subscription.keeper import SubscriptionKeeper
from shared.sweeping.fill import Fill
from shared.sweeping.fill_log import FillLogs
from shared.sweeping.pace import Pace
from shared.sweeping.snapshot import SnapshotParts
from shared.sweeping.state_page import StateChecker
from shared.sweeping.sweep import Listing, Sweep
from shared.sweeping.sweep_log import SweepLogs
from shared.sweeping.sweep_page import PageChecker
from shared.sweeping.turns import Turns
from shared.sweeping.user_queue import UserQueue
from shared.uninstalling.halt import Halt
from shared.uninstalling.uninstall import Uninstall
from shared.uninstalling.uninstall_log import UninstallLogs
from shared.upkeep.upkeep import Upkeep

log = logging.getLogger("photosync")

# The most concurrent runs of `sync_photo`: batchSize plus newBatchThreshold in host.json.
COPIES_AT_ONCE = 20


class Runtime(NamedTuple):
    """The objects of one process; all its threads share them."""

    worker: Worker | NoWorker
    upkeep: Upkeep | NoUpkeep
    # The error instead of a console if settings are wrong.
    console: Console | SettingsError
    doctor: Doctor
    parking: Parking


def build(env: Mapping[str, str]) -> Runtime:
    """
    Build everything; no service is called before it is used.

    If settings are wrong, build stand-ins that make messages wait. Raises SettingsError if those of
    the storage account are wrong, since messages cannot wait without it.
    """
    try:
        return _working(Settings.from_mapping(env))
    except SettingsError as error:
        try:
            storage = open_storage(StorageSettings.from_mapping(env))
        except SettingsError:
            # The first error names this one too.
            raise error from None
        worker = NoWorker(error, storage.states, storage.users, clock=_now, new_id=_new_id)
        doctor = Doctor(unopened(error), storage, clock=_now)
        upkeep = NoUpkeep(error, storage.states, storage.upkeep, clock=_now, new_id=_new_id)
        return Runtime(worker, upkeep, error, doctor, _parking(storage, worker, upkeep))


def _working(settings: Settings) -> Runtime:
    tokens = EntraTokens.build(settings)
    graph_http = Http("graph", settings.graph_url, tokens, concerns_one=is_of_one_mailbox)
    # Not the pool of `Sync`: its threads wait for this one, and in a shared pool for themselves.
    graph = GraphClient(graph_http, _groups(settings), at_once=Threads(COPIES_AT_ONCE))
    storage = open_storage(settings.storage)
    budgets: list[FleetBudget] = []
    geos = _geos(settings, tokens, _budget_of(settings, storage, graph_http), budgets)
    recipe = _recipe(settings)
    publisher = Publisher(geos, settings, graph.knows_any, _now)
    sync = _sync(settings, storage, graph, publisher, recipe)
    halt = Halt(UninstallLogs(storage.documents), stopwatch.ticks)
    # Looking up a user needs no group membership.
    directory = GraphClient(graph_http)
    orders = OrderLog(storage.orders, clock=_now)
    kept = storage.states, storage.users, halt, orders
    worker = Worker(sync, directory, *kept, ticks=stopwatch.ticks, **_CHANCE)
    pace = _pace(settings, budgets)
    sweep = _sweep(settings, storage, graph, graph_http, recipe, pace)
    audit = _audit(settings, storage, publisher, budgets)
    keeper = _keeper(settings, storage, tokens)
    uninstall = _uninstall(settings, storage, halt, keeper)
    chains = keeper, sweep, _fill(storage, pace), audit, uninstall
    logged = storage.states, storage.upkeep, orders, _users(storage)
    upkeep = Upkeep(*chains, *logged, lengths=storage.lengths, **_CHANCE)
    console = _console(
        settings,
        storage,
        PictureComparison(graph, geos, recipe, removes=settings.remove_when_gone),
        UserLookup(directory, UserSearch(graph_http), storage.states, Roster(storage.states)),
        Chains(sweep, audit, uninstall),
        orders,
    )
    doctor = Doctor(functools.partial(_microsoft365, settings, storage), storage, clock=_now)
    return Runtime(worker, upkeep, console, doctor, _parking(storage, worker, upkeep))


def _console(
    settings: Settings,
    storage: OpenStorage,
    comparison: PictureComparison,
    lookup: UserLookup,
    chains: Chains,
    orders: OrderLog,
) -> Console:
    return Console(
        Roster(storage.states),
        comparison,
        storage.states,
        storage.documents,
        lookup,
        chains,
        Queues(storage.users, storage.upkeep, storage.lengths),
        orders,
        groups=_groups(settings).named,
        changes=_changes(settings),
        rules=_rules(settings),
        clock=_now,
        new_id=_new_id,
    )


def _groups(settings: Settings) -> Groups:
    return Groups(settings.sync_group_id, settings.excluded_group_id)


def _changes(settings: Settings) -> frozenset[str]:
    """The kinds of change that runs make when DRY_RUN is off."""
    removes = {REMOVAL} if settings.remove_when_gone else set[str]()
    repairs = {REPAIR} if settings.audit.repair and settings.audit.days else set[str]()
    return frozenset({COPY, *removes, *repairs})


def _parking(storage: OpenStorage, worker: Worker | NoWorker, upkeep: Upkeep | NoUpkeep) -> Parking:
    given = [
        PoisonHandler(storage.poisoned[f"{USERS}-poison"], worker.park),
        PoisonHandler(storage.poisoned[f"{UPKEEP}-poison"], upkeep.park),
    ]
    return Parking(given, storage.states, clock=_now, new_id=_new_id)


def _rules(settings: Settings) -> Rules:
    return Rules(
        dry_run=settings.dry_run,
        removes=settings.remove_when_gone,
        forget_after=settings.forget_after,
        repairs=settings.audit.repair and settings.audit.days > 0,
        audit_days=settings.audit.days,
        replaces=settings.replace_custom_picture,
    )


def _recipe(settings: Settings) -> Recipe:
    return Recipe(
        sizes=",".join(map(str, settings.picture_sizes)),
        version=RECIPE,
        render=functools.partial(renditions, sizes=settings.picture_sizes),
    )


def _sync(
    settings: Settings,
    storage: OpenStorage,
    graph: GraphClient,
    publisher: Publisher,
    recipe: Recipe,
) -> Sync:
    return Sync(
        graph,
        publisher,
        storage.states,
        recipe,
        Policy(
            dry_run=settings.dry_run,
            remove_when_gone=settings.remove_when_gone,
            forget_after=settings.forget_after,
        ),
        check_scope=functools.partial(scope.check, settings=settings),
        at_once=Threads(COPIES_AT_ONCE),
        clock=_now,
        ticks=stopwatch.ticks,
    )


def _keeper(settings: Settings, storage: OpenStorage, tokens: EntraTokens) -> SubscriptionKeeper:
    return SubscriptionKeeper(
        # A separate Http, and so a separate Throttle: subscriptions have their own limits (graph.md
        # section 2), and photos can be read while those are exceeded.
        SubscriptionClient(Http("graph", settings.graph_url, tokens)),
        storage.documents,
        url=settings.webhook_url,
        client_state=settings.client_state,
        warm=warm_up,
        missed=functools.partial(
            storage.upkeep.send, UpkeepMessage(SWEEP, by=Signature(APP)).to_json(), delay_seconds=0
        ),
        clock=_now,
    )


def _microsoft365(settings: Settings, storage: OpenStorage) -> Microsoft365Checks:
    """Microsoft 365 with separate tokens and connections. Raises SettingsError."""
    tokens = EntraTokens.build(settings)
    graph = Http("graph", settings.graph_url, tokens)
    clients = Clients(
        tokens,
        Http("graph", settings.graph_url, PlaceholderTokens()),
        graph,
        GraphClient(graph),
        UserListing(graph, settings.sync_group_id, size=1),
        # Without the budget: the doctor must be able to diagnose a budget that is spent.
        _geos(settings, tokens, lambda host: None, []),
        SubscriptionClient(graph),
    )
    return Microsoft365Checks(settings, clients, storage.documents, _now)


def _limit(settings: Settings, storage: OpenStorage, graph_http: Http) -> TenantLimit:
    """The tenant's limit on profile calls."""
    logs, licences = SweepLogs(storage.documents), Licences(graph_http)
    return TenantLimit(settings.profile_calls, licences.count, logs.counted_users)


def _budget_of(
    settings: Settings, storage: OpenStorage, graph_http: Http
) -> Callable[[str], FleetBudget]:
    """Return a function that builds the fleet's budget of profile calls to a host."""
    limit = _limit(settings, storage, graph_http)
    share, instance = settings.audit.share, _new_id()
    return lambda host: FleetBudget(host, storage.documents, limit, share=share, instance=instance)


def _geos(
    settings: Settings,
    tokens: EntraTokens,
    budget_of: Callable[[str], FleetBudget | None],
    budgets: list[FleetBudget],
) -> Geos:
    """The tenant's geographies; opening one adds its budget to *budgets*."""

    def enter(my_url: str, admin_url: str) -> SharePointClient:
        # Limits are per geography (sharepoint.md section 5) and per app, so both hosts of a
        # geography share one Throttle.
        throttle, budget = Throttle(_now), budget_of(urlsplit(admin_url).hostname or admin_url)
        if budget:
            budgets.append(budget)
        return SharePointClient(
            files=Http("sharepoint", my_url, tokens, throttle=throttle),
            profiles=Http("sharepoint", admin_url, tokens, throttle=throttle, budget=budget),
            # Form digests do not count as profile calls.
            contexts=Http("sharepoint", admin_url, tokens, throttle=throttle),
        )

    return Geos(settings, enter)


def _sweep(
    settings: Settings,
    storage: OpenStorage,
    graph: GraphClient,
    graph_http: Http,
    recipe: Recipe,
    pace: Callable[[], Pace],
) -> Sweep:
    pages = _pages(settings, storage, graph, recipe)
    listing, left_out = _listing(settings, graph_http)
    state_checker = StateChecker(
        storage.states,
        graph,
        pages,
        check_scope=functools.partial(scope.check, settings=settings),
        forget_after=None if settings.dry_run else settings.forget_after,
        clock=_now,
        left_out=left_out,
    )
    users = _users(storage)
    return Sweep(
        listing,
        pages,
        state_checker,
        SweepLogs(storage.documents),
        SnapshotParts(storage.documents),
        users,
        Turns(FillLogs(storage.documents), users, storage.upkeep, pace=pace, clock=_now),
        storage.upkeep,
        storage.states,
        clock=_now,
        new_id=_new_id,
    )


def _pages(
    settings: Settings, storage: OpenStorage, graph: GraphClient, recipe: Recipe
) -> PageChecker:
    return PageChecker(
        graph,
        storage.states,
        check_scope=functools.partial(scope.check, settings=settings),
        sizes=recipe.sizes,
        recipe=recipe.version,
        dry_run=settings.dry_run,
        removes=settings.remove_when_gone,
        clock=_now,
    )


def _users(storage: OpenStorage) -> UserQueue:
    return UserQueue(storage.users, clock=_now, new_id=_new_id)


def _pace(settings: Settings, budgets: Sequence[FleetBudget]) -> Callable[[], Pace]:
    """How fast sweeps may queue users, by the tenant's limit as the fleet knows it."""

    def pace() -> Pace:
        # This instance may never make a profile call, so it asks the fleet for the limit.
        calls = settings.profile_calls or budgets[0].limit()
        return Pace(calls, dry_run=settings.dry_run)

    return pace


def _fill(storage: OpenStorage, pace: Callable[[], Pace]) -> Fill:
    return Fill(
        FillLogs(storage.documents),
        SweepLogs(storage.documents),
        _users(storage),
        storage.upkeep,
        pace=pace,
        waiting=storage.users.length,
        clock=_now,
    )


def _listing(
    settings: Settings, graph_http: Http
) -> tuple[Listing, Callable[[Sequence[str]], Set[str]]]:
    """The users that sweeps list, and a filter for those whom EXCLUDED_GROUP_ID excludes."""
    listing = UserListing(graph_http, settings.sync_group_id)
    if not settings.excluded_group_id:
        return listing, lambda ids: frozenset()
    marked = MarkedListing(listing, graph_http, settings.excluded_group_id, _now)
    return marked, marked.among


def _audit(
    settings: Settings, storage: OpenStorage, publisher: Publisher, budgets: Sequence[FleetBudget]
) -> Audit:
    def wait_for(calls: int) -> float:
        # A user on a page may be in any geography.
        return max(budget.reserve(Kind.AUDIT, calls) for budget in budgets)

    # A page that fits into the audit share is never abandoned halfway.
    share = min(settings.audit.share, FOR_AUDITS)
    fits = int(settings.profile_calls * share) if settings.profile_calls else LARGEST_PAGE
    terms = Terms(
        days=settings.audit.days,
        repair=settings.audit.repair,
        dry_run=settings.dry_run,
        size=max(1, min(LARGEST_PAGE, fits)),
        wait_for=wait_for,
    )
    logs = AuditLogs(storage.documents)
    users = _users(storage)
    return Audit(
        storage.states,
        PictureChecker(storage.states, publisher),
        logs,
        Repairs(logs, users, storage.upkeep, clock=_now),
        storage.upkeep,
        storage.states,
        terms,
        clock=_now,
        new_id=_new_id,
    )


def _uninstall(
    settings: Settings, storage: OpenStorage, halt: Halt, keeper: SubscriptionKeeper
) -> Uninstall:
    return Uninstall(
        UninstallLogs(storage.documents),
        halt,
        keeper,
        storage.states,
        _users(storage),
        storage.users,
        storage.upkeep,
        dry_run=settings.dry_run,
        clock=_now,
        new_id=_new_id,
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return str(uuid.uuid4())


# Jitter only spreads load, so it needs no secure random numbers.
_CHANCE: dict[str, Any] = {"clock": _now, "jitter": random.random, "new_id": _new_id}
