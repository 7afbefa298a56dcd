"""One call of `grant`, from sign-in to the last line."""

from __future__ import annotations

from datetime import UTC, datetime

from admin.grants import plan, report
from admin.grants.carry_out import Subject, Worker
from admin.grants.console.job import console_job
from admin.grants.directory import Directory, undocumented
from admin.grants.graph import Graph
from admin.grants.inventory import Inventory, take_inventory
from admin.grants.job import Job
from admin.grants.order import Order
from admin.grants.report import Scene
from admin.grants.signin import sign_in
from admin.grants.sites import Sites
from admin.grants.step import Step
from admin.grants.wanted import grantable, wanted
from admin.terminal import problems
from admin.terminal.output import Output
from admin.terminal.question import WITH_PLAN, agreed, must_be_possible


def run(order: Order, output: Output) -> int:
    """Read, plan, show, and carry out what the order allows; returns an exit code."""
    _check_consent(order, output)
    admin = sign_in(order, output.error)
    graph = Graph(order.graph_url, admin.token, ca=order.ca)
    job = console_job(order, order.console, graph) if order.console else _job(order, graph)
    scene = Scene(admin, job.subject, job.notes)
    report.show_plan(job.steps, scene, output)
    if order.is_read_only or not any(step.is_to_do for step in job.steps):
        return _end_without_acts(order, job, scene, output)
    question = "Revoke these rights?" if order.revoke else "Grant what is missing?"
    if not agreed(question, output, yes=order.yes):
        output.line("Nothing was changed.")
        return problems.WRONG
    with output.progress("Revoking" if order.revoke else "Granting") as tell:
        done: list[Step] = []
        for step in job.worker.carry_out(job.steps):
            done.append(step)
            tell(len(done), len(job.steps))
    return _end(order, job, done, scene, output)


def _job(order: Order, graph: Graph) -> Job:
    """The rights of an identity."""
    directory, sites = Directory(graph), Sites(graph, device_code=order.device_code)
    inventory = take_inventory(order, directory, sites, datetime.now(UTC))
    subject = _subject(order, inventory)
    return Job(
        subject,
        _plan(order, inventory),
        Worker(directory, sites, subject, seconds=order.timeout),
        undocumented(inventory.found.resources),
        lambda: report.following(order, subject),
    )


def _check_consent(order: Order, output: Output) -> None:
    """Check before the sign-in that the question can be asked later."""
    if not (order.yes or order.is_read_only):
        must_be_possible(output, instead=WITH_PLAN)


def _subject(order: Order, inventory: Inventory) -> Subject:
    found = inventory.found
    return Subject(
        found.principal, found.application, inventory.held, order.certificate, order.new_app
    )


def _plan(order: Order, inventory: Inventory) -> list[Step]:
    if order.revoke:
        return plan.to_revoke(grantable(), inventory.found)
    roles = wanted(group=order.group, full_control=order.full_control)
    return plan.to_grant(roles, inventory.found, inventory.registration)


def _end_without_acts(order: Order, job: Job, scene: Scene, output: Output) -> int:
    steps = job.steps
    code = report.verdict(steps, exactly=True)
    output.document(report.document(steps, scene, code=code))
    report.show_surplus(steps, output)
    if order.check:
        report.show_check(steps, output)
        return code
    if not any(step.is_to_do or step.problem for step in steps):
        output.line("There is nothing to revoke." if order.revoke else "Nothing is missing.")
        if order.console and not order.revoke:
            report.show_following(job.following(), output)
    return report.verdict([step for step in steps if step.problem], exactly=False)


def _end(order: Order, job: Job, steps: list[Step], scene: Scene, output: Output) -> int:
    # Rights beyond the need are shown, but do not fail the command.
    code = report.verdict(steps, exactly=False)
    output.document(report.document(steps, scene, code=code))
    report.show_end(steps, order, job.following(), output)
    report.show_surplus(steps, output)
    return code
