"""Values that cross between a test file's process and its program's, as JSON without behaviour.

A scalar is itself; every other value is a list of a tag and what it is made of. Reading makes
values of the types named here and no others, whatever the bytes say, and runs nothing of the
writer's. Both processes use it; only the test file's trusts what it makes.
"""

from __future__ import annotations

import base64
import json
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import PosixPath
from typing import Any

from . import crossing_arrays, crossing_zones

_SAFE_INTEGER = 1 << 63
_FACTORIES: dict[str, Any] = {
    each.__name__: each for each in (int, float, str, list, dict, set, tuple)
}
_FACTORIES_DEEP = 3
"""A factory may make what has a factory, and so on for ever, as one of trees does."""
_SEQUENCES: dict[str, type] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
}
_MAPPINGS: dict[str, type] = {"dict": dict, "Counter": Counter, "OrderedDict": OrderedDict}


class Foreign:
    """Stands for a value of a type that does not cross: equal to nothing else, without members."""

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name

    def __repr__(self) -> str:
        return f"<{self.type_name} object of the program's process>"


def dumps(value: Any) -> bytes:
    """`value` in bytes, with a name in place of each part that is of a type not known here."""
    return json.dumps(_write(value), separators=(",", ":")).encode()


def loads(data: bytes) -> Any:
    """The value that `dumps` put into bytes.

    Raises:
        ValueError: if the bytes mean none.
    """
    try:
        return _read(json.loads(data, parse_constant=_constant))
    except (TypeError, LookupError, ArithmeticError, AttributeError, RecursionError) as error:
        raise ValueError(f"no value: {error}") from error


def _constant(name: str) -> float:
    """A number that JSON lacks; NaN is numpy's, because containers compare it by identity."""
    if name == "NaN" and "numpy" in sys.modules:
        return sys.modules["numpy"].nan
    return float(name)


def has_foreign(value: Any) -> str:
    """The name of a type in `value` that would not cross, or ""."""
    found: list[str] = []
    _write(value, found.append)
    return found[0] if found else ""


def _nothing(_name: str) -> None:
    pass


def _write(
    value: Any, foreign: Callable[[str], None] = _nothing, factories: int = _FACTORIES_DEEP
) -> Any:
    """The node of a value.

    `foreign` is told each type that does not cross. Of default factories whose values have such
    factories in turn, so many are asked for one.
    """
    kind = type(value)
    if value is None or kind in (bool, str, float):
        return value
    if kind is int:
        return value if -_SAFE_INTEGER < value < _SAFE_INTEGER else ["int", hex(value)]

    def inner(member: Any) -> Any:
        return _write(member, foreign, factories)

    node = crossing_zones.write(value)
    if node is None and kind.__module__.partition(".")[0] in crossing_arrays.LIBRARIES:
        node = crossing_arrays.write(value, inner, foreign)
    if node is None and isinstance(value, defaultdict):
        factory = _factory(value.default_factory, factories)
        node = ["defaultdict", factory, *_items(value, inner)]
    if node is not None:
        return node
    for base, tag, content in _WRITERS:
        # A subclass becomes the nearest type here; `Counter` and `datetime` stand before theirs.
        if isinstance(value, base):
            return [tag, *content(value, inner)]
    name = f"{kind.__module__}.{kind.__qualname__}"
    foreign(name)
    return ["foreign", name]


def _members(value: Any, inner: Callable[[Any], Any]) -> list[Any]:
    return [inner(member) for member in value]


def _items(value: Any, inner: Callable[[Any], Any]) -> list[Any]:
    return [inner(part) for item in dict.items(value) for part in item]


def _factory(factory: Any, factories: int) -> Any:
    """A plain type's name; in a list, the node of what any other makes; "" where none crosses."""
    for name, kind in _FACTORIES.items():
        if factory is kind:
            return name
    if factory is None or factories == 0:
        return ""
    found: list[str] = []
    try:
        made = _write(factory(), found.append, factories - 1)
    except BaseException:  # noqa: BLE001 - the candidate's factory may do anything
        return ""
    return "" if found else [made]


def _moment(value: Any, inner: Callable[[Any], Any]) -> list[Any]:
    """With its offset, which is all that is kept of a zone that does not cross."""
    return [value.isoformat(), value.fold, inner(value.tzinfo)]


