"""Arrays of numpy and tables of pandas in the JSON of `crossing`, by their plain data.

The libraries are imported where a value of theirs is read, and never because of this module alone:
a value of theirs says itself that its process has them.
"""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Callable
from typing import Any

from . import crossing_zones

LIBRARIES = ("numpy", "pandas")

_PLAIN_TYPES = re.compile(r"[<>|=]?[biufcSUMm]\d*(\[\d*\w+\])?")
"""Numbers, texts, bytes and times: no objects and no records."""

_NULLABLE = re.compile(r"str|string|boolean|U?Int\d+|Float\d+")
"""The types of pandas that stand for numbers and texts, with nothing in place of some."""

_Inner = Callable[[Any], Any]
_Foreign = Callable[[str], None]


def write(value: Any, inner: _Inner, foreign: _Foreign) -> list[Any] | None:
    """The node of a value of numpy or pandas, or None where it is of a type not known here.

    `inner` gives the node of a part, and `foreign` is told the types of columns that do not cross.
    """
    import numpy as np

    if isinstance(value, np.generic):
        array = np.asarray(value)
        return ["scalar", *_array(array, inner)[1:]] if _is_plain(array.dtype) else None
    if type(value) is np.ndarray:
        known = _is_plain(value.dtype) or value.dtype == object
        return _array(value, inner) if known else None
    return _write_pandas(value, inner, foreign) if "pandas" in sys.modules else None


def _is_plain(dtype: Any) -> bool:
    return bool(_PLAIN_TYPES.fullmatch(dtype.str)) and dtype.itemsize > 0


def _array(array: Any, inner: _Inner) -> list[Any]:
    if array.dtype == object:
        return ["objects", list(array.shape), *(inner(member) for member in array.ravel())]
    data = base64.b64encode(array.tobytes()).decode()
    return ["array", array.dtype.str, list(array.shape), data]


def _write_pandas(value: Any, inner: _Inner, foreign: _Foreign) -> list[Any] | None:
    import pandas as pd

    if isinstance(value, pd.Index):
        return _index(value, inner, foreign)
    if isinstance(value, pd.Series):
        index = _index(value.index, inner, foreign)
        return ["Series", inner(value.name), index, _column(value, inner, foreign)]
    if isinstance(value, pd.DataFrame):
        indexes = [_index(each, inner, foreign) for each in (value.columns, value.index)]
        columns = (value.iloc[:, place] for place in range(value.shape[1]))
        return ["DataFrame", *indexes, *(_column(each, inner, foreign) for each in columns)]
    return _write_scalar(value, inner)


def _write_scalar(value: Any, inner: _Inner) -> list[Any] | None:
    import pandas as pd

    if value is pd.NaT or value is pd.NA:
        return ["NaT" if value is pd.NaT else "NA"]
    if isinstance(value, pd.Interval):
        return ["Interval", inner(value.left), inner(value.right), value.closed]
    if isinstance(value, pd.Timedelta):
        return ["Timedelta", value.value]
    return _write_moment(value) if isinstance(value, pd.Timestamp) else None


def _write_moment(value: Any) -> list[Any] | None:
    zone = None if value.tzinfo is None else str(value.tzinfo)
    known = zone is None or crossing_zones.of_pytz(zone) is not None
    return ["Timestamp", value.value, value.unit, zone] if known else None


def _column(values: Any, inner: _Inner, foreign: _Foreign) -> list[Any]:
    """The node of a column or of an index's labels.

    Where its type does not cross, it is told, and the members cross as objects, each by itself.
    """
    import numpy as np

    node = _whole_column(values, inner, foreign)
    if node is not None:
        return node
    foreign(f"pandas {values.dtype}")
    return _array(np.asarray(values, dtype=object), inner)


def _whole_column(values: Any, inner: _Inner, foreign: _Foreign) -> list[Any] | None:
    import numpy as np
    import pandas as pd

    dtype = values.dtype
    if isinstance(dtype, np.dtype):
        array = np.asarray(values)
        return _array(array, inner) if _is_plain(dtype) or dtype.hasobject else None
    if isinstance(dtype, pd.CategoricalDtype):
        plain = pd.Categorical(values)
        codes = _array(np.asarray(plain.codes), inner)
        return ["Categorical", codes, _index(plain.categories, inner, foreign), plain.ordered]
    if isinstance(dtype, pd.IntervalDtype):
        bounds = pd.IntervalIndex(values)
        left, right = (_column(each, inner, foreign) for each in (bounds.left, bounds.right))
        return ["intervals", left, right, bounds.closed]
    if isinstance(dtype, pd.DatetimeTZDtype) and crossing_zones.of_pytz(str(dtype.tz)) is not None:
        times = pd.DatetimeIndex(values).tz_convert("UTC").tz_localize(None)
        return ["zoned", _array(times.to_numpy(), inner), str(dtype.tz)]
    if _NULLABLE.fullmatch(str(dtype)):
        members = [None if pd.isna(each) else each for each in values]
        return ["nullable", str(dtype), *map(inner, members)]
    return None


