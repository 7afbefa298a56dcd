"""Reads everything that a plan for the console depends on. It changes nothing."""

from __future__ import annotations

from admin.grants.console import people
from admin.grants.console.directory import ConsoleDirectory
from admin.grants.console.found import Found
from admin.grants.console.registration import NAME, OPERATOR, VIEWER
from admin.grants.directory import Directory
from admin.grants.graph import Graph
from admin.grants.order import ConsoleOrder
from admin.terminal.fields import Fields
from admin.terminal.problems import NotFound, Unusable


def take_inventory(order: ConsoleOrder, graph: Graph) -> Found:
    """Everything about the registration of *order* and the people it names. Raises Problem."""
    console = ConsoleDirectory(graph)
    application = _application(order, console, Directory(graph))
    client_id = application.text("appId")
    principal = console.principal(client_id) if client_id else Fields({})
    principal_id = principal.text("id")
    roles = ((VIEWER, order.viewers), (OPERATOR, order.operators))
    return Found(
        application,
        principal,
        console.graph_id(),
        tuple(console.assigned(principal_id)) if principal_id else (),
        tuple(console.consents(principal_id)) if principal_id else (),
        tuple((role, people.find(graph, name)) for role, names in roles for name in names),
    )


def _application(order: ConsoleOrder, console: ConsoleDirectory, directory: Directory) -> Fields:
    if order.client_id:
        found = console.application(order.client_id)
        if not found:
            raise NotFound(
                f"No app registration in this tenant has the client id {order.client_id}: check "
                "--client-id (or PHOTOSYNC_CLIENT_ID), or leave it out to create a registration."
            )
        return found
    # Every member of a tenant may register an app with any name (documented): trusting the name
    # could let somebody else's app decide who signs in.
    there = directory.applications_named(NAME)
    if there:
        raise Unusable(
            f"An app called {NAME} already exists: if it is yours, give --client-id {there[0]}; if "
            "not, rename or delete it in Entra."
        )
    return Fields({})
