"""Builds the worker from the settings: the one place where all the parts meet."""

from __future__ import annotations

import functools
import random
import uuid
from datetime import UTC, datetime

from shared import scope
from shared.graph import GraphClient
from shared.http import Http
from shared.pictures import RECIPE, renditions
from shared.publishing import Publisher
from shared.settings import Settings
from shared.sharepoint import SharePointClient
from shared.storage import open_storage
from shared.sync import Recipe, Sync
from shared.tokens import EntraTokens
from shared.worker import Worker


def build_worker(settings: Settings) -> Worker:
    """A worker that calls nobody before its first message. Raises SettingsError."""
    tokens = EntraTokens.build(settings)
    graph = GraphClient(Http("graph", settings.graph_url, tokens))
    sharepoint = SharePointClient(
        files=Http("sharepoint", settings.sharepoint_my_url, tokens),
        profiles=Http("sharepoint", settings.sharepoint_admin_url, tokens),
    )
    store, queue = open_storage(settings.storage)
    sync = Sync(
        graph,
        Publisher(sharepoint, settings, _now),
        store,
        Recipe(
            sizes=",".join(map(str, settings.picture_sizes)),
            version=RECIPE,
            render=functools.partial(renditions, sizes=settings.picture_sizes),
        ),
        check_scope=functools.partial(scope.check, settings=settings),
        clock=_now,
    )
    return Worker(
        sync,
        graph,
        store,
        queue,
        clock=_now,
        # Jitter spreads load; nobody gains by guessing it.
        jitter=random.random,
        new_id=lambda: str(uuid.uuid4()),
    )


def _now() -> datetime:
    return datetime.now(UTC)
