"""This version reads each released version's blobs and messages with the same meaning."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.messages import sync_message, upkeep_message
from shared.storage import roster_entry, unreadable, user_state
from shared.sweeping.sweep_log import SweepLogs
from shared.uninstalling.uninstall_log import UninstallLogs
from tests import REPO
from tests.doubles.memory_documents import MemoryDocuments
from tests.retained import left

NOW = datetime(2030, 1, 1, tzinfo=UTC)
STATES = [(each, id_) for each in left.VERSIONS for id_ in left.states(each)]
TYPED = {"renew", "sweep", "audit"}


def test_every_released_version_is_here():
    """Each version with a date in the changelog has its data here."""
    changelog = (REPO / "CHANGELOG.md").read_text("utf-8")

    assert left.VERSIONS == sorted(re.findall(r"(?m)^## \[(\d[\d.]+)\] - ", changelog))


@pytest.mark.parametrize(("version", "id_"), STATES)
def test_state(version, id_):
    """All fields that decide about a user are read as they were written."""
    text = left.states(version)[id_]["text"]
    written = json.loads(text)
    known = user_state.from_json(id_, text.encode())
    again = json.loads(user_state.to_json(known))

    kept = written.keys() - {"claim", "files"}
    assert {name: again[name] for name in kept} == {name: written[name] for name in kept}
    assert bool(known.claim) == bool(written["claim"])


@pytest.mark.parametrize(("version", "id_"), STATES)
def test_state_in_a_list(version, id_):
    """A list is built from the metadata; a sweep reads a blob whose metadata is incomplete."""
    blob = left.states(version)[id_]
    written, metadata = json.loads(blob["text"]), blob["metadata"]
    listed = roster_entry.entry(id_, metadata)

    assert (listed.user_principal_name, listed.status) == (
        written["userPrincipalName"],
        written["status"],
    )
    assert (listed.reason, listed.detail) == (written["reason"], written["detail"])
    assert bool(listed.missing_since) == bool(written["missingSince"])
    assert (listed.outlined is None) == ("content" not in metadata)


@pytest.mark.parametrize("version", left.VERSIONS)
def test_sweeps(version):
    """The newest sweep continues; the one before is known, with the users of its removals."""
    documents = _documents(version)
    logs = SweepLogs(documents)
    newest, pointer = logs.latest()
    assert newest
    before = logs.read(newest.previous)
    assert before

    assert pointer
    assert newest.status == "running"
    assert (before[0].status, before[0].removals, before[0].gone) == ("finished", "queued", 1)
    assert [*logs.gone(before[0])] == [[_named(version, "removed")]]


@pytest.mark.parametrize("version", left.VERSIONS)
def test_no_uninstall_is_found(version):
    """A version without uninstall documents does not stop the app."""
    assert UninstallLogs(_documents(version)).read() == (None, None)


@pytest.mark.parametrize("version", left.VERSIONS)
def test_messages_about_users(version):
    """User, reason, time and attempt are read as they were written."""
    for text in left.storage(version)["queues"]["photo-sync"]:
        written = json.loads(text)
        read = sync_message.parse(text.encode(), now=NOW, correlation_id="other")

        again = json.loads(read.to_json())
        assert {name: again[name] for name in written} == written


@pytest.mark.parametrize("version", left.VERSIONS)
def test_messages_for_upkeep(version):
    """Messages of every kind that the version knew are read as they were written."""
    texts = left.storage(version)["queues"]["photo-upkeep"]
    read = [upkeep_message.parse(text.encode(), now=NOW) for text in texts]

    for text, message in zip(texts, read, strict=True):
        written = {"kind": text} if text in TYPED else json.loads(text)
        again = json.loads(message.to_json())
        assert {name: again[name] for name in written} == written
    assert {"renew", "sweep", "sweep-page", "lifecycle"} <= {message.kind for message in read}


@pytest.mark.parametrize("version", left.VERSIONS)
def test_unreadable_messages(version):
    """A message that was set aside is shown with its reason."""
    blobs = left.storage(version)["blobs"].items()
    [(name, blob)] = [each for each in blobs if each[0].startswith(unreadable.FOLDER)]
    shown = unreadable.from_json(name, blob["text"].encode())

    assert shown["body"] == "no user at all"
    assert shown["reason"].startswith("This is neither JSON nor a user.")


def _named(version: str, name: str) -> str:
    upn = f"{name}@contoso.com"
    return str(
        next(each["id"] for each in left.people(version) if each["userPrincipalName"] == upn)
    )


def _documents(version: str) -> MemoryDocuments:
    documents = MemoryDocuments()
    for name, blob in left.storage(version)["blobs"].items():
        if not name.startswith(("users/", unreadable.FOLDER)):
            fields: dict[str, Any] = json.loads(blob["text"])
            documents.write(name, fields, after=None)
    return documents
