"""Reading and comparing what came out of the sandbox: plain data, or a description of what was not.

The bytes were written by an untrusted process; `reader` makes nothing but plain values of them.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable
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
from iterpref_assets.core.sandbox.reader import (
    CONTAINERS,
    MalformedValueError,
    build_dict,
    read,
)

_MAX_SIZE = 1 << 63

_LARGEST_RATIO = 64
"""A value's bytes beyond this many times those of another cannot mean the same: the longest way to
say the same is an integer of 1,024 bits, in a tree, for a float."""


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

    def could_equal(self, other: Encoded) -> bool:
        """Whether this is short enough to mean the same as `other`, told without reading it."""
        return len(self.payload) <= _LARGEST_RATIO * (len(other.payload) + _LARGEST_RATIO)

    def decode(self) -> Any:
        """The plain value, or one holding `Opaque` or `Digest` where it is not plain.

        Raises:
            MalformedValueError: if the bytes are not what the encoder writes.
        """
        value = read(self.payload)
        if self.kind == VALUE:
            return value
        try:
            if self.kind == TREE:
                return _from_tree(value, MAX_DEPTH)
            if self.kind == DIGEST:
                name, size, sha256 = value
                if not 0 <= size < _MAX_SIZE:
                    raise MalformedValueError("a size that no value has")
                return Digest(str(name), int(size), str(sha256))
        except (TypeError, ValueError, LookupError) as error:
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
        members = [_from_tree(member, depth - 1) for member in node[1:]]
        return build_dict(members[::2], members[1::2])
    return CONTAINERS[tag]([_from_tree(member, depth - 1) for member in node[1:]])
