"""What the host refuses, with a sentence that names the function and what the real one does."""

from typing import Any

import pytest

from local.host.bindings import HttpTrigger, QueueTrigger, TimerTrigger, read_functions
from local.host.protocol import IndexedFunction
from local.host.refusal import Refused
from tests.local.host.host_process import HostFiles

pytestmark = pytest.mark.server

OFF = "the real host would start with this function off"
SETTINGS = {"AzureWebJobsStorage": "UseDevelopmentStorage=true", "NAME": "From-Setting"}


def http(name: str = "web", **binding: Any) -> IndexedFunction:
    trigger = {"direction": "IN", "type": "httpTrigger", "name": "req", **binding}
    return indexed(name, trigger, {"direction": "OUT", "type": "http", "name": "$return"})


def queue(name: str = "work", *, binding: str = "m", **rest: Any) -> IndexedFunction:
    trigger = {"direction": "IN", "type": "queueTrigger", "name": binding, "queueName": "jobs"}
    return indexed(name, {**trigger, **rest})


def timer(name: str = "tick", **binding: Any) -> IndexedFunction:
    trigger = {"direction": "IN", "type": "timerTrigger", "name": "t", "schedule": "0 * * * * *"}
    return indexed(name, {**trigger, **binding})


def indexed(name: str, *bindings: dict[str, Any]) -> IndexedFunction:
    return IndexedFunction(name=name, id=name, bindings=tuple(bindings))


@pytest.mark.parametrize(
    ("functions", "sentence"),
    [
        ([], "0 functions found"),
        ([http(route="admin")], "Function 'web': the route 'admin' is reserved"),
        ([http(route="/Administrators/x")], "reserved"),
        ([http(route="runtime/x")], "reserved"),
        ([http("adminpage")], "Function 'adminpage': the route 'adminpage' is reserved"),
        ([http(route="x{y}")], "Function 'web': the route 'x{y}'"),
        ([http("one"), timer("ONE")], "Function 'ONE': the name is used twice"),
        ([http("one", route="a"), http("two", route="A/")], "'two': its route is the route of"),
        (
            [
                http("one", route="a", methods=["GET", "POST"]),
                http("two", route="a", methods=["get"]),
            ],
            "Function 'two': its route is the route of 'one'",
        ),
        ([http("1st")], "Function '1st': the name is not allowed"),
        ([http("host")], "Function 'host': the name is not allowed"),
        ([queue(type="blobTrigger")], "Function 'work': the local host knows no binding of type"),
        ([queue(binding="my_message")], "'work': the binding name 'my_message' is invalid"),
        ([queue(direction="OUT")], "must have the direction IN"),
        ([queue(queueName="a--b")], "Function 'work': 'a--b' is not a queue name"),
        ([queue(queueName="ab")], "is not a queue name"),
        ([queue(queueName="%NOPE%")], "Function 'work': %NOPE% names no app setting"),
        ([queue(connection="OTHER")], "Function 'work': the connection setting OTHER is missing"),
        ([timer(schedule="* * *")], "Function 'tick': bad schedule '* * *'"),
        ([timer(schedule="%WHEN%")], "Function 'tick': %WHEN% names no app setting"),
        ([indexed("none")], "Function 'none': a function has one trigger, not 0"),
    ],
)
def test_bad_app_is_refused(functions, sentence):
    """One breach of the real host's rules refuses the whole app, be it for less there."""
    with pytest.raises(Refused) as refused:
        read_functions(functions, SETTINGS, bundle=True)

    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (http(route="admin"), "reserved: it begins with admin or runtime; " + OFF),
        (queue(binding="my_message"), "letters and digits only; " + OFF),
        (queue(queueName="%NOPE%"), "names no app setting; " + OFF),
        (queue(connection="OTHER"), "the connection setting OTHER is missing; " + OFF),
        (timer(schedule="* * *"), "too); " + OFF),
        (http(route="x{y}"), "nothing that the local host understands, the real one may"),
    ],
)
def test_refusal_tells_what_the_real_host_does(function, told):
    """It starts with that function off, or takes what only this host does not know."""
    with pytest.raises(Refused) as refused:
        read_functions([http("fine"), function], SETTINGS, bundle=True)

    assert str(refused.value).endswith(told)


@pytest.mark.parametrize(
    ("schedule", "use_monitor", "monitored"),
    [
        ("* * * * * *", True, False),
        ("*/30 * * * * *", True, False),
        ("0 * * * * *", True, True),
        ("* 30 * * * *", True, True),
        ("0 0 0 1 1 *", False, False),
    ],
)
def test_schedule_monitor(schedule, use_monitor, monitored):
    """It is off where the app says so, and where a timer runs several times in every minute."""
    (function,) = read_functions(
        [timer(schedule=schedule, useMonitor=use_monitor)], SETTINGS, bundle=False
    )

    assert isinstance(function.trigger, TimerTrigger)
    assert function.trigger.monitored is monitored


