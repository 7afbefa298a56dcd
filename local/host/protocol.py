"""
The messages between the host and its worker, and their encoding on the socket.

In Azure both use gRPC. A message here is a JSON text followed by the bytes that JSON cannot hold,
such as the body of a request, which are never converted to text.
"""

import json
import struct
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import BaseCookie, Morsel, SimpleCookie
from typing import Any

# The length of the JSON text.
_HEAD = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Datum:
    """An input or output value of a function; `type` is the engine's name for its type."""

    value: Any
    type: str


@dataclass(frozen=True)
class IndexedFunction:
    """A function that the engine found: its name, its id, and its bindings as in function.json."""

    name: str
    id: str
    bindings: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Result:
    """The result of one invocation: `returned` is a Datum or None, `outputs` are Datum values."""

    ok: bool
    returned: Any
    outputs: tuple[tuple[str, Any], ...]
    error: str


class NotSendable(TypeError):
    """A value of a type that the protocol cannot encode."""


def pack(message: Any) -> bytes:
    """The bytes to send for *message*: plain values, bytes, Datum values and cookies."""
    blobs: list[bytes] = []
    text = json.dumps([_plain(message, blobs), [len(blob) for blob in blobs]]).encode()
    return b"".join([_HEAD.pack(len(text)), text, *blobs])


async def send(writer: StreamWriter, message: Any) -> None:
    """Send *message*, waiting while the peer is behind; raises OSError if it is gone."""
    writer.write(pack(message))
    await writer.drain()


async def receive(reader: StreamReader, datum: Callable[[Any, str], Any] = Datum) -> Any:
    """The next message, its values built by *datum*; None if the peer is gone."""
    try:
        (length,) = _HEAD.unpack(await reader.readexactly(_HEAD.size))
        content, sizes = json.loads(await reader.readexactly(length))
        blobs = [await reader.readexactly(size) for size in sizes]
    except (IncompleteReadError, OSError):
        return None
    return _rebuilt(content, blobs, datum)


def _plain(value: Any, blobs: list[bytes]) -> Any:
    """*value* as JSON can hold it: any value that is not plain becomes an object."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(each, blobs) for each in value]
    if isinstance(value, bytes | bytearray | memoryview):
        blobs.append(bytes(value))
        return {"blob": len(blobs) - 1}
    if isinstance(value, BaseCookie):
        return {"cookies": [[m.key, m.value, m.coded_value, dict(m)] for m in value.values()]}
    if isinstance(value, dict):
        return {"map": {name: _plain(each, blobs) for name, each in value.items()}}
    if hasattr(value, "value") and hasattr(value, "type"):
        return {"type": value.type, "value": _plain(value.value, blobs)}
    raise NotSendable(f"a {type(value).__name__} cannot be sent to the host")


def _rebuilt(value: Any, blobs: list[bytes], datum: Callable[[Any, str], Any]) -> Any:
    if isinstance(value, list):
        return [_rebuilt(each, blobs, datum) for each in value]
    if not isinstance(value, dict):
        return value
    if "blob" in value:
        return blobs[value["blob"]]
    if "cookies" in value:
        return _cookies(value["cookies"])
    if "map" in value:
        return {name: _rebuilt(each, blobs, datum) for name, each in value["map"].items()}
    return datum(_rebuilt(value["value"], blobs, datum), value["type"])


def _cookies(written: list[Any]) -> SimpleCookie:
    jar = SimpleCookie()
    for key, value, coded, attributes in written:
        morsel: Morsel[str] = Morsel()
        morsel.set(key, value, coded)
        morsel.update(attributes)
        jar[key] = morsel
    return jar
