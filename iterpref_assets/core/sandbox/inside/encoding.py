"""Values as bytes that carry no behaviour: `marshal` format 2, written here, read by `values.py`.

Format 2 has no references, so equal bytes mean equal values, and every value stands alone.
Plain values are those whose exact types are None, bool, int, float, complex, str, bytes, list,
tuple, set, frozenset and dict, all the way down. Anything else is described by a tree, one tuple to
each level of the value: subclasses of plain types become their plain content, other objects become
their type's name and a short text.

Only the writing half lives here. `marshal.loads` is never used on what untrusted code has written.
"""

from __future__ import annotations

import hashlib
import marshal
import sys
from collections.abc import Callable
from typing import Any

VALUE, TREE, DIGEST = b"V", b"X", b"D"

FORMAT = 2
MAX_DEPTH = 200
MAX_TEXT = 1000

SCALARS = frozenset({type(None), bool, int, float, complex, str, bytes})
CONTAINERS = frozenset({list, tuple, set, frozenset, dict})
_SEQUENCES = {list: "l", tuple: "t", set: "s", frozenset: "f"}
_CONTENT: dict[type, Callable[[Any], Any]] = {
    int: int.__index__,
    str: str.__str__,
    float: float.__pos__,
    complex: complex.__pos__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
}
_KNOWN_MODULES = frozenset(sys.stdlib_module_names) | {"numpy"}


class TooDeepError(ValueError):
    """A value is nested more than MAX_DEPTH levels, or contains itself."""


def encode(value: Any, max_bytes: int) -> tuple[bytes, bytes]:
    """The kind of encoding (VALUE, TREE or DIGEST) and the bytes; more than max_bytes are digested.

    Raises:
        TooDeepError: for a value nested more than MAX_DEPTH levels.
    """
    if is_plain(value):
        kind, payload = VALUE, marshal.dumps(value, FORMAT)
    else:
        kind, payload = TREE, marshal.dumps(_tree(value, MAX_DEPTH), FORMAT)
    if len(payload) <= max_bytes:
        return kind, payload
    digest = hashlib.sha256(kind + payload).hexdigest()
    return DIGEST, marshal.dumps((_type_name(type(value)), len(payload), digest), FORMAT)


def is_plain(value: Any, depth: int = MAX_DEPTH) -> bool:
    """Whether exact types alone make up `value`.

    Raises:
        TooDeepError: for a value nested more than `depth` levels.
    """
    kind = type(value)
    if kind in SCALARS:
        return True
    if kind not in CONTAINERS:
        return False
    if depth == 0:
        raise TooDeepError
    if kind is dict:
        return _plain_members(value, depth) and _plain_members(value.values(), depth)
    return _plain_members(value, depth)


def _plain_members(members: Any, depth: int) -> bool:
    nested = set(map(type, members)) - SCALARS
    if not nested:
        return True
    if not nested <= CONTAINERS:
        return False
    return all(is_plain(member, depth - 1) for member in members if type(member) in CONTAINERS)


def _tree(value: Any, depth: int) -> tuple[Any, ...]:
    kind = type(value)
    if kind in SCALARS:
        return ("p", value)
    if depth == 0:
        raise TooDeepError
    for base, tag in _SEQUENCES.items():
        if issubclass(kind, base):
            return (tag, *(_tree(member, depth - 1) for member in base.__iter__(value)))
    if issubclass(kind, dict):
        items = dict.items(value)
        return ("d", *(_tree(each, depth - 1) for item in items for each in item))
    return _plain_content(value, kind) or ("o", _type_name(kind), _text(value, kind))


def _plain_content(value: Any, kind: type) -> tuple[Any, ...] | None:
    """The plain value inside a subclass of a scalar type or a numpy scalar, if it is one."""
    if kind.__module__ == "numpy" and hasattr(kind, "item") and getattr(value, "shape", 0) == ():
        content = value.item()
        return ("p", content) if type(content) in SCALARS else None
    for base, content_of in _CONTENT.items():
        if issubclass(kind, base):
            return ("p", content_of(value))
    return None


def _type_name(kind: type) -> str:
    name = f"{kind.__module__}.{kind.__qualname__}" if kind.__module__ else kind.__qualname__
    return name.removeprefix("builtins.")[:MAX_TEXT]


def _text(value: Any, kind: type) -> str:
    """The `repr` of a library's object; a class of the program's own has no say in the text."""
    if str(kind.__module__).partition(".")[0] not in {"builtins"} | _KNOWN_MODULES:
        return ""
    return repr(value)[:MAX_TEXT]
