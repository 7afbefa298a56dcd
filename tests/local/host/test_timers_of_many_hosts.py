"""Timer state in storage: missed occurrences, and the lock that selects one host."""

import json
from pathlib import Path

import pytest
from azure.storage.blob import BlobLeaseClient, ContainerClient

from local.cloud.azurite import Storage
from tests.local.host.host_process import HostFiles, RunningHost, eventually

pytestmark = pytest.mark.server

CODE = """
@app.timer_trigger(arg_name="timer", schedule="%WHEN%")
def tick(timer: func.TimerRequest) -> None:
    logging.info("tick past_due=%s status=%s", timer.past_due, timer.schedule_status)
"""
YEARLY = "0 0 0 1 1 *"


class Hosts:
    """Hosts of one app on one storage account."""

    def __init__(self, folder: Path, storage: Storage, schedule: str) -> None:
        self.folder = folder
        self.id = f"h{abs(hash(folder))}"
        self.settings = {
            "AzureWebJobsStorage": storage.connection_string,
            "AzureFunctionsWebHost__hostid": self.id,
            "WHEN": schedule,
        }
        self.container = ContainerClient.from_connection_string(
            storage.connection_string, "azure-webjobs-hosts"
        )
        self.status = f"timers/{self.id}/Host.Functions.tick/status"
        self.lock = f"locks/{self.id}/Host.Functions.tick.Listener"

    def one(self, name: str) -> RunningHost:
        return RunningHost(HostFiles(self.folder / name, CODE, settings=self.settings))

    def another(self, name: str) -> RunningHost:
        """
        One that tries to get the lock of a timer every second.

        The lease of the first lasts a minute as in Azure: a shorter one would expire, and be taken,
        while the machine is too busy to renew it.
        """
        settings = {**self.settings, "LOCAL_HOST_LEASE_SECONDS": "1"}
        return RunningHost(HostFiles(self.folder / name, CODE, settings=settings))

    def write(self, *, last: str, next_: str) -> None:
        """Store the status of the timer, as after a run at *last*."""
        moments = {"Last": last, "Next": next_, "LastUpdated": last}
        if not self.container.exists():
            self.container.create_container()
        self.container.upload_blob(self.status, json.dumps(moments), overwrite=True)

    def read(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.container.download_blob(self.status).readall())
        return found

    def read_if(self, **since: str) -> dict[str, str] | None:
        """The content of the blob once its moments are not before *since*."""
        found = self.read()
        return found if all(found[name] >= moment for name, moment in since.items()) else None


def test_missed_occurrence_fires_at_start(tmp_path, storage):
    """It fires immediately, past due, with the stored status; then the new status is stored."""
    hosts = Hosts(tmp_path, storage, YEARLY)
    hosts.write(last="2024-06-01T00:00:00+00:00", next_="2025-01-01T00:00:00+00:00")
    with hosts.one("host") as host:
        log = host.logged("Executed 'Functions.tick' (Succeeded")
        status = eventually(lambda: hosts.read_if(Last="2026"))

    assert "tick past_due=True status={'Last': '2024-06-01T00:00:00+00:00'" in log
    assert status["Last"] == status["LastUpdated"]
    assert status["Next"][4:] == "-01-01T00:00:00+00:00"


def test_changed_schedule_has_missed_nothing(tmp_path, storage):
    """Occurrences of the old schedule are not run; the new schedule counts from now."""
    hosts = Hosts(tmp_path, storage, YEARLY)
    hosts.write(last="2024-06-01T00:00:00+00:00", next_="2024-06-02T00:00:00+00:00")
    with hosts.one("host") as host:
        status = eventually(lambda: hosts.read_if(Next="2026"))
        log = host.log()

    assert "Executing 'Functions.tick'" not in log
    assert status["Last"].startswith("0001-01-01")


def test_new_timer_stores_its_next_occurrence(tmp_path, storage):
    """A host that starts after that moment then knows that it was missed."""
    hosts = Hosts(tmp_path, storage, YEARLY)
    with hosts.one("host"):
        eventually(hosts.container.get_blob_client(hosts.status).exists)
        status = hosts.read()

    assert status["Last"].startswith("0001-01-01")
    assert status["Next"][4:] == "-01-01T00:00:00+00:00"


def test_one_host_of_several_runs_a_timer_and_another_takes_over(tmp_path, storage):
    """Another host gets the lock once the dead host's lease has expired."""
    hosts = Hosts(tmp_path, storage, "* * * * * *")
    first = hosts.one("first")
    first.logged("tick past_due=False status={}")
    with hosts.another("second") as second:
        before = first.log().count("tick past_due")
        first.logged("tick past_due", before + 3)
        idle = "Executing" not in second.log()
        first.child.kill()
        first.child.let_go()
        # Its lease expires, as after a minute.
        lease = BlobLeaseClient(hosts.container.get_blob_client(hosts.lock))
        lease.break_lease(0)
        second.logged("tick past_due=False")

    assert idle


def test_stopping_host_releases_its_lease(tmp_path, storage):
    """After an orderly stop another host gets the lock without waiting for the lease to expire."""
    hosts = Hosts(tmp_path, storage, "* * * * * *")
    with hosts.one("first") as first:
        first.logged("tick past_due")
    with hosts.another("second") as second:
        second.logged("tick past_due")
        properties = hosts.container.get_blob_client(hosts.lock).get_blob_properties()

    assert properties.lease.state == "leased"
