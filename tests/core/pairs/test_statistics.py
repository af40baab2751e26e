import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.pairs.statistics import (
    UnreachedFocus,
    count_by_filter,
    focal_share,
    unreached_focus,
)
from iterpref_assets.core.records import Case, FunctionTests


def test_every_filter_is_counted_zeros_included():
    pairs = pl.DataFrame({"dropped_by": ["equal_ast", None, "empty_focus", None, "equal_ast"]})
    counts = count_by_filter(pairs)
    assert counts.kept == 2
    assert counts.dropped == {
        "no_program": 0,
        "no_entry_point": 0,
        "empty_focus": 1,
        "only_comments": 0,
        "long_difference": 0,
        "equal_ast": 2,
        "formatting_only": 0,
        "benchmark_overlap": 0,
        "judged_formatting": 0,
        "too_many_tokens": 0,
    }


def test_the_focal_share_is_taken_over_all_tokens():
    table = pl.DataFrame({"rejected_mask": [[True, False, False], [True]]})
    assert focal_share(table.lazy()) == 0.5


def test_no_pairs_have_no_focal_share():
    with pytest.raises(ValueError, match="no rejected token"):
        focal_share(pl.LazyFrame(schema=tables.TOKENIZED_PAIRS))


F = FunctionTests(entry_point="f", cases=(Case(arguments="()", expected="1"),))
PROBLEMS = pl.DataFrame({"problem_id": ["p"], "tests": [F.model_dump_json()]})


def _pair(rejected: str, lines: list[int], dropped_by: str | None = None) -> pl.DataFrame:
    row = {"problem_id": "p", "rejected": rejected, "rejected_diff_lines": lines}
    return pl.DataFrame(
        [row | {"dropped_by": dropped_by}], schema_overrides={"dropped_by": pl.String}
    )


def test_focal_lines_that_no_test_reaches_are_counted_beside_all_focal_lines():
    shown = "def f():\n    return 2\nprint(f())\nprint(2)"
    pairs = pl.concat([_pair(shown, [1, 3]), _pair(shown, [1]), _pair(shown, [2], "equal_ast")])
    assert unreached_focus(pairs, PROBLEMS) == UnreachedFocus(lines=3, unreached=1)


def test_of_pairs_without_tests_on_record_every_focal_line_counts_as_reached():
    pairs = _pair("def f():\n    return 2\nprint(f())", [2]).with_columns(problem_id=pl.lit("q"))
    assert unreached_focus(pairs, PROBLEMS) == UnreachedFocus(lines=1, unreached=0)


def test_the_share_of_unreached_focus_is_taken_over_focal_lines():
    assert UnreachedFocus(lines=8, unreached=2).share == 0.25
    assert UnreachedFocus(lines=0, unreached=0).share == 0.0
