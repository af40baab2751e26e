"""Tables, their names and default factories cross whole, and bring no code with them."""

import json
import math
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from iterpref_assets.core.sandbox.inside.crossing import Foreign, dumps, has_foreign, loads


class EqualsAll:
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = object.__hash__


NAMES = [
    None,
    3,
    2.5,
    True,
    "text",
    ("a", 1),
    pd.Timestamp("2024-01-02", tz="Europe/Rome"),
    np.int64(7),
    np.datetime64("2024-01-02"),
    date(2024, 1, 2),
    Decimal("1.5"),
    pd.Interval(0, 1),
]


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_a_name_keeps_its_value_and_type(name: Any) -> None:
    column = loads(dumps(pd.Series([1, 2], name=name, index=pd.Index(["p", "q"], name=name))))
    levels = pd.MultiIndex.from_tuples([("a", 1)], names=[name, "y"])
    for found in (column.name, column.index.name, loads(dumps(levels)).names[0]):
        assert found == name
        assert type(found) is type(name)


def test_a_counted_index_keeps_its_name() -> None:
    found = loads(dumps(pd.RangeIndex(1, 9, 2, name=("a", 1))))
    pd.testing.assert_index_equal(found, pd.RangeIndex(1, 9, 2, name=("a", 1)), exact=True)


def test_the_row_of_a_day_crosses() -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2024-01-01", periods=2))
    pd.testing.assert_series_equal(loads(dumps(frame.iloc[-1])), frame.iloc[-1])


def test_a_name_that_does_not_cross_is_no_name_of_the_tests() -> None:
    found = loads(dumps(pd.Series([1], name=EqualsAll())))
    assert list(found) == [1]
    assert type(found.name) is Foreign
    assert found.name != "text"


TABLES = {
    "bins of numbers": pd.DataFrame({"bin": pd.cut(pd.Series([1, 2, 3, math.nan]), 2)}),
    "bins of days": pd.DataFrame({"d": pd.cut(pd.Series(pd.date_range("2024", periods=4)), 2)}),
    "rows by bins": pd.Series([1, 2], index=pd.IntervalIndex.from_breaks([0, 1, 2], closed="both")),
    "bins without categories": pd.DataFrame({"i": pd.arrays.IntervalArray.from_breaks([0, 1, 2])}),
    "an interval among objects": pd.DataFrame({"o": [pd.Interval(0, 1, "neither"), "x"]}),
    "levels named by numbers": pd.DataFrame(
        {"v": [1]}, index=pd.MultiIndex.from_tuples([(1, "a")], names=[0, 1])
    ),
    "levels without rows": pd.DataFrame({"a": [1], "b": ["x"], "v": [2]})[:0].set_index(["a", "b"]),
    "levels of days": pd.DataFrame(
        {"v": [1, 2]},
        index=pd.MultiIndex.from_product([pd.date_range("2024", periods=2), ["a"]]),
    ),
    "columns of two levels": pd.DataFrame([[1, 2]], columns=[["a", "a"], ["x", "y"]]),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_bins_and_levels_comes_out_as_it_went_in(name: str) -> None:
    table, found = TABLES[name], loads(dumps(TABLES[name]))
    assert type(found) is type(table)
    pd.testing.assert_frame_equal(pd.DataFrame(found), pd.DataFrame(table))


MONTHS = pd.DataFrame({"a": [1, 2], "m": pd.PeriodIndex(["2024-01", None], freq="M")})


def test_a_column_that_does_not_cross_leaves_the_others() -> None:
    found = loads(dumps(MONTHS))
    assert list(found["a"]) == [1, 2]
    assert list(found.columns) == ["a", "m"]


def test_of_a_column_that_does_not_cross_what_is_missing_stays_missing() -> None:
    found = loads(dumps(MONTHS))
    assert list(found["m"].isna()) == [False, True]
    assert type(found["m"][0]) is Foreign


def test_what_is_missing_is_missing_as_before() -> None:
    found = loads(dumps(pd.Series([pd.NA, pd.NaT, None, math.nan], dtype=object)))
    assert list(map(type, found)) == [type(pd.NA), type(pd.NaT), type(None), float]


def test_rows_named_by_what_does_not_cross_keep_their_number() -> None:
    found = loads(dumps(MONTHS[:1].set_index("m")))
    assert found.shape == (1, 1)
    assert type(found.index[0]) is Foreign


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (MONTHS, "period[M]"),
        (pd.Series(pd.arrays.SparseArray([0, 1])), "Sparse[int64, 0]"),
        (pd.Series([1], name=EqualsAll()), "EqualsAll"),
        (pd.Series([1], index=pd.Index([1], name=EqualsAll())), "EqualsAll"),
    ],
    ids=["a column", "a column of plain members", "a name", "the name of an index"],
)
def test_an_argument_that_would_cross_in_part_alone_is_named(value: Any, name: str) -> None:
    assert name in has_foreign([value])