def _index(index: Any, inner: _Inner, foreign: _Foreign) -> list[Any]:
    import pandas as pd

    if isinstance(index, pd.MultiIndex):
        levels = (index.get_level_values(place) for place in range(index.nlevels))
        return ["MultiIndex", *(_index(each, inner, foreign) for each in levels)]
    name = inner(index.name)
    if isinstance(index, pd.RangeIndex):
        return ["RangeIndex", name, index.start, index.stop, index.step]
    frequency = getattr(index, "freqstr", None) or ""
    return ["Index", name, _column(index, inner, foreign), frequency]


def _read_array(parts: list[Any], _: _Inner) -> Any:
    import numpy as np

    kind, shape, data = parts
    if not _PLAIN_TYPES.fullmatch(kind):
        raise ValueError("no plain type of array")
    buffer = bytearray(base64.b64decode(data, validate=True))
    return np.ndarray(tuple(shape), np.dtype(kind), buffer).copy()


def _read_scalar(parts: list[Any], inner: _Inner) -> Any:
    return _read_array(parts, inner)[()]


def _read_objects(parts: list[Any], inner: _Inner) -> Any:
    import numpy as np

    shape, *members = parts
    array = np.empty(len(members), object)
    for place, member in enumerate(members):
        array[place] = inner(member)
    return array.reshape(shape)


def _read_column(node: Any, inner: _Inner) -> Any:
    import pandas as pd

    match node:
        case ["Categorical", codes, categories, ordered]:
            return pd.Categorical.from_codes(
                inner(codes), categories=inner(categories), ordered=bool(ordered)
            )
        case ["intervals", left, right, closed]:
            bounds = (pd.Index(_read_column(each, inner)) for each in (left, right))
            return pd.arrays.IntervalArray.from_arrays(*bounds, closed=closed)
        case ["zoned", times, zone]:
            return (
                pd.DatetimeIndex(inner(times))
                .tz_localize("UTC")
                .tz_convert(crossing_zones.of_pytz(zone))
            )
        case ["nullable", name, *members] if _NULLABLE.fullmatch(name):
            return pd.array([inner(each) for each in members], dtype=name)
        case ["array" | "objects", *_]:
            return inner(node)
        case _:
            raise ValueError("no column")


def _read_index(parts: list[Any], inner: _Inner) -> Any:
    import pandas as pd

    name, column, frequency = inner(parts[0]), _read_column(parts[1], inner), parts[2]
    kept = object if getattr(column.dtype, "hasobject", False) else None
    index = pd.Index(column, dtype=kept, name=name)
    if frequency and isinstance(index, pd.DatetimeIndex | pd.TimedeltaIndex):
        return type(index)(index, freq=frequency, name=name)
    return index


def _read_range(parts: list[Any], inner: _Inner) -> Any:
    import pandas as pd

    name, start, stop, step = parts
    return pd.RangeIndex(start, stop, step, name=inner(name))


def _read_multi(parts: list[Any], inner: _Inner) -> Any:
    import pandas as pd

    return pd.MultiIndex.from_arrays([pd.Index(inner(each)) for each in parts])


def _read_series(parts: list[Any], inner: _Inner) -> Any:
    import pandas as pd

    name, index, column = parts
    return pd.Series(_read_column(column, inner), index=inner(index), name=inner(name))


def _read_frame(parts: list[Any], inner: _Inner) -> Any:
    import pandas as pd

    names, index, *columns = parts
    found = {place: _read_column(column, inner) for place, column in enumerate(columns)}
    frame = pd.DataFrame(found, index=inner(index))
    frame.columns = inner(names)
    return frame


def _read_timestamp(parts: list[Any], _: _Inner) -> Any:
    import pandas as pd

    value, unit, zone = parts
    moment = pd.Timestamp(int(value), tz="UTC").as_unit(unit)
    return (
        moment.tz_localize(None)
        if zone is None
        else moment.tz_convert(crossing_zones.of_pytz(zone))
    )


def _read_timedelta(parts: list[Any], _: _Inner) -> Any:
    import pandas as pd

    return pd.Timedelta(int(parts[0]))


def _read_interval(parts: list[Any], inner: _Inner) -> Any:
    import pandas as pd

    left, right, closed = parts
    return pd.Interval(inner(left), inner(right), closed)


def _read_not_a_time(_parts: list[Any], _: _Inner) -> Any:
    import pandas as pd

    return pd.NaT


def _read_missing(_parts: list[Any], _: _Inner) -> Any:
    import pandas as pd

    return pd.NA


READERS: dict[str, Callable[[list[Any], _Inner], Any]] = {
    "array": _read_array,
    "scalar": _read_scalar,
    "objects": _read_objects,
    "Index": _read_index,
    "RangeIndex": _read_range,
    "MultiIndex": _read_multi,
    "Series": _read_series,
    "DataFrame": _read_frame,
    "Timestamp": _read_timestamp,
    "Timedelta": _read_timedelta,
    "Interval": _read_interval,
    "NaT": _read_not_a_time,
    "NA": _read_missing,
}
