"""Reading and comparing what came out of the sandbox: plain data, or a description of what was not.

The bytes were written by an untrusted process. The reader checks every length against what is
there, bounds the depth, refuses sets and dicts built to collide, and makes nothing but plain
values, `Opaque` and `Digest`.
"""

from __future__ import annotations

import marshal
import math
import struct
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from iterpref_assets.core.sandbox.inside.encoding import (
    DIGEST,
    FORMAT,
    MAX_DEPTH,
    TREE,
    VALUE,
    encode,
)

_MAX_COLLISIONS = 64
_LONG_DIGIT_BITS = 15


class MalformedValueError(ValueError):
    """Bytes that no honest encoder writes."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """An object that is not plain data: its type's name and, for library types, its short repr."""

    type_name: str
    text: str


@dataclass(frozen=True, slots=True)
class Digest:
    """A value too large to carry: its type's name, encoded size in bytes and SHA-256 in hex."""

    type_name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Encoded:
    """A value still in its bytes; equal bytes of plain values mean equal values."""

    kind: bytes
    payload: bytes

    def decode(self) -> Any:
        """The plain value, or one holding `Opaque` or `Digest` where it is not plain.

        Raises:
            MalformedValueError: if the bytes are not what the encoder writes.
        """
        value = _Reader(self.payload).whole()
        if self.kind == VALUE:
            return value
        try:
            if self.kind == TREE:
                return _from_tree(value, MAX_DEPTH)
            if self.kind == DIGEST:
                name, size, sha256 = value
                return Digest(str(name), int(size), str(sha256))
        except (TypeError, ValueError, IndexError) as error:
            raise MalformedValueError(str(error)) from error
        raise MalformedValueError(f"unknown kind {self.kind!r}")


def encode_value(value: Any, max_bytes: int) -> Encoded:
    """`value` as the sandbox would report it."""
    return Encoded(*encode(value, max_bytes))


def encode_arguments(arguments: Iterable[tuple[Any, ...]]) -> bytes:
    """Calls' arguments, to be decoded afresh for each call.

    Raises:
        ValueError: if an argument is not plain data.
    """
    return marshal.dumps([marshal.dumps(each, FORMAT) for each in arguments], FORMAT)


def count_calls(encoded: bytes) -> int:
    """How many calls' arguments `encode_arguments` put there."""
    return int.from_bytes(encoded[1:5], "little")


def values_equal(actual: Any, expected: Any) -> bool:
    """Whether two decoded values are equal as Python's `==` has it, except that NaN equals NaN.

    So `1 == 1.0 == True`, a list never equals a tuple, and floats are exact. Decoded values hold
    one and the same NaN object, which containers compare by identity.
    """
    return actual is expected or bool(actual == expected)


def literal(value: Any, limit: int = 4000) -> str:
    """`value` as source text, the same on every machine: sets are sorted, long texts cut.

    The cut text has at most `limit` characters.
    """
    text = "".join(_pieces(value, limit))
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _pieces(value: Any, limit: int) -> Iterable[str]:
    kind = type(value)
    if kind is int and value.bit_length() > 3 * limit:
        return [hex(value)]
    if kind in _BRACKETS and len(value) > 0:
        opening, closing = _BRACKETS[kind]
        inner: list[str] = []
        length = 0
        for member in value.items() if kind is dict else value:
            text = _item(member, limit) if kind is dict else literal(member, limit)
            inner.append(text)
            length += len(text) + 2
            if length > limit and kind not in (set, frozenset):
                break
        if kind in (set, frozenset):
            inner.sort()
        comma = "," if kind is tuple and len(inner) == 1 else ""
        return [opening, ", ".join(inner), comma, closing]
    if kind is Opaque:
        return [value.text or f"<{value.type_name} object>"]
    if kind is Digest:
        return [f"<{value.type_name} of {value.size} bytes>"]
    return [repr(value if kind not in (str, bytes) else value[: limit + 1])]


def _item(item: tuple[Any, Any], limit: int) -> str:
    return f"{literal(item[0], limit)}: {literal(item[1], limit)}"


_BRACKETS = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    dict: ("{", "}"),
}


def _from_tree(node: Any, depth: int) -> Any:
    tag = node[0]
    if depth < 0:
        raise MalformedValueError("nested too deep")
    if tag == "p":
        return node[1]
    if tag == "o":
        return Opaque(str(node[1]), str(node[2]))
    if tag == "d":
        keys = [_from_tree(key, depth - 1) for key, _ in node[1]]
        return _build_dict(keys, [_from_tree(item, depth - 1) for _, item in node[1]])
    return _CONTAINERS[tag]([_from_tree(member, depth - 1) for member in node[1]])


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


def _build_dict(keys: list[Any], items: list[Any]) -> dict[Any, Any]:
    _check_hashes(keys)
    return dict(zip(keys, items, strict=True))


_CONTAINERS: dict[str, Callable[[list[Any]], Any]] = {
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
        if tag in _CONTAINERS and tag in "[(<>":
            count = self.number()
            if count < 0 or count > len(self.data) - self.at:
                raise MalformedValueError("shorter than it says")
            return _CONTAINERS[tag]([self.value(depth - 1) for _ in range(count)])
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
        return _build_dict(keys, items)

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
