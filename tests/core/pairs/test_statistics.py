import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.pairs.statistics import count_by_filter, focal_share


def test_every_filter_is_counted_zeros_included():
    pairs = pl.DataFrame({"dropped_by": ["equal_ast", None, "empty_focus", None, "equal_ast"]})
    counts = count_by_filter(pairs)
    assert counts.kept == 2
    assert counts.dropped == {
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
