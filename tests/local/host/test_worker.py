"""The worker is a separate process: it can die without the host, and the host without it."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import psutil
import pytest
import requests

from local.host.worker import Deaths
from tests.local.host.host_process import HostFiles, RunningHost, alive, eventually
from tests.local.host.queue_bench import CODE, POISON_CODE, Bench
from tests.local.host.storage_proxy import StorageProxy

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(os.name != "posix", reason="sends signals"),
]

MORE_CODE = """
@app.route("worker", auth_level=func.AuthLevel.ANONYMOUS)
def worker(req: func.HttpRequest) -> str:
    return str(os.getpid())

@app.route("fork", auth_level=func.AuthLevel.ANONYMOUS)
def fork(req: func.HttpRequest) -> str:
    child = os.fork()
    while not child:
        time.sleep(60)
    return str(child)

@app.route("wait", auth_level=func.AuthLevel.ANONYMOUS)
def wait(req: func.HttpRequest) -> str:
    logging.info("a request waits")
    while not (work / "go").exists():
        time.sleep(0.02)
    return "done"
"""
WORKER_CODE = CODE + MORE_CODE
# For a moment the host still sends work to the dead process, which costs another try: a message
# that comes back later than that is executed by the new worker.
AFTER_REMOVAL = "00:00:01"
# Records the end of a run as a file.
_END = '        raise RuntimeError("no")\n'
DONE_CODE = CODE.replace(_END, f"{_END}    (work / f'done {{body}}').touch()\n") + MORE_CODE


def dying(host: RunningHost) -> int:
    """Kill the worker of *host* and return its process id."""
    pid = int(host.call("GET", "/api/worker").text)
    psutil.Process(pid).kill()
    return pid


@contextmanager
def waiting_request(host: RunningHost) -> Iterator[Future[requests.Response]]:
    """A request that waits in the app, and is awaited at the end of the block."""
    with ThreadPoolExecutor() as pool:
        request = pool.submit(host.call, "GET", "/api/wait")
        host.logged("a request waits")
        yield request


def test_message_of_a_dead_worker_comes_back_after_its_visibility_timeout(tmp_path, storage):
    """The host continues and returns the message immediately, hidden for visibilityTimeout."""
    bench = Bench(tmp_path, storage, "hang", code=WORKER_CODE, visibilityTimeout="01:00:00")
    with RunningHost(bench.files) as host:
        bench.took(1)
        dead = dying(host)
        host.logged("Executed 'Functions.take' (Failed")
        (tmp_path / "go").touch()
        # For a moment the host still sends work to the dead process, and "next" would be hidden.
        host.logged("A new worker process is up")
        with bench.queue() as queue:
            queue.send_message("next")
        bench.empty(but=1)
        another = int(host.call("GET", "/api/worker").text)

    assert another != dead
    assert [each["body"] for each in bench.taken()] == ["hang", "next"]


def test_all_runs_of_a_dead_worker_fail_and_are_retried(tmp_path, storage):
    """Each message that the worker ran loses a try; a new worker executes them again."""
    bench = Bench(
        tmp_path, storage, "hang 1", "hang 2", code=WORKER_CODE, visibilityTimeout=AFTER_REMOVAL
    )
    with RunningHost(bench.files) as host:
        bench.took(2)
        dying(host)
        (tmp_path / "go").touch()
        bench.took(4)
        bench.empty()

    again = sorted((each["body"], each["count"]) for each in bench.taken()[2:])
    assert again == [("hang 1", 2), ("hang 2", 2)]


def test_poison_message_keeps_its_lock_when_the_worker_dies(tmp_path, storage):
    """A message without a poison queue is not returned to its queue."""
    bench = Bench(tmp_path, storage, code=POISON_CODE + MORE_CODE)
    bench.make("hang", suffix="-poison")
    with RunningHost(bench.files) as host:
        bench.took(1)
        dying(host)
        host.logged("Executed 'Functions.take' (Failed")
        host.logged("A new worker process is up")

    with bench.queue("-poison") as queue:
        assert queue.peek_messages() == []
    assert bench.left("-poison") == 1


def test_request_in_flight_is_500_and_a_later_one_waits_for_the_new_worker(tmp_path, storage):
    """A request whose worker dies gets an empty 500; the next one is answered."""
    bench = Bench(tmp_path, storage, code=WORKER_CODE)
    with RunningHost(bench.files) as host:
        with waiting_request(host) as request:
            dying(host)
        answer = request.result()
        host.logged("The worker ended with code -9")
        # For a moment the host still sends work to the dead process; then it waits.
        eventually(lambda: host.call("GET", "/api/worker").ok)

    assert (answer.status_code, answer.content) == (500, b"")


def test_forked_child_does_not_hide_the_death(tmp_path, storage):
    """It inherits the worker's end of the connection, and continues when the worker is dead."""
    bench = Bench(tmp_path, storage, "hang", code=WORKER_CODE, visibilityTimeout=AFTER_REMOVAL)
    with RunningHost(bench.files) as host:
        bench.took(1)
        child = int(host.call("GET", "/api/fork").text)
        try:
            dying(host)
            host.logged("A new worker process is up")
            assert alive(child)
        finally:
            psutil.Process(child).kill()
        (tmp_path / "go").touch()
        bench.empty()

    assert [each["count"] for each in bench.taken()] == [1, 2]


