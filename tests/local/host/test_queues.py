"""Queue triggers and outputs behave as in the storage extension, on real storage."""

import asyncio
import base64
import signal
import time
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueMessage

from local.host.bindings import Function, QueueTrigger
from local.host.invocations import Invocations
from local.host.protocol import Result
from local.host.queues import QueueListener
from local.host.settings import QueueOptions
from local.host.storage import Queue
from tests.local.host.host_process import RunningHost, eventually
from tests.local.host.queue_bench import POISON_CODE, Bench

pytestmark = pytest.mark.server


def test_output_creates_queue_and_sends_in_order(tmp_path, storage):
    """One message per item, sent after the function returned; each is executed and deleted."""
    bench = Bench(tmp_path, storage, batchSize=1, newBatchThreshold=0)
    with RunningHost(bench.files) as host:
        assert host.call("POST", "/api/put", json=["a", "b", "c"]).status_code == 202
        taken = bench.took(3)
        bench.empty()

    assert [each["body"] for each in taken] == ["a", "b", "c"]


def test_failed_output_is_500(tmp_path, storage):
    """202 only if stored: a message that no queue can hold is a 500."""
    bench = Bench(tmp_path, storage)
    with RunningHost(bench.files) as host:
        for text in ("x" * 70_000, "a\x01"):
            answer = host.call("POST", "/api/put", json=[text])
            assert (answer.status_code, answer.content) == (500, b"")
        host.logged("Executed 'Functions.put' (Failed", 2)


def test_trigger_metadata_reaches_the_function(tmp_path, storage):
    """Id, dequeue count, times and pop receipt come from storage."""
    bench = Bench(tmp_path, storage, "hello")
    with RunningHost(bench.files):
        (taken,) = bench.took(1)

    assert (taken["body"], taken["count"]) == ("hello", 1)
    assert taken["id"]
    assert taken["receipt"]
    assert taken["inserted"] < taken["expires"]


def test_failed_message_returns_and_ends_in_poison(tmp_path, storage):
    """After maxDequeueCount attempts, only the body moves to <queue>-poison, as a new message."""
    bench = Bench(tmp_path, storage, "fail me", maxDequeueCount=3)
    with RunningHost(bench.files) as host:
        poison = bench.peek("-poison")
        bench.empty()
        log = host.logged("Moving message to queue")

    assert poison == ["fail me"]
    assert [each["count"] for each in bench.taken()] == [1, 2, 3]
    assert log.count("RuntimeError: no") == 3


def test_visibility_timeout_only_delays_failed_messages(tmp_path, storage):
    """After a failure the message is hidden for visibilityTimeout; a successful one is deleted."""
    bench = Bench(tmp_path, storage, "fail", "fine", visibilityTimeout="01:00:00")
    with RunningHost(bench.files) as host:
        bench.took(2)
        host.logged("Executed 'Functions.take'", 2)
        eventually(lambda: bench.left() == 1)
        with bench.queue() as queue:
            assert queue.peek_messages() == []


def test_message_above_the_limit_goes_to_poison_unseen(tmp_path, storage):
    """A message over maxDequeueCount, such as one that crashed the host, is not executed again."""
    bench = Bench(tmp_path, storage, "crashed", maxDequeueCount=1)
    bench.receive_twice()
    with RunningHost(bench.files):
        assert bench.peek("-poison") == ["crashed"]

    assert bench.taken() == []


def test_base64_both_ways(tmp_path, storage):
    """With the default encoding, outputs are base64 and inputs are decoded."""
    bench = Bench(tmp_path, storage, messageEncoding="base64")
    bench.make(base64.b64encode("grüße".encode()).decode())
    with RunningHost(bench.files) as host:
        bench.took(1)
        host.call("POST", "/api/put", json=["back"])
        taken = bench.took(2)

    assert [each["body"] for each in taken] == ["grüße", "back"]


def test_undecodable_message_goes_to_poison_at_once(tmp_path, storage):
    """A message that is not base64 is moved unchanged when first received, without a run."""
    options: dict[str, Any] = {"messageEncoding": "base64", "maxDequeueCount": 2}
    bench = Bench(tmp_path, storage, "not base64!", visibilityTimeout="01:00:00", **options)
    with RunningHost(bench.files):
        assert bench.peek("-poison") == ["not base64!"]

    assert bench.taken() == []


def test_failed_poison_message_keeps_its_lock(tmp_path, storage):
    """A poison queue has no poison queue: the message stays, locked."""
    bench = Bench(tmp_path, storage, code=POISON_CODE, maxDequeueCount=1)
    bench.make("fail", suffix="-poison")
    with RunningHost(bench.files) as host:
        host.logged("Executed 'Functions.take' (Failed")

    assert bench.left("-poison") == 1
    with bench.queue("-poison") as queue:
        assert queue.peek_messages() == []


@pytest.mark.parametrize("stranded", [False, True], ids=["5.3.8", "5.3.7"])
def test_poison_message_above_the_limit(tmp_path, storage, stranded):
    """Queue extension 5.3.8 executes it again, an earlier one never does."""
    settings = {"LOCAL_HOST_STRANDS_POISON": "1"} if stranded else {}
    bench = Bench(tmp_path, storage, code=POISON_CODE, settings=settings, maxDequeueCount=1)
    bench.make("often", suffix="-poison")
    bench.receive_twice("-poison")
    with bench.queue("-poison") as queue:
        queue.send_message("fresh")
    with RunningHost(bench.files):
        bench.took(1 if stranded else 2)
        taken = {each["body"] for each in bench.taken()}

    assert taken == ({"fresh"} if stranded else {"often", "fresh"})


