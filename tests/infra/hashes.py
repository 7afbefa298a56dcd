"""
The functions guid() and uniqueString() of Azure Resource Manager.

The algorithms are not documented; both are checked against Microsoft's own evaluation
(tests/infra/snapshots).
"""

from __future__ import annotations

import uuid

_NAMESPACE = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_BITS = 0xFFFFFFFF


def guid(*words: str) -> str:
    """The name-based UUID of *words*, version 5."""
    return str(uuid.uuid5(_NAMESPACE, "-".join(words)))


def unique_string(*words: str) -> str:
    """Thirteen letters and digits for a hash of 64 bits of *words*, five bits each."""
    rest = _murmur("-".join(words).encode())
    letters = []
    for _ in range(13):
        letters.append(_LETTERS[rest >> 59])
        rest = rest << 5 & 0xFFFFFFFFFFFFFFFF
    return "".join(letters)


def _murmur(data: bytes) -> int:
    """MurmurHash3 with two lanes of 32 bits, as a number of 64."""
    low = high = 0
    whole = len(data) // 8 * 8
    for at in range(0, whole, 8):
        low ^= _mixed(data[at : at + 4], 0x239B961B, 15, 0xAB0E9789)
        low = ((_turned(low, 19) + high) * 5 + 0x561CCD1B) & _BITS
        high ^= _mixed(data[at + 4 : at + 8], 0xAB0E9789, 17, 0x239B961B)
        high = ((_turned(high, 13) + low) * 5 + 0x0BCAA747) & _BITS
    rest = data[whole:]
    low ^= _mixed(rest[:4], 0x239B961B, 15, 0xAB0E9789) ^ len(data)
    high ^= _mixed(rest[4:], 0xAB0E9789, 17, 0x239B961B) ^ len(data)
    low = (low + high) & _BITS
    high = (high + low) & _BITS
    low, high = _final(low), _final(high)
    low = (low + high) & _BITS
    return (high + low & _BITS) << 32 | low


def _mixed(part: bytes, before: int, turn: int, after: int) -> int:
    mixed = int.from_bytes(part, "little") * before & _BITS
    return _turned(mixed, turn) * after & _BITS


def _turned(value: int, by: int) -> int:
    return (value << by | value >> 32 - by) & _BITS


def _final(value: int) -> int:
    value = (value ^ value >> 16) * 0x85EBCA6B & _BITS
    value = (value ^ value >> 13) * 0xC2B2AE35 & _BITS
    return value ^ value >> 16