def test_third_death_ends_the_host(tmp_path, storage):
    """After three worker deaths in a row the host stops with exit code 0 and logs the reason."""
    bench = Bench(tmp_path, storage, code=WORKER_CODE)
    with RunningHost(bench.files) as host:
        for times in (1, 2):
            dying(host)
            host.logged("A new worker process is up", times)
        dying(host)
        code = host.child.process.wait(60)
        log = host.log()

    assert code == 0
    assert "Exceeded the number of worker restarts." in log


def test_deaths_that_are_far_apart_do_not_add_up():
    """Only a death within half an hour of the previous one counts as consecutive."""
    deaths, rare = Deaths(), Deaths()

    assert [deaths.too_many(now) for now in (0, 1800, 3600)] == [False, False, True]
    assert not any(rare.too_many(now) for now in (0, 1801, 3602, 5403))


@pytest.mark.parametrize("returns", [True, False])
def test_worker_of_a_killed_host(tmp_path, storage, returns):
    """It ends when its functions have returned, or with the parent of its host."""
    bench = Bench(tmp_path, storage, "hang", code=DONE_CODE)
    host = RunningHost(bench.files)
    bench.took(1)
    orphan = int(host.call("GET", "/api/worker").text)
    host.child.kill()
    host.logged("1 invocations still run")
    assert alive(orphan)
    if returns:
        (tmp_path / "go").touch()
    else:
        host.child.let_go()

    assert eventually(lambda: not alive(orphan))
    assert (tmp_path / "done hang").exists() is returns
    host.child.let_go()


def test_function_timeout_restarts_the_worker(tmp_path, storage):
    """The run that takes too long and all concurrent ones fail; it does not count as a death."""
    bench = Bench(
        tmp_path, storage, "hang", code=WORKER_CODE, host_json={"functionTimeout": "00:00:03"}
    )
    with RunningHost(bench.files) as host:
        bench.took(1)
        before = host.call("GET", "/api/worker").text
        with waiting_request(host) as request:
            log = host.logged("A new worker process is up")
        (tmp_path / "go").touch()
        after = host.call("GET", "/api/worker").text
        bench.empty()

    assert before != after
    assert request.result().status_code == 500
    assert "exceeded by 'Functions.take'" in log
    assert "The worker ended with code" not in log


def test_sigterm_is_ignored(tmp_path, storage):
    """As in the real host, which continues to take work."""
    bench = Bench(tmp_path, storage, code=WORKER_CODE)
    with RunningHost(bench.files) as host:
        host.child.process.send_signal(signal.SIGTERM)
        host.logged("SIGTERM is ignored")
        bench.make("next")
        bench.took(1)


def test_drained_host_takes_no_message_and_still_answers(tmp_path, storage):
    """POST /admin/host/drain: 202, listeners stop, running work ends, requests are answered."""
    bench = Bench(tmp_path, storage, "hang", code=WORKER_CODE, batchSize=1, newBatchThreshold=0)
    with RunningHost(bench.files) as host:
        bench.took(1)
        master = {"x-functions-key": host.keys.master}

        def status() -> dict[str, object]:
            found = host.call("GET", "/admin/host/drain/status", headers=master).json()
            return dict[str, object](found)

        refused = [
            host.call("POST", "/admin/host/drain").status_code,
            requests.post(f"{host.url}/admin/host/drain", timeout=30).status_code,
        ]
        before = status()["state"]
        accepted = host.call("POST", "/admin/host/drain", headers=master).status_code
        with bench.queue() as queue:
            queue.send_message("next")
        during = status()
        answered = host.call("GET", "/api/worker").status_code
        (tmp_path / "go").touch()
        eventually(lambda: status()["state"] == "Completed")

    assert (refused, before, accepted, answered) == ([403, 401], "Disabled", 202, 200)
    assert during == {"state": "InProgress", "outstandingInvocations": 1, "outstandingRetries": 0}
    assert [each["body"] for each in bench.taken()] == ["hang"]
    assert bench.left() == 1


def test_host_ends_if_storage_stays_away(tmp_path, storage):
    """A poll that fails in all of the client's tries is unhandled: the host stops, exit code 0."""
    bench = Bench(tmp_path, storage, code=WORKER_CODE)
    with StorageProxy(bench.connection, storage.queue) as proxy:
        bench.files.set({"AzureWebJobsStorage": proxy.connection})
        with RunningHost(bench.files) as host:
            proxy.close()
            code = host.child.process.wait(180)
            log = host.log()

    assert code == 0
    assert "An unhandled exception has occurred. The host is shutting down." in log


def test_shorter_outage_of_storage_is_survived(tmp_path, storage):
    """A message that cannot be deleted immediately is deleted later, and is not run twice."""
    bench = Bench(tmp_path, storage, "hang", code=WORKER_CODE)
    with StorageProxy(bench.connection, storage.queue) as proxy:
        bench.files.set({"AzureWebJobsStorage": proxy.connection})
        with RunningHost(bench.files) as host:
            bench.took(1)
            proxy.close()
            (tmp_path / "go").touch()
            host.logged("Executed 'Functions.take' (Succeeded")
            eventually(lambda: proxy.refused >= 2)
            proxy.open()
            bench.empty()
            log = host.log()

    assert len(bench.taken()) == 1
    assert "shutting down" not in log


def test_app_that_kills_its_worker_is_refused(tmp_path):
    """A worker that dies while it first loads the app is not replaced."""
    code, stderr = HostFiles(tmp_path, "import os; os._exit(7)").refusal()

    assert code == 1
    assert "The worker ended with code 7 while it loaded function_app.py" in stderr
