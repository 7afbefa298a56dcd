"""Timers run on their schedule, at startup if configured, and by hand through the admin route."""

import pytest
import requests

from tests.local.host.host_process import HostFiles, RunningHost

pytestmark = pytest.mark.server

CODE = """
@app.timer_trigger(arg_name="timer", schedule="%WHEN%", use_monitor=False)
def tick(timer: func.TimerRequest) -> None:
    logging.info("tick past_due=%s status=%s", timer.past_due, timer.schedule_status)

@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True)
def once(timer: func.TimerRequest) -> None:
    logging.info("once")

@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
def yearly(timer: func.TimerRequest) -> None:
    logging.info("yearly next=%s", timer.schedule_status["Next"][5:])

@app.route("web", auth_level=func.AuthLevel.ANONYMOUS)
def web(req: func.HttpRequest) -> str:
    return "web"
"""


def test_timers_run_when_they_are_due(tmp_path):
    """
    The schedule comes from a setting; run_on_startup runs immediately, other timers wait. Without
    the schedule monitor there is no schedule status.
    """
    files = HostFiles(tmp_path, CODE, settings={"WHEN": "* * * * * *"})
    with RunningHost(files) as host:
        host.logged("tick past_due=False status={}")
        log = host.logged("Executed 'Functions.once' (Succeeded")

    assert "Executing 'Functions.yearly'" not in log


def test_run_now_by_the_admin_route(tmp_path):
    """POST /admin/functions/<name> with the master key runs a timer; 202, as documented."""
    files = HostFiles(tmp_path, CODE, settings={"WHEN": "0 0 0 1 1 *"})
    with RunningHost(files) as host:
        url = host.url + "/admin/functions/yearly"
        master = {"x-functions-key": host.keys.master}
        for headers, status in (({}, 401), ({"x-functions-key": host.keys.host}, 403)):
            assert requests.post(url, headers=headers, json={}, timeout=30).status_code == status
        answer = requests.post(url, headers=master, json={"input": ""}, timeout=30)
        assert (answer.status_code, answer.content) == (202, b"")
        host.logged("yearly next=01-01T00:00:00+00:00")


@pytest.mark.parametrize(
    ("method", "name", "body", "media", "status"),
    [
        ("POST", "nobody", "{}", "json", 404),
        ("POST", "web", "{}", "json", 202),
        ("GET", "yearly", "", "json", 200),
        ("GET", "nobody", "", "json", 404),
        ("DELETE", "yearly", "", "json", 404),
        ("POST", "yearly", "", "json", 400),
        ("POST", "yearly", "[]", "json", 400),
        ("POST", "yearly", "{}", "text", 415),
    ],
)
def test_admin_route(admin_host, method, name, body, media, status):
    """
    Every function is described and can be run; an unknown one is a 404. As in ASP.NET, a body that
    is read into an object must have the content type of JSON.
    """
    kind = {"json": "application/json", "text": "text/plain"}[media]
    headers = {"x-functions-key": admin_host.keys.master, "Content-Type": kind}

    answer = admin_host.call(method, f"/admin/functions/{name}", headers=headers, data=body)

    assert answer.status_code == status


@pytest.fixture(scope="module")
def admin_host(tmp_path_factory):
    files = HostFiles(tmp_path_factory.mktemp("admin"), CODE, settings={"WHEN": "0 0 0 1 1 *"})
    with RunningHost(files) as host:
        yield host
