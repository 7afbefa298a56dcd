"""Apps that the host refuses: the sentence names the function and the real host's reaction."""

from typing import Any

import pytest

from local.host.bindings import HttpTrigger, QueueTrigger, TimerTrigger, read_functions
from local.host.protocol import IndexedFunction
from local.host.refusal import Refused
from tests.local.host.host_process import HostFiles

pytestmark = pytest.mark.server

OFF = "; the real host would start without this function"
WEB = '\ndef f(req: func.HttpRequest) -> str:\n    return ""\n'
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
        (
            [http("fine"), http(route="admin")],
            "Function 'web': the route 'admin' is reserved: it begins with admin or runtime" + OFF,
        ),
        ([http(route="/Administrators/x")], "reserved"),
        ([http(route="runtime/x")], "reserved"),
        ([http("adminpage")], "Function 'adminpage': the route 'adminpage' is reserved"),
        (
            [http(route="x{y}")],
            "Function 'web': the route 'x{y}': the local host does not understand 'x{y}'; the real "
            "one may",
        ),
        ([http("one"), timer("ONE")], "Function 'ONE': the name is used twice"),
        ([http("one", route="a"), http("two", route="A/")], "'two': its route is the route of"),
        (
            [
                http("one", route="a", methods=["GET", "POST"]),
                http("b", route="a", methods=["get"]),
            ],
            "Function 'b': its route is the route of 'one'",
        ),
        ([http("1st")], "Function '1st': the name is not allowed"),
        ([http("host")], "Function 'host': the name is not allowed"),
        ([queue(type="blobTrigger")], "'work': the local host does not support bindings of type"),
        (
            [queue(binding="my_message")],
            "'work': the binding name 'my_message' is invalid: letters and digits only" + OFF,
        ),
        ([queue(direction="OUT")], "must have the direction IN"),
        ([queue(queueName="a--b")], "Function 'work': 'a--b' is not a queue name"),
        ([queue(queueName="ab")], "is not a queue name"),
        ([queue(queueName="%NOPE%")], "Function 'work': %NOPE% names no app setting" + OFF),
        ([queue(connection="OTHER")], "'work': the connection setting OTHER is missing" + OFF),
        ([timer(schedule="* * *")], "Function 'tick': bad schedule '* * *'"),
        ([timer(schedule="* * *")], "such as 00:05:00)" + OFF),
        ([timer(schedule="%WHEN%")], "Function 'tick': %WHEN% names no app setting"),
        ([indexed("none")], "Function 'none': a function has one trigger, not 0"),
    ],
)
def test_bad_app_is_refused(functions, sentence):
    """One fault refuses the whole app, even where the real host drops only one function."""
    with pytest.raises(Refused) as refused:
        read_functions(functions, SETTINGS, bundle=True)

    assert sentence in str(refused.value)


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
    """It is off if the app says so, and for a timer that runs more than once in every minute."""
    (function,) = read_functions(
        [timer(schedule=schedule, useMonitor=use_monitor)], SETTINGS, bundle=False
    )

    assert isinstance(function.trigger, TimerTrigger)
    assert function.trigger.monitored is monitored


def test_same_route_with_different_methods_is_fine():
    """Only an intersection of methods is a conflict."""
    functions = [http(method, route="a", methods=[method]) for method in ("GET", "POST")]
    for function in read_functions(functions, SETTINGS, bundle=False):
        assert isinstance(function.trigger, HttpTrigger)
        assert function.trigger.methods == {function.name}


def test_defaults():
    """The route is the function's name, a key is required, %NAME% is expanded in lower case."""
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
        "Function 'work': the setting AzureWebJobsStorage is not a storage connection string" + OFF
    )


@pytest.mark.parametrize(("value", "off"), [("1", True), ("True", True), ("0", False), ("", False)])
def test_disabled_setting(value, off):
    """AzureWebJobs.<name>.Disabled disables with 1 or true; the name ignores case."""
    settings = {**SETTINGS, "AzureWebJobs.WORK.Disabled": value}

    assert read_functions([queue()], settings, bundle=True)[0].disabled is off


def test_queues_need_the_extension_bundle():
    """Without extensionBundle in host.json, only HTTP and timer bindings are registered."""
    assert len(read_functions([http(), timer()], SETTINGS, bundle=False)) == 2
    with pytest.raises(Refused, match="Function 'work': .*extensionBundle"):
        read_functions([queue()], SETTINGS, bundle=False)


@pytest.mark.parametrize(
    ("code", "sentence", "traceback"),
    [
        ("import no_such_module", "function_app.py could not be loaded: ModuleNotFoundError", True),
        ("raise RuntimeError('early')", "could not be loaded: RuntimeError: early", True),
        ("", "0 functions found", False),
        (f'@app.route("admin/x"){WEB}', "'f': the route", False),
        (f'@app.route("a"){WEB}' * 2, "Function f does not have a unique function name", True),
        (
            '@app.queue_trigger("m", "jobs", "AzureWebJobsStorage")\ndef f(m) -> None: ...\n',
            "Function 'f': the setting AzureWebJobsStorage is not a storage connection string"
            + OFF,
            False,
        ),
    ],
)
def test_host_exits_with_one_and_a_sentence(tmp_path, code, sentence, traceback):
    """Exit code 1, the reason as the last line of stderr, and the traceback of an import error."""
    files = HostFiles(tmp_path, code, settings={"AzureWebJobsStorage": "nonsense"})
    exit_code, stderr = files.refusal()

    assert exit_code == 1
    assert sentence in stderr.strip().splitlines()[-1]
    assert ("Traceback (most recent call last)" in stderr) is traceback
    assert ("function_app.py" in stderr) or not traceback