def test_same_route_with_different_methods_is_fine():
    """Only an intersection of methods is a conflict."""
    one, two = read_functions(
        [http("one", route="a", methods=["GET"]), http("two", route="a", methods=["POST"])],
        SETTINGS,
        bundle=False,
    )

    assert isinstance(one.trigger, HttpTrigger)
    assert isinstance(two.trigger, HttpTrigger)
    assert one.trigger.methods | two.trigger.methods == {"GET", "POST"}


def test_defaults():
    """Route: the function's name; level: a key is needed; queue: %NAME% expanded, in lower case."""
    web, work = read_functions([http("web"), queue(queueName="%NAME%")], SETTINGS, bundle=True)

    assert isinstance(web.trigger, HttpTrigger)
    assert (web.trigger.route, web.trigger.level) == ("web", "function")
    assert work.trigger == QueueTrigger("m", "from-setting", "UseDevelopmentStorage=true")


def test_connection_is_looked_up_with_prefix_first():
    """connection "Two" means AzureWebJobsTwo, else Two."""
    plain, prefixed = (f"AccountName={name};AccountKey=a2V5" for name in ("plain", "prefixed"))
    settings = {"AzureWebJobsTwo": prefixed, "Two": plain, "One": plain}

    one, two = read_functions(
        [queue("a", connection="One"), queue("b", connection="Two")], settings, bundle=True
    )

    assert isinstance(one.trigger, QueueTrigger)
    assert isinstance(two.trigger, QueueTrigger)
    assert (one.trigger.connection, two.trigger.connection) == (plain, prefixed)


@pytest.mark.parametrize(
    "connection",
    [
        "nonsense",
        "AccountName=photosync",
        "AccountName=photosync;AccountKey=secret!;EndpointSuffix=core.windows.net",
        "BlobEndpoint=http://127.0.0.1:1;AccountName=photosync;;AccountKey",
    ],
)
def test_malformed_connection_string_is_refused_by_name(connection):
    """The setting is named and its value is not shown."""
    with pytest.raises(Refused) as refused:
        read_functions([queue()], {"AzureWebJobsStorage": connection}, bundle=True)

    assert str(refused.value) == (
        "Function 'work': the setting AzureWebJobsStorage is not a storage connection string; "
        + OFF
    )


@pytest.mark.parametrize(("value", "off"), [("1", True), ("True", True), ("0", False), ("", False)])
def test_disabled_setting(value, off):
    """AzureWebJobs.<name>.Disabled is 1 or true, the name in any case."""
    settings = {**SETTINGS, "AzureWebJobs.WORK.Disabled": value}

    assert read_functions([queue()], settings, bundle=True)[0].disabled is off


def test_queues_need_the_extension_bundle():
    """Without extensionBundle in host.json, only HTTP and timer bindings are registered."""
    assert len(read_functions([http(), timer()], SETTINGS, bundle=False)) == 2
    with pytest.raises(Refused, match="Function 'work': .*extensionBundle"):
        read_functions([queue()], SETTINGS, bundle=False)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("import no_such_module", "function_app.py could not be loaded: ModuleNotFoundError"),
        ("raise RuntimeError('early')", "could not be loaded: RuntimeError: early"),
        ("", "0 functions found"),
        (
            '@app.route("admin/x")\ndef f(req: func.HttpRequest) -> str:\n    return ""',
            "'f': the route",
        ),
        (
            '@app.route("a")\ndef f(req: func.HttpRequest) -> str:\n    return ""\n' * 2,
            "Function f does not have a unique function name",
        ),
    ],
)
def test_host_exits_with_one_and_a_sentence(tmp_path, code, sentence):
    """The process ends with code 1 and the last line of stderr says why."""
    exit_code, stderr = HostFiles(tmp_path, code).refusal()

    assert exit_code == 1
    assert sentence in stderr.strip().splitlines()[-1]


def test_host_exits_with_one_sentence_for_a_malformed_connection_string(tmp_path):
    """No traceback: the last line of stderr says it, exit code 1."""
    code = """
@app.queue_trigger(arg_name="m", queue_name="jobs", connection="AzureWebJobsStorage")
def f(m: func.QueueMessage) -> None:
    pass
"""
    files = HostFiles(tmp_path, code, settings={"AzureWebJobsStorage": "nonsense"})
    exit_code, stderr = files.refusal()

    assert exit_code == 1
    assert "Traceback" not in stderr
    assert stderr.splitlines()[-1] == (
        "Function 'f': the setting AzureWebJobsStorage is not a storage connection string; " + OFF
    )


def test_import_error_shows_traceback(tmp_path):
    """Azure would show 0 functions and nothing else; here one sees the line."""
    _, stderr = HostFiles(tmp_path, "import no_such_module").refusal()

    assert "Traceback (most recent call last)" in stderr
    assert "function_app.py" in stderr
