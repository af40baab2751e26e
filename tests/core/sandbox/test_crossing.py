"""What crosses between a test file and its program: values and their types, and no code."""

import json
import math
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core.sandbox.inside.crossing import Foreign, dumps, has_foreign, loads


class Point(NamedTuple):
    x: int
    y: int


HASHABLE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.complex_numbers(allow_nan=False),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.datetimes(),
    st.decimals(allow_nan=False),
    st.fractions(),
)
VALUES = st.recursive(
    HASHABLE,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.lists(inner).map(deque),
        st.sets(HASHABLE),
        st.frozensets(HASHABLE),
        st.dictionaries(HASHABLE, inner),
        st.dictionaries(HASHABLE, inner).map(OrderedDict),
    ),
)


@given(VALUES)
def test_a_plain_value_comes_out_as_it_went_in(value: Any) -> None:
    found = loads(dumps(value))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        Counter("abracadabra"),
        defaultdict(list, a=[1]),
        deque([1, 2], maxlen=2),
        bytearray(b"x"),
        range(1, 9, 2),
        Path("a/b"),
        datetime(2024, 5, 1, 12, tzinfo=UTC),
        np.float32(0.1),
        np.int64(-7),
        np.bool_(True),
        np.str_("x"),
        pd.Timestamp("2024-01-02 03:04:05.000000006"),
        pd.Timestamp("2024-01-02", tz="Europe/Rome"),
        pd.Timedelta("3 days 4 ns"),
    ],
)
def test_a_value_of_a_library_keeps_its_type(value: Any) -> None:
    found = loads(dumps(value))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3)[:, ::-1],
        np.array([], dtype=np.int8),
        np.array(3),
        np.array(["a", "bcd"]),
        np.array([1, "a", None], dtype=object),
        np.array(["2024-01-01"], dtype="M8[D]"),
        np.array([True, False]),
        np.array([1 + 2j]),
    ],
    ids=repr,
)
def test_an_array_keeps_shape_type_and_members(array: Any) -> None:
    found = loads(dumps(array))
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype


FRAMES = {
    "numbers and texts": pd.DataFrame({"a": [1, 2], "b": [0.5, math.nan], "c": ["x", None]}),
    "labels": pd.DataFrame({1: [1, 2], "b": [3, 4]}, index=pd.Index(["p", "q"], name="row")),
    "days": pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2024-01-01", periods=2, freq="D")),
    "zoned times": pd.DataFrame({"t": pd.to_datetime(["2024-01-01"]).tz_localize("Europe/Rome")}),
    "categories": pd.DataFrame({"c": pd.Categorical(["b", None], ["b", "a"], ordered=True)}),
    "nullable numbers": pd.DataFrame({"n": pd.array([1, None], dtype="Int64")}),
    "nothing": pd.DataFrame(),
    "columns alone": pd.DataFrame(columns=["a", "b"]),
    "a column twice": pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "two levels": pd.DataFrame(
        {"v": [1, 2]}, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", "y"])
    ),
    "objects": pd.DataFrame({"o": [[1], {"k": 2}]}),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_table_comes_out_as_it_went_in(name: str) -> None:
    pd.testing.assert_frame_equal(loads(dumps(FRAMES[name])), FRAMES[name])


def test_a_column_keeps_its_name_and_index() -> None:
    column = pd.Series([1.5, 2.5], index=["a", "b"], name="n")
    pd.testing.assert_series_equal(loads(dumps(column)), column)


def test_a_number_longer_than_python_reads_crosses() -> None:
    assert loads(dumps([1 << 20_000])) == [1 << 20_000]


def test_lists_of_nan_are_equal_after_they_have_crossed() -> None:
    assert loads(dumps([math.nan, float("nan")])) == [np.nan, np.nan]


def test_a_time_of_day_crosses() -> None:
    assert loads(dumps([time(1, 2, 3), date(2024, 2, 29), timedelta(-1, 5)])) == [
        time(1, 2, 3),
        date(2024, 2, 29),
        timedelta(-1, 5),
    ]


ZONES = st.one_of(
    st.none(),
    st.timezones(),
    st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone),
)


