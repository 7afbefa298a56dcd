"""Observers' requests can be distinguished in storage's log."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.rest import HttpRequest

from local.cloud.azurite import Azurite
from local.outside import spectator

pytestmark = pytest.mark.server


def test_every_request_is_marked(tmp_path: Path):
    """Storage answers as usual, and its log shows the mark on each request."""
    azurite = Azurite(tmp_path / "azurite.log", log_requests=True)
    try:
        at = azurite.wait_until_ready().connection_string
        container = spectator.blobs(at).create_container("kept")
        container.upload_blob("a b?.json", b"text")
        assert list(container.list_blob_names(name_starts_with="a b")) == ["a b?.json"]
        assert container.download_blob("a b?.json").readall() == b"text"
        queue = spectator.queues(at).create_queue("work")
        queue.send_message("one")
        assert queue.get_queue_properties().approximate_message_count == 1
    finally:
        azurite.stop()
    asked = re.findall(r'"[A-Z]+ (\S+) HTTP', (tmp_path / "azurite.log").read_text())

    assert len(asked) == 7
    assert [address.count(spectator.MARK) for address in asked] == [1] * 7


def test_retried_request_is_marked_once():
    """A retry has the same URL, since the signature would not match another one."""
    request = HttpRequest("GET", "http://localhost/account/photo-sync?comp=metadata")
    for _ in range(2):
        spectator._mark(PipelineRequest(request, PipelineContext(None)))

    assert request.url == "http://localhost/account/photo-sync?comp=metadata&spectator=1"
