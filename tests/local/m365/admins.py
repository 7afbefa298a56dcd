"""Admins who sign in to the simulator, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests

from local.m365.entra import tokens
from local.m365.tenant.admins import AZURE_CLI, Person
from tests.local.m365.simulator import Cloud

DIRECTORY_SCOPES = ("AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All")
SITE_SCOPES = ("Sites.FullControl.All",)


@contextmanager
def signed_in(
    m365: Cloud, *roles: str, scopes: tuple[str, ...] = DIRECTORY_SCOPES + SITE_SCOPES
) -> Iterator[requests.Session]:
    """A session of a person with these directory roles and delegated scopes."""
    person = Person("admin@contoso.com", frozenset(roles))
    graph = m365.tenant.urls.graph
    token = tokens.issue_to_person(m365.tenant, person, AZURE_CLI, graph, scopes)
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        yield session