@given(st.datetimes(timezones=ZONES))
def test_a_moment_keeps_its_zone_and_which_of_two_it_is(moment: datetime) -> None:
    found = loads(dumps(moment))
    assert found.replace(tzinfo=None) == moment.replace(tzinfo=None)
    assert (found.tzinfo, found.fold) == (moment.tzinfo, moment.fold)


@given(st.times(timezones=ZONES))
def test_a_time_of_day_keeps_its_zone_and_which_of_two_it_is(moment: time) -> None:
    found = loads(dumps(moment))
    assert found.replace(tzinfo=None) == moment.replace(tzinfo=None)
    assert (found.tzinfo, found.fold) == (moment.tzinfo, moment.fold)


@pytest.mark.parametrize("month", [1, 7])
def test_a_moment_keeps_its_zone_of_pytz(month: int) -> None:
    pytz = pytest.importorskip("pytz", reason="its zones cross where it is installed")
    moment = pytz.timezone("Europe/Rome").localize(datetime.fromisoformat(f"2024-0{month}-01"))
    found = loads(dumps(moment))
    assert found == moment
    assert found.tzinfo is moment.tzinfo


class Own(tzinfo):
    """A zone two hours east of Greenwich that no library knows."""

    def utcoffset(self, dt: datetime | None, /) -> timedelta:
        return timedelta(hours=2)


@pytest.mark.parametrize("moment", [datetime(2024, 1, 2, tzinfo=Own()), time(1, 2, tzinfo=Own())])
def test_a_zone_of_another_kind_is_named_and_its_offset_crosses(moment: Any) -> None:
    assert has_foreign(moment) == f"{__name__}.Own"
    assert loads(dumps(moment)).tzinfo == timezone(timedelta(hours=2))


def test_a_zone_that_is_not_known_here_leaves_the_offset() -> None:
    moment = '["datetime","2024-01-02T00:00:00+02:00",0,["zone","zoneinfo","No/Where"]]'
    assert loads(moment.encode()) == datetime(2024, 1, 2, tzinfo=timezone(timedelta(hours=2)))


def test_half_numbers_cross_exactly() -> None:
    assert loads(dumps((Decimal("0.10"), Fraction(1, 3)))) == (Decimal("0.10"), Fraction(1, 3))


def test_a_subclass_crosses_as_its_plain_content() -> None:
    class Own(dict[str, int]):
        def items(self) -> Any:
            return ()

    assert loads(dumps(Own(a=1))) == {"a": 1}
    assert loads(dumps(Point(1, 2))) == (1, 2)


def test_an_object_crosses_as_the_name_of_its_type() -> None:
    found = loads(dumps([object()]))[0]
    assert type(found) is Foreign
    assert found.type_name == "builtins.object"
    assert found != loads(dumps(object()))


@pytest.mark.parametrize("value", [lambda: 0, iter([]), open, np.array([object()]), Foreign("x")])
def test_what_would_not_cross_is_named(value: Any) -> None:
    assert has_foreign({"k": [value]})


def test_a_plain_value_has_nothing_foreign() -> None:
    assert has_foreign([1, {"a": (2.5, pd.Series([1]), np.arange(2))}]) == ""


@pytest.mark.parametrize(
    "node",
    [
        ["no such tag"],
        [],
        ["dict", 1],
        ["dict", ["list"], 1],
        ["int", "x"],
        ["array", "|O", [1], "AAAAAAAAAAA="],
        ["array", "<f8", [1000], "AAAAAAAAAAA="],
        ["array", "<f8", [1], "no base 64!"],
        ["nullable", "object", 1],
        ["DataFrame", ["list"], ["list"], ["pickle", "x"]],
        ["Index", None, ["zoned", 1, "x"], ""],
        {"a": 1},
    ],
    ids=repr,
)
def test_bytes_that_mean_nothing_are_refused(node: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any message
        loads(json.dumps(node).encode())


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="recursion"):
        loads(b'["list",' * 100_000 + b"1" + b"]" * 100_000)