def grown() -> Any:
    return defaultdict(grown)


FACTORIES = {
    "a number": (lambda: 7, 7),
    "a list": (lambda: [1], [1]),
    "a factory within": (lambda: defaultdict(int, a=1), {"a": 1}),
    "a type of a library": (Decimal, Decimal(0)),
    "an array's member": (lambda: np.float64(0.5), 0.5),
}


@pytest.mark.parametrize("name", FACTORIES)
def test_what_a_default_factory_makes_is_made_there_too(name: str) -> None:
    factory, made = FACTORIES[name]
    found = loads(dumps(defaultdict(factory, k=1)))
    assert found == {"k": 1}
    assert found["new"] == made
    assert type(found["new"]) is type(factory())


def test_each_default_is_an_object_of_its_own() -> None:
    found = loads(dumps(defaultdict(lambda: [])))  # noqa: PIE807 - no type of `_FACTORIES`
    found["a"].append(1)
    assert found["b"] == []


def test_a_factory_that_is_a_type_stays_it() -> None:
    assert loads(dumps(defaultdict(list))).default_factory is list


def test_a_factory_of_factories_crosses_two_levels_deep() -> None:
    found = loads(dumps(defaultdict(lambda: defaultdict(lambda: 0))))
    assert found["a"]["b"] == 0


def test_a_factory_that_makes_factories_without_end_crosses() -> None:
    found = loads(dumps(defaultdict(grown, a=grown())))
    assert found == {"a": {}}
    assert found["new"] == {}


def impossible() -> int:
    raise SystemExit("no")


@pytest.mark.parametrize("factory", [impossible, EqualsAll, lambda: [EqualsAll()]])
def test_a_factory_whose_value_does_not_cross_is_none_there(factory: Any) -> None:
    assert has_foreign(defaultdict(factory)) == ""
    found = loads(dumps(defaultdict(factory, k=1)))
    assert found == {"k": 1}
    with pytest.raises(KeyError):
        found["new"]


@pytest.mark.parametrize("factory", ["eval", "print", "Foreign", "__import__", ""])
def test_a_factory_s_name_means_nothing_but_the_plain_types(factory: str) -> None:
    assert loads(json.dumps(["defaultdict", factory]).encode()).default_factory is None


@pytest.mark.parametrize(
    "node",
    [
        ["defaultdict", [["no such tag"]]],
        ["defaultdict", [1, 2]],
        ["defaultdict", []],
        ["defaultdict", {"a": 1}],
        ["Series", ["list", 1], ["RangeIndex", None, 0, 1, 1], ["objects", [1], 1]],
        ["Series", ["pickle", "x"], ["RangeIndex", None, 0, 1, 1], ["objects", [1], 1]],
        ["RangeIndex", ["no such tag"], 0, 1, 1],
        ["MultiIndex", ["pickle", "x"]],
        ["Index", None, ["intervals", ["pickle", "x"], ["pickle", "x"], "left"], ""],
        ["Index", None, ["intervals", ["objects", [1], 0], ["objects", [1], 1], "exec"], ""],
        ["Interval", "a", 1, "exec"],
        ["Interval", 0, 1, "exec"],
    ],
    ids=repr,
)
def test_tables_and_factories_that_mean_nothing_are_refused(node: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any message
        loads(json.dumps(node).encode())
