import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs import build
from iterpref_assets.core.pairs.build import build_pairs
from iterpref_assets.core.pairs.config import Negatives, PairConfig

PROBLEMS = pl.DataFrame(
    {"problem_id": ["p", "q"], "prompt": ["Do p.", "Do q."], "entry_point": ["", ""]}
)


def _versions(*trajectories: tuple[str, int, list[tuple[str, str]]]) -> pl.DataFrame:
    rows = [
        {
            "trajectory_id": f"{problem}/{sample}",
            "problem_id": problem,
            "sample": sample,
            "round": number,
            "code": code,
            "verdict": verdict,
            "error_type": "",
            "feedback": "",
        }
        for problem, sample, versions in trajectories
        for number, (code, verdict) in enumerate(versions)
    ]
    return pl.DataFrame(rows, schema=tables.VERSIONS)


SOLVED = (
    "p",
    0,
    [("x = 1", "wrong_answer"), ("x = 2", "timeout"), ("x = 3", "exception"), ("x = 4", "passed")],
)


def _rejected(negatives: Negatives, seed: int = 0) -> str:
    config = PairConfig(negatives=negatives, seed=seed)
    return build_pairs(_versions(SOLVED), PROBLEMS, config)["rejected"].item()


def test_a_pair_holds_everything_it_was_made_of():
    config = PairConfig(negatives=Negatives.LAST)
    pairs = build_pairs(_versions(SOLVED), PROBLEMS, config)
    assert pairs.schema == tables.PAIRS
    assert pairs.row(0, named=True) == {
        "pair_id": "p/0:2-3",
        "trajectory_id": "p/0",
        "problem_id": "p",
        "prompt": "Do p.",
        "chosen": "x = 4",
        "rejected": "x = 3",
        "chosen_round": 3,
        "rejected_round": 2,
        "chosen_diff_lines": [0],
        "rejected_diff_lines": [0],
        "dropped_by": None,
    }


def test_first_rejects_the_first_failing_version():
    assert _rejected(Negatives.FIRST) == "x = 1"


def test_last_rejects_the_last_failing_version():
    assert _rejected(Negatives.LAST) == "x = 3"


def test_random_rejects_every_failing_version_under_some_seed():
    assert {_rejected(Negatives.RANDOM, seed) for seed in range(30)} == {"x = 1", "x = 2", "x = 3"}


@pytest.mark.parametrize(
    "versions",
    [
        pytest.param([("x = 1", "passed")], id="passed at once"),
        pytest.param([("x = 1", "wrong_answer"), ("x = 2", "timeout")], id="never passed"),
        pytest.param([("x = 1", "refused"), ("x = 2", "passed")], id="no answer was judged"),
    ],
)
def test_a_trajectory_without_failure_or_success_gives_no_pair(versions):
    pairs = build_pairs(_versions(("p", 0, versions)), PROBLEMS, PairConfig())
    assert pairs.is_empty()
    assert pairs.schema == tables.PAIRS


def test_a_dropped_pair_stays_in_the_table_with_its_filter():
    versions = _versions(("p", 0, [("x = 1", "wrong_answer"), ("x = 1\ny = 2", "passed")]))
    assert build_pairs(versions, PROBLEMS, PairConfig())["dropped_by"].to_list() == ["empty_focus"]


def test_blank_lines_around_a_program_do_not_count():
    versions = _versions(("p", 0, [("\n\n x = 1\n", "wrong_answer"), ("\nx = 2 \n", "passed")]))
    pair = build_pairs(versions, PROBLEMS, PairConfig()).row(0, named=True)
    assert (pair["chosen"], pair["rejected"]) == ("x = 2 ", " x = 1")
    assert pair["rejected_diff_lines"] == [0]


def test_an_unknown_problem_is_named():
    with pytest.raises(InputError, match="no problem 'p'"):
        build_pairs(_versions(SOLVED), PROBLEMS.filter(pl.col("problem_id") == "q"), PairConfig())


@settings(max_examples=30)
@given(order=st.permutations(range(8)), cut=st.integers(0, 2))
def test_pairs_depend_on_neither_row_order_nor_batches(order, cut):
    trajectories = [SOLVED, ("q", 0, SOLVED[2][1:]), ("q", 1, SOLVED[2][3:])]
    versions = _versions(*trajectories)
    whole = build_pairs(versions, PROBLEMS, PairConfig())
    assert build_pairs(versions[list(order)], PROBLEMS, PairConfig()).equals(whole)
    parts = [trajectories[:cut], trajectories[cut:]]
    batches = [build_pairs(_versions(*part), PROBLEMS, PairConfig()) for part in parts]
    assert pl.concat(batches).equals(whole)


def test_a_version_of_fifty_megabytes_is_dropped_by_its_length_alone(monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("a program that is too long was compared")

    monkeypatch.setattr(build, "line_difference", refuse)
    monkeypatch.setattr(build, "first_filter", refuse)
    long = "x = 1\n" * (50_000_000 // 6)
    versions = _versions(("p", 0, [(long, "wrong_answer"), ("x = 2", "passed")]))
    pair = build_pairs(versions, PROBLEMS, PairConfig()).row(0, named=True)
    assert pair["dropped_by"] == "too_many_tokens"


def test_a_version_of_another_task_is_dropped():
    versions = _versions(
        ("p", 0, [("def g(a):\n    return a", "exception"), ("def f(a):\n    return 1", "passed")])
    )
    problems = PROBLEMS.with_columns(entry_point=pl.lit("f"))
    assert build_pairs(versions, problems, PairConfig())["dropped_by"].item() == "no_entry_point"
