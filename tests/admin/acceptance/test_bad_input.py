"""Unusable input is one sentence, before anything is read or written."""

from __future__ import annotations

import json

import pytest

from local.m365.tenant.records import User
from tests.admin.acceptance.conftest import USER, Acceptance, fault, variables
from tests.admin.command_result import assert_one_sentence, assert_printed
from tests.local.m365.simulator import POOR_APP, Cloud


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--yes", "nobody@contoso.com"), 1, ("nobody@contoso.com does not exist in this tenant",)),
        (("--yes", "--unlicensed", "nobody@contoso.com", USER), 1, ("nobody@contoso.com",)),
        (("--yes", " "), 2, ("USER is empty",)),
        ((USER,), 2, ("give --yes, or --read-only",)),
        (("--yes", "--read-only", USER), 2, ("--read-only or --yes",)),
        (("--yes", "--unlicensed", USER.upper(), USER), 2, ("a different user from USER",)),
        (("--yes", "--output", ".", USER), 2, ("cannot be written", "--output")),
        (("--yes", "--output", "no/where.json", USER), 2, ("cannot be written", "--output")),
        (("--yes", "--settings", "absent.json", USER), 2, ("absent.json", "local.settings.sample")),
        (("--yes", "--settings", "odd.json", USER), 2, ("odd.json", "local.settings.sample")),
        (("--yes", "--settings", "managed.json", USER), 2, ("managed identity", "--certificate")),
        (("--yes", "--certificate", "absent.pem", USER), 2, ("CLIENT_CERTIFICATE",)),
        (("--yes", "--tenant", "contoso", USER), 2, ("TENANT_ID must be a GUID", "--tenant")),
        (("--yes", "--app", POOR_APP, USER), 3, ("grant --check",)),
    ],
)
def test_bad_input(acceptance, tenant, anne, tmp_path, arguments, code, words):
    """The sentence says what to do; there was no call to SharePoint, and there is no file."""
    (tmp_path / "odd.json").write_text('{"Values": 7}')
    identity = {"Values": {"MANAGED_IDENTITY_CLIENT_ID": POOR_APP}}
    (tmp_path / "managed.json").write_text(json.dumps(identity))
    before = len(tenant.tenant.journal.after(0))
    without = {"CLIENT_CERTIFICATE": ""} if "managed.json" in arguments else {}

    result = acceptance(*arguments, **without)

    assert_one_sentence(result, code, *words)
    assert [e for e in tenant.tenant.journal.after(before) if e["service"] == "sharepoint"] == []
    assert not list(tmp_path.glob("acceptance.json*"))


@pytest.mark.parametrize("mailbox", ["online", "none"])
def test_no_photo(acceptance: Acceptance, anne: User, mailbox: str):
    """Without a photo, with or without a mailbox, there is nothing to copy."""
    anne.photo, anne.mailbox = None, mailbox

    assert_one_sentence(acceptance("--yes", USER), 1, "has no photo in Exchange: give a test user")


def test_graph_is_down(acceptance: Acceptance, tenant: Cloud, anne: User):
    """If a service does not answer, the sentence says to try again."""
    fault(tenant, service="graph", next=100, fault="500")

    assert_one_sentence(acceptance("--yes", USER), 3, "Try again in a minute.")


def test_private_certificate(acceptance: Acceptance, tenant: Cloud, anne: User):
    """An unknown CA is not worth a retry: the sentence names the variable."""
    result = acceptance("--yes", USER, REQUESTS_CA_BUNDLE="")

    assert_one_sentence(result, 3, "set REQUESTS_CA_BUNDLE to that CA's PEM file")


def test_settings_come_from_the_usual_file(acceptance, tenant, anne, tmp_path):
    """With --local, local.settings.json in the folder has the app's credentials."""
    values = variables(tenant)
    (tmp_path / "local.settings.json").write_text(json.dumps({"Values": values}))

    assert_printed(acceptance("--read-only", USER, **dict.fromkeys(values, "")), 0, err="")
