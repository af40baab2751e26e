import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core import tables
from iterpref_assets.core.pairs.build import build_pairs
from iterpref_assets.core.pairs.config import Negatives, PairConfig

PROBLEMS = pl.DataFrame(
    [{"problem_id": name, "prompt": f"Do {name}."} for name in "pq"], schema=tables.PROBLEMS
)
CONFIG = PairConfig(negatives=Negatives.NEAREST)
RIGHT = "def f(a, b):\n    total = a + b\n    return total"
ONE_LINE_OFF = "def f(a, b):\n    total = a - b\n    return total"
OTHER_WORDS = "def f(x, y):\n    return x * y"


def versions(*trajectories: tuple[str, list[tuple[str, str]]]) -> pl.DataFrame:
    """Trajectories as (problem, its versions as (code, verdict)), numbered within the problem."""
    rows, counts = [], {}
    for problem, programs in trajectories:
        sample = counts[problem] = counts.get(problem, -1) + 1
        rows += [
            {
                "trajectory_id": f"{problem}#{sample}",
                "problem_id": problem,
                "sample": sample,
                "round": number,
                "code": code,
                "verdict": verdict,
            }
            for number, (code, verdict) in enumerate(programs)
        ]
    return pl.DataFrame(rows, schema=tables.VERSIONS)


def test_the_failing_program_that_shares_most_is_rejected_whatever_trajectory_it_is_of():
    table = versions(
        ("p", [(OTHER_WORDS, "wrong_answer"), (RIGHT, "passed")]),
        ("p", [("pass", "exception"), (ONE_LINE_OFF, "wrong_answer")]),
    )
    row = build_pairs(table, PROBLEMS, CONFIG).row(0, named=True)
    assert row == {
        "pair_id": "p#0:1~1",
        "trajectory_id": "p#0",
        "problem_id": "p",
        "prompt": "Do p.",
        "chosen": RIGHT,
        "rejected": ONE_LINE_OFF,
        "chosen_round": 1,
        "rejected_round": 1,
        "chosen_diff_lines": [1],
        "rejected_diff_lines": [1],
        "dropped_by": None,
    }


def test_a_pair_within_one_trajectory_is_called_as_a_debugging_pair():
    table = versions(("p", [(ONE_LINE_OFF, "wrong_answer"), (RIGHT, "passed")]))
    assert build_pairs(table, PROBLEMS, CONFIG)["pair_id"].to_list() == ["p#0:0-1"]


def test_programs_that_passed_at_once_are_chosen_too_and_equal_ones_once():
    table = versions(
        ("p", [(RIGHT, "passed")]),
        ("p", [(RIGHT, "passed")]),
        ("p", [(ONE_LINE_OFF, "wrong_answer")]),
    )
    assert build_pairs(table, PROBLEMS, CONFIG)["pair_id"].to_list() == ["p#0:0~2"]


def test_a_failing_program_that_lacks_a_line_is_passed_over_for_one_that_has_a_wrong_one():
    lacking = "def f(a, b):\n    return total"
    table = versions(
        ("p", [(lacking, "exception")]),
        ("p", [(ONE_LINE_OFF, "wrong_answer")]),
        ("p", [(RIGHT, "passed")]),
    )
    assert build_pairs(table, PROBLEMS, CONFIG)["rejected"].to_list() == [ONE_LINE_OFF]


def test_a_program_of_which_no_answer_was_judged_is_no_negative():
    table = versions(("p", [(ONE_LINE_OFF, "refused")]), ("p", [(RIGHT, "passed")]))
    assert build_pairs(table, PROBLEMS, CONFIG).is_empty()


def test_another_problems_programs_are_no_negatives():
    table = versions(("q", [(ONE_LINE_OFF, "wrong_answer")]), ("p", [(RIGHT, "passed")]))
    assert build_pairs(table, PROBLEMS, CONFIG).is_empty()


@given(
    st.lists(
        st.tuples(st.sampled_from("pq"), st.text("ab\n", min_size=1, max_size=6), st.booleans()),
        max_size=10,
    )
)
def test_a_table_built_by_problem_equals_one_built_at_once(samples):
    table = versions(
        *[
            (problem, [(code, "passed" if passed else "timeout")])
            for problem, code, passed in samples
        ]
    )
    parts = [
        build_pairs(table.filter(pl.col("problem_id") == name), PROBLEMS, CONFIG) for name in "pq"
    ]
    assert build_pairs(table, PROBLEMS, CONFIG).equals(pl.concat(parts))


@given(
    st.lists(
        st.tuples(st.text("ab\n", min_size=1, max_size=6), st.booleans()),
        max_size=10,
        unique_by=lambda sample: sample[0],
    )
)
def test_no_other_failing_program_is_nearer(samples):
    table = versions(
        *[("p", [(code, "passed" if passed else "timeout")]) for code, passed in samples]
    )
    failing = {row["code"] for row in table.iter_rows(named=True) if row["verdict"] == "timeout"}
    for pair in build_pairs(table, PROBLEMS, CONFIG).iter_rows(named=True):
        others = [
            alone for code in failing if (alone := build_alone(pair["chosen"], code)) is not None
        ]
        assert marked(pair) == min(others)


def build_alone(chosen: str, rejected: str) -> int | None:
    """How many characters the pair of these two marks; None where it has no D-."""
    table = versions(("p", [(rejected, "timeout"), (chosen, "passed")]))
    pairs = build_pairs(table, PROBLEMS, PairConfig())
    if pairs.is_empty() or not pairs["rejected_diff_lines"].item(0).len():
        return None
    return marked(pairs.row(0, named=True))


def marked(pair: dict) -> int:
    """The characters on D+ and D-."""
    sides = (("chosen", "chosen_diff_lines"), ("rejected", "rejected_diff_lines"))
    return sum(len(pair[side].split("\n")[line]) for side, lines in sides for line in pair[lines])
