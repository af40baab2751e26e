import polars as pl
import pytest
from score_tables import score_table

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.evaluation.config import EvaluationConfig
from iterpref_assets.core.evaluation.leaderboard import COLUMNS, leaderboard

HE, HE_PLUS = COLUMNS[:2]
CONFIG = EvaluationConfig()


def scores(**passed: tuple[bool, bool]) -> pl.DataFrame:
    rows = [(name, 0, "", "", "", "", base, plus) for name, (base, plus) in passed.items()]
    return score_table(rows)


BOTH, BASE_ONLY, NEITHER = (True, True), (True, False), (False, False)


def test_columns_are_those_of_table_1():
    assert [column.title for column in COLUMNS] == [
        "HE", "HE+", "MBPP", "MBPP+",
        "BCB-F comp", "BCB-F inst", "BCB-H comp", "BCB-H inst", "LCB",
    ]  # fmt: skip


def test_base_and_plus_columns_read_their_own_tests():
    variants = {"reference": scores(a=BOTH, b=BASE_ONLY), "rpo": scores(a=BOTH, b=BOTH)}
    board = leaderboard({HE: variants, HE_PLUS: variants}, "reference", CONFIG)
    shown = board.select("column", "variant", "pass_at_1", "difference").rows()
    assert shown == [
        ("HE", "reference", 1.0, None),
        ("HE", "rpo", 1.0, 0.0),
        ("HE+", "reference", 0.5, None),
        ("HE+", "rpo", 1.0, 0.5),
    ]


def test_differences_are_paired_by_task():
    worse = {"reference": scores(a=BOTH, b=NEITHER), "rpo": scores(b=BOTH, a=NEITHER)}
    (_, row) = leaderboard({HE: worse}, "reference", CONFIG).rows(named=True)
    # Each task differs by one, in opposite directions: the mean is 0, resamples reach -1 and 1.
    assert (row["difference_low"], row["difference"], row["difference_high"]) == (-1.0, 0.0, 1.0)


def test_without_a_reference_score_there_is_no_difference():
    board = leaderboard({HE: {"rpo": scores(a=BOTH)}}, "reference", CONFIG)
    assert board["difference"].to_list() == [None]


def test_variants_on_other_tasks_are_not_compared():
    variants = {"reference": scores(a=BOTH), "rpo": scores(b=BOTH)}
    with pytest.raises(InputError, match="only one of the two models"):
        leaderboard({HE: variants}, "reference", CONFIG)
