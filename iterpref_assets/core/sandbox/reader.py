"""Reading values from bytes that nobody vouches for: `marshal` format 2, plain values alone.

Every length is checked against what is there, the depth is bounded, and sets and dicts built to
collide are refused.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Callable
from typing import Any

from iterpref_assets.core.sandbox.inside.encoding import MAX_DEPTH

_MAX_COLLISIONS = 64
_LONG_DIGIT_BITS = 15


class MalformedValueError(ValueError):
    """Bytes that no honest encoder writes."""


def read(data: bytes) -> Any:
    """The one plain value that `data` holds.

    Raises:
        MalformedValueError: if the bytes are not what the encoder writes.
    """
    return _Reader(data).whole()


def _check_hashes(members: list[Any]) -> None:
    try:
        hashes = Counter(map(hash, members))
    except TypeError as error:
        raise MalformedValueError(str(error)) from error
    if hashes and max(hashes.values()) > _MAX_COLLISIONS:
        raise MalformedValueError("members built to collide")


def _build_set(members: list[Any]) -> set[Any]:
    _check_hashes(members)
    return set(members)


def _build_frozenset(members: list[Any]) -> frozenset[Any]:
    _check_hashes(members)
    return frozenset(members)


def build_dict(keys: list[Any], items: list[Any]) -> dict[Any, Any]:
    """A dict of keys that do not collide."""
    _check_hashes(keys)
    return dict(zip(keys, items, strict=True))


CONTAINERS: dict[str, Callable[[list[Any]], Any]] = {
    "[": list,
    "(": tuple,
    "<": _build_set,
    ">": _build_frozenset,
    "l": list,
    "t": tuple,
    "s": _build_set,
    "f": _build_frozenset,
}
_CONSTANTS = {"N": None, "T": True, "F": False}


class _Reader:
    """Reads one value of `marshal` format 2 from bytes nobody vouches for."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def whole(self) -> Any:
        value = self.value(MAX_DEPTH + 4)
        if self.at != len(self.data):
            raise MalformedValueError("bytes left over")
        return value

    def take(self, count: int) -> bytes:
        end = self.at + count
        if count < 0 or end > len(self.data):
            raise MalformedValueError("shorter than it says")
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def number(self) -> int:
        return int.from_bytes(self.take(4), "little", signed=True)

    def value(self, depth: int) -> Any:
        if depth < 0:
            raise MalformedValueError("nested too deep")
        tag = self.take(1).decode("latin-1")
        if tag in _CONSTANTS:
            return _CONSTANTS[tag]
        if tag in CONTAINERS and tag in "[(<>":
            count = self.number()
            if count < 0 or count > len(self.data) - self.at:
                raise MalformedValueError("shorter than it says")
            return CONTAINERS[tag]([self.value(depth - 1) for _ in range(count)])
        if tag == "{":
            return self.dictionary(depth)
        return self.scalar(tag)

    def dictionary(self, depth: int) -> dict[Any, Any]:
        keys: list[Any] = []
        items: list[Any] = []
        while self.data[self.at : self.at + 1] != b"0":
            keys.append(self.value(depth - 1))
            items.append(self.value(depth - 1))
        self.at += 1
        return build_dict(keys, items)

    def scalar(self, tag: str) -> Any:
        if tag == "i":
            return self.number()
        if tag == "g":
            return self.float()
        if tag == "y":
            return complex(self.float(), self.float())
        if tag == "u":
            try:
                return self.take(self.number()).decode("utf-8", "surrogatepass")
            except UnicodeDecodeError as error:
                raise MalformedValueError("not UTF-8") from error
        if tag == "s":
            return self.take(self.number())
        if tag == "l":
            return self.long()
        raise MalformedValueError(f"unknown tag {tag!r}")

    def float(self) -> float:
        (number,) = struct.unpack("<d", self.take(8))
        return math.nan if number != number else number  # noqa: PLR0124 - one NaN object for all

    def long(self) -> int:
        count = self.number()
        digits = struct.unpack(f"<{abs(count)}H", self.take(2 * abs(count)))
        if any(digit >> _LONG_DIGIT_BITS for digit in digits):
            raise MalformedValueError("not an integer")
        bits = "".join([f"{digit:015b}" for digit in reversed(digits)])
        number = int(bits or "0", 2)
        return -number if count < 0 else number