_WRITERS: tuple[tuple[Any, str, Callable[[Any, Any], list[Any]]], ...] = (
    (bool, "bool", lambda value, _: [bool(value)]),
    (int, "int", lambda value, _: [hex(int.__index__(value))]),
    (float, "float", lambda value, _: [float.hex(value)]),
    (str, "str", lambda value, _: [str.__str__(value)]),
    (complex, "complex", lambda value, _: [value.real, value.imag]),
    (bytes, "bytes", lambda value, _: [base64.b64encode(value).decode()]),
    (bytearray, "bytearray", lambda value, _: [base64.b64encode(value).decode()]),
    (datetime, "datetime", _moment),
    (date, "date", lambda value, _: [value.isoformat()]),
    (time, "time", _moment),
    (timezone, "timezone", lambda value, inner: _members(value.__getinitargs__(), inner)),
    (timedelta, "timedelta", lambda value, _: [value.days, value.seconds, value.microseconds]),
    (Decimal, "Decimal", lambda value, _: [str(value)]),
    (Fraction, "Fraction", lambda value, _: [hex(value.numerator), hex(value.denominator)]),
    (PosixPath, "path", lambda value, _: [str(value)]),
    (range, "range", lambda value, _: [value.start, value.stop, value.step]),
    (Counter, "Counter", _items),
    (OrderedDict, "OrderedDict", _items),
    (dict, "dict", _items),
    (deque, "deque", lambda value, inner: [value.maxlen, *_members(value, inner)]),
    (list, "list", _members),
    (tuple, "tuple", _members),
    (set, "set", _members),
    (frozenset, "frozenset", _members),
)


def _read(node: Any) -> Any:
    if not isinstance(node, list):
        if isinstance(node, dict):
            raise TypeError("an object")
        return node
    tag, *parts = node
    if tag in _SEQUENCES:
        return _SEQUENCES[tag](map(_read, parts))
    if tag in _MAPPINGS:
        return _MAPPINGS[tag](_pairs(parts))
    if tag in crossing_arrays.READERS:
        return crossing_arrays.READERS[tag](parts, _read)
    return _READERS[tag](*parts)


def _pairs(parts: list[Any]) -> dict[Any, Any]:
    members = [_read(part) for part in parts]
    return dict(zip(members[::2], members[1::2], strict=True))


def _read_default(factory: Any, *parts: Any) -> Any:
    if not isinstance(factory, list):
        return defaultdict(_FACTORIES.get(factory), _pairs(list(parts)))
    (made,) = factory
    _read(made)  # bytes that mean nothing are refused now, not where a test asks
    return defaultdict(partial(_read, made), _pairs(list(parts)))


def _read_datetime(text: str, fold: int, zone: Any) -> datetime:
    moment, named = datetime.fromisoformat(text).replace(fold=fold), _read(zone)
    if not isinstance(named, tzinfo):
        return moment
    # Each of pytz's zones is many objects, one for each offset, and it alone knows which.
    localized = hasattr(named, "localize")
    return moment.astimezone(named) if localized else moment.replace(tzinfo=named)


def _read_time(text: str, fold: int, zone: Any) -> time:
    moment, named = time.fromisoformat(text).replace(fold=fold), _read(zone)
    return moment.replace(tzinfo=named) if isinstance(named, tzinfo) else moment


def _read_timezone(*parts: Any) -> timezone:
    return timezone(*map(_read, parts))


def _read_int(text: str) -> int:
    return int(text, 16)


def _read_float(text: str) -> float:
    return float.fromhex(text)


def _read_bytearray(text: str) -> bytearray:
    return bytearray(_read_bytes(text))


def _read_bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _read_deque(longest: int | None, *parts: Any) -> Any:
    return deque(map(_read, parts), longest)


def _read_complex(real: float, imaginary: float) -> complex:
    return complex(real, imaginary)


def _read_fraction(numerator: str, denominator: str) -> Fraction:
    return Fraction(int(numerator, 16), int(denominator, 16))


_READERS: dict[str, Callable[..., Any]] = {
    "bool": bool,
    "int": _read_int,
    "float": _read_float,
    "str": str,
    "complex": _read_complex,
    "bytes": _read_bytes,
    "bytearray": _read_bytearray,
    "datetime": _read_datetime,
    "date": date.fromisoformat,
    "time": _read_time,
    "timezone": _read_timezone,
    "zone": crossing_zones.read,
    "timedelta": timedelta,
    "Decimal": Decimal,
    "Fraction": _read_fraction,
    "path": PosixPath,
    "range": range,
    "defaultdict": _read_default,
    "deque": _read_deque,
    "foreign": Foreign,
}