def test_concurrency_is_batch_size_plus_threshold(tmp_path, storage):
    """Two per poll, and a new poll once at most one still runs: at most three at once."""
    bench = Bench(tmp_path, storage, batchSize=2, newBatchThreshold=1)
    bench.make(*(f"hang {number}" for number in range(6)))
    with RunningHost(bench.files) as host:
        first = bench.took(2)[0]["body"]
        # The output wakes the listener, which must not poll again yet.
        host.call("POST", "/api/put", json=["more"])
        assert len(bench.taken()) == 2
        (tmp_path / f"go {first}").touch()
        assert len(bench.took(4)) == 4
        host.call("POST", "/api/put", json=["and more"])
        assert len(bench.taken()) == 4
        (tmp_path / "go").touch()
        bench.took(8)
        bench.empty()


def test_killed_host_loses_nothing(tmp_path, storage):
    """The lock of a killed host expires, and the message returns with a higher dequeue count."""
    bench = Bench(tmp_path, storage, "hang", settings={"LOCAL_HOST_LOCK_SECONDS": "6"})
    killed = RunningHost(bench.files)
    bench.took(1)
    killed.child.kill()
    killed.child.let_go()
    (tmp_path / "go").touch()
    with RunningHost(bench.files):
        taken = bench.took(2)
        bench.empty()

    assert [each["count"] for each in taken] == [1, 2]
    assert taken[0]["id"] == taken[1]["id"]


class _Ahead(asyncio.SelectorEventLoop):
    """An event loop whose clock can be moved ahead of the machine's, and of storage's."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


def test_lock_is_renewed_while_the_function_runs(tmp_path, storage, monkeypatch):
    """
    Each time that half of the lock is over; the message is deleted with the newest pop receipt.

    The clock is the test's own: storage on a busy machine would let a lock of seconds expire.
    """
    bench = Bench(tmp_path, storage, "long")
    renewed: list[tuple[float, str | None]] = []
    failed: list[BaseException] = []
    hide = Queue.hide

    async def noted(queue: Queue, message: QueueMessage, seconds: float) -> bool:
        succeeded = await hide(queue, message, seconds)
        renewed.append((seconds, message.pop_receipt))
        return succeeded

    async def run() -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        assert isinstance(loop, _Ahead)

        async def invoke(*_: Any) -> Result:
            await ended.wait()
            return Result(ok=True, returned=None, outputs=(), error="")

        worker: Any = SimpleNamespace(invoke=invoke)
        trigger = QueueTrigger("message", bench.name, bench.connection)
        listener = QueueListener(
            Function("take", "take", trigger, (), disabled=False),
            QueueOptions(base64=False),
            Invocations(worker, base64=False, timeout=None),
            failed.append,
        )
        listening = asyncio.create_task(listener.listen())
        deadline = time.monotonic() + 120
        while len(renewed) < 3:
            assert time.monotonic() < deadline, "the lock is not renewed"
            loop.ahead += 300
            await asyncio.sleep(0.01)
        ended.set()
        await listener.stop(None)
        await listening

    monkeypatch.setattr(Queue, "hide", noted)
    with asyncio.Runner(loop_factory=_Ahead) as runner:
        runner.run(run())

    assert {seconds for seconds, _ in renewed} == {600}
    assert len({receipt for _, receipt in renewed}) == len(renewed)
    assert (bench.left(), failed) == (0, [])


# A host whose ten seconds for running work are two minutes.
PATIENT = """
import os
from local.host import __main__ as host
host.GRACE_SECONDS = 120
os._exit(host.main())
"""


def test_graceful_stop_finishes_running_work(tmp_path, storage):
    """At SIGINT no new message is received; the running one is finished and deleted."""
    bench = Bench(tmp_path, storage, "hang", "next", batchSize=1, newBatchThreshold=0)
    assert bench.files.command[1:3] == ["-m", "local.host"]
    bench.files.command[1:3] = ["-c", PATIENT]
    host = RunningHost(bench.files)
    bench.took(1)
    host.child.process.send_signal(signal.SIGINT)
    (tmp_path / "go").touch()
    host.child.stop()

    assert [each["body"] for each in bench.taken()] == ["hang"]
    assert bench.left() == 1
    assert host.child.process.returncode == 0


def test_disabled_function_takes_nothing(tmp_path, storage):
    """Its messages stay in the queue; the master key can still run it by hand."""
    bench = Bench(tmp_path, storage, "waits", settings={"AzureWebJobs.take.Disabled": "true"})
    with RunningHost(bench.files) as host:
        host.logged("Function 'take' is disabled")
        master = {"x-functions-key": host.keys.master}
        answer = host.call(
            "POST", "/admin/functions/take", headers=master, json={"input": "by hand"}
        )
        assert answer.status_code == 202
        host.logged("Executing 'Functions.take'")

    assert bench.left() == 1


def test_trigger_does_not_create_its_queue(tmp_path, storage):
    """It waits for the queue, and receives its messages once it exists."""
    bench = Bench(tmp_path, storage)
    with RunningHost(bench.files):
        with pytest.raises(ResourceNotFoundError):
            bench.left()
        bench.make("first")
        bench.took(1)
