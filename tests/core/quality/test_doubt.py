import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.quality.doubt import doubtful_problems

FOUR = ("wrong_answer", "assert add(1, 2) == 4  # got 3")
FIVE = ("wrong_answer", "assert add(1, 2) == 4  # got 5")
PASSED = ("passed", "")
RAISED = ("exception", "add(1, 2) raised TypeError")


def _versions(*outcomes: tuple[str, str], round_: int = 0, same: bool = False) -> pl.DataFrame:
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
    return pl.DataFrame(rows, schema=tables.VERSIONS)


def test_samples_that_agree_against_the_tests_make_a_problem_doubtful():
    found = doubtful_problems(_versions(FOUR, FOUR, RAISED, FOUR))
    assert found.rows() == [("p", 4, 3, "assert add(1, 2) == 4  # got 3")]


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
def test_a_problem_is_not_doubtful_for_less(outcomes):
    assert doubtful_problems(_versions(*outcomes)).is_empty()


def test_equal_programs_agree_with_themselves_alone():
    assert doubtful_problems(_versions(FOUR, FOUR, FOUR, same=True)).is_empty()


def test_what_was_written_after_feedback_is_no_evidence():
    assert doubtful_problems(_versions(FOUR, FOUR, FOUR, round_=1)).is_empty()
