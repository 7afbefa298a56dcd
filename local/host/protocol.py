"""
What the host and its worker tell each other, and how it goes over the socket between them.

In Azure both speak gRPC. A message here is a JSON text followed by the bytes that JSON cannot
hold, such as the body of a request, which so are never turned into text.
"""

import json
import struct
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import BaseCookie, Morsel, SimpleCookie
from typing import Any

# How long the JSON text is.
_HEAD = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Datum:
    """A value that goes into a function or comes out of it; `type` is the engine's word."""

    value: Any
    type: str


@dataclass(frozen=True)
class IndexedFunction:
    """What the engine found: a name, its id, and the bindings as function.json would have them."""

    name: str
    id: str
    bindings: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Result:
    """How one invocation ended: `returned` is a Datum or None, `outputs` are Datum values."""

    ok: bool
    returned: Any
    outputs: tuple[tuple[str, Any], ...]
    error: str


class NotSendable(TypeError):
    """A value of a kind that the engine hands to no host."""


def pack(message: Any) -> bytes:
    """Return what to send for *message*: plain values, bytes, Datum values and cookies."""
    blobs: list[bytes] = []
    text = json.dumps([_plain(message, blobs), [len(blob) for blob in blobs]]).encode()
    return b"".join([_HEAD.pack(len(text)), text, *blobs])


async def send(writer: StreamWriter, message: Any) -> None:
    """Send *message*, and wait while the other side is behind; OSError if it is gone."""
    writer.write(pack(message))
    await writer.drain()


async def receive(reader: StreamReader, datum: Callable[[Any, str], Any] = Datum) -> Any:
    """Return the next message with its values made by *datum*; None if the other side is gone."""
    try:
        (length,) = _HEAD.unpack(await reader.readexactly(_HEAD.size))
        content, sizes = json.loads(await reader.readexactly(length))
        blobs = [await reader.readexactly(size) for size in sizes]
    except (IncompleteReadError, OSError):
        return None
    return _rebuilt(content, blobs, datum)


def _plain(value: Any, blobs: list[bytes]) -> Any:
    """Write *value* as JSON can hold it: whatever is no plain value becomes an object."""
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
    raise NotSendable(f"a {type(value).__name__} cannot be handed to the host")


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
