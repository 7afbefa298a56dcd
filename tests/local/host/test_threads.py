"""Plans where one instance runs all functions: requests do not wait for a thread."""

import json

import pytest

from tests import REPO
from tests.local.host.host_process import RunningHost
from tests.local.host.queue_bench import CODE, Bench

pytestmark = pytest.mark.server

TWO_QUEUES = CODE + CODE[CODE.index("@app.queue_trigger") :].replace(
    "%QUEUE%", "%QUEUE%-other"
).replace("def take", "def take_other")


def test_full_queues_leave_room_for_requests(tmp_path, storage):
    """With as many hanging messages as host.json allows in both queues, a request is answered."""
    queues = json.loads((REPO / "host.json").read_text())["extensions"]["queues"]
    settings = json.loads((REPO / "local.settings.sample.json").read_text())["Values"]
    threads = "PYTHON_THREADPOOL_THREAD_COUNT"
    at_once = queues["batchSize"] + queues["newBatchThreshold"]
    bench = Bench(
        tmp_path, storage, code=TWO_QUEUES, settings={threads: settings[threads]}, **queues
    )
    for suffix in ("", "-other"):
        bench.make(*(f"hang {number}" for number in range(at_once + 1)), suffix=suffix)

    with RunningHost(bench.files) as host:
        hanging = bench.took(2 * at_once)
        answer = host.call("POST", "/api/put", json=["after"])
        (tmp_path / "go").touch()
        bench.empty()
        bench.empty("-other")

    assert answer.status_code == 202
    assert len(hanging) == 2 * at_once
