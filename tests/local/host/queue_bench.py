"""An app with one queue on real storage; it records every message that it gets."""

import json
import random
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from local.cloud.azurite import Storage
from tests.local.host.host_process import FAST_QUEUES, HostFiles, eventually

# The queue name is a setting, so that tests can share one storage account.
CODE = """
import os, pathlib, time, json
from typing import List
work = pathlib.Path(os.environ["WORK"])

@app.route("put", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@app.queue_output(arg_name="out", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
def put(req: func.HttpRequest, out: func.Out[List[str]]) -> func.HttpResponse:
    out.set(req.get_json())
    return func.HttpResponse(status_code=202)

@app.queue_trigger(arg_name="message", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
def take(message: func.QueueMessage) -> None:
    body = message.get_body().decode()
    facts = {"body": body, "count": message.dequeue_count, "id": message.id,
             "inserted": message.insertion_time.isoformat(), "receipt": message.pop_receipt,
             "expires": message.expiration_time.isoformat()}
    with (work / "taken").open("a") as taken:
        taken.write(json.dumps(facts) + "\\n")
    if body.startswith("hang"):
        while not (work / "go").exists() and not (work / f"go {body}").exists():
            time.sleep(0.02)
    if body.startswith("fail"):
        raise RuntimeError("no")
"""
POISON_CODE = CODE.replace(
    'queue_name="%QUEUE%", connection="AzureWebJobsStorage")\ndef take',
    ('queue_name="%QUEUE%-poison", connection="AzureWebJobsStorage")\ndef take'),
)


class Bench:
    """An app, its queue with these *texts* if any, and the messages that the app recorded."""

    def __init__(
        self,
        folder: Path,
        storage: Storage,
        *texts: str,
        code: str = CODE,
        settings: dict[str, str] | None = None,
        host_json: dict[str, Any] | None = None,
        **queues: Any,
    ) -> None:
        self.folder = folder
        self.connection = storage.connection_string
        self.name = f"q{random.randrange(10**9)}"
        values = {"AzureWebJobsStorage": self.connection, "QUEUE": self.name, "WORK": str(folder)}
        self.files = HostFiles(
            folder / "host",
            code,
            settings={**values, **(settings or {})},
            queues={**FAST_QUEUES, **queues},
            host_json=host_json,
        )
        if texts:
            self.make(*texts)

    def queue(self, suffix: str = "") -> QueueClient:
        return QueueClient.from_connection_string(self.connection, self.name + suffix)

    def make(self, *texts: str, suffix: str = "") -> None:
        """Create the queue with these messages."""
        with self.queue(suffix) as queue:
            queue.create_queue()
            for text in texts:
                queue.send_message(text)

    def receive_twice(self, suffix: str = "") -> None:
        """Raise the dequeue count of the first message to 2."""
        with self.queue(suffix) as queue:
            for _ in range(2):
                (message,) = next(queue.receive_messages(visibility_timeout=1).by_page())
                queue.update_message(message, visibility_timeout=0)

    def taken(self) -> list[dict[str, Any]]:
        path = self.folder / "taken"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def took(self, count: int) -> list[dict[str, Any]]:
        return eventually(lambda: self.taken() if len(self.taken()) >= count else None)

    def left(self, suffix: str = "") -> int | None:
        """The number of messages in the queue, visible or not."""
        with self.queue(suffix) as queue:
            return queue.get_queue_properties().approximate_message_count

    def empty(self, suffix: str = "", *, but: int = 0) -> bool:
        return eventually(lambda: self.left(suffix) == but)

    def peek(self, suffix: str = "") -> list[str]:
        """The visible messages, once there are any."""

        def visible() -> list[str]:
            try:
                with self.queue(suffix) as queue:
                    return [each.content for each in queue.peek_messages(32)]
            except ResourceNotFoundError:
                return []

        return eventually(visible)
