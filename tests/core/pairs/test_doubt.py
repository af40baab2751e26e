from pathlib import Path

import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.pairs.doubt import doubtful_problems

FOUR = ("wrong_answer", "assert add(1, 2) == 4  # got 3")
FIVE = ("wrong_answer", "assert add(1, 2) == 4  # got 5")
PASSED = ("passed", "")
RAISED = ("exception", "add(1, 2) raised TypeError")


def _doubtful(
    folder: Path, *outcomes: tuple[str, str], round_: int = 0, same: bool = False
) -> list[tuple]:
    rows = [
        {
            "trajectory_id": f"p#{sample}",
            "problem_id": "p",
            "sample": sample,
            "round": round_,
            "code": "x = 1" if same else f"x = {sample}",
            "verdict": verdict,
            "error_type": "",
            "feedback": feedback,
        }
        for sample, (verdict, feedback) in enumerate(outcomes)
    ]
    pl.DataFrame(rows, schema=tables.VERSIONS).write_parquet(folder / "versions.parquet")
    return doubtful_problems([folder / "versions.parquet"]).rows()


def test_samples_that_agree_against_the_tests_make_a_problem_doubtful(tmp_path):
    assert _doubtful(tmp_path, FOUR, FOUR, RAISED, FOUR) == [
        ("p", 4, 3, "assert add(1, 2) == 4  # got 3")
    ]


@pytest.mark.parametrize(
    "outcomes",
    [
        (FOUR, FOUR, FOUR, PASSED),
        (FOUR, FOUR),
        (FOUR, FOUR, FOUR, FIVE, FIVE, RAISED),
        (RAISED, RAISED, RAISED),
    ],
    ids=["one solves it", "too few", "no majority", "the same exception"],
)
def test_a_problem_is_not_doubtful_for_less(tmp_path, outcomes):
    assert _doubtful(tmp_path, *outcomes) == []


def test_equal_programs_agree_with_themselves_alone(tmp_path):
    assert _doubtful(tmp_path, FOUR, FOUR, FOUR, same=True) == []


def test_what_was_written_after_feedback_is_no_evidence(tmp_path):
    assert _doubtful(tmp_path, FOUR, FOUR, FOUR, round_=1) == []
