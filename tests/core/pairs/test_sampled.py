from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core import tables
from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.build import build_pairs
from iterpref_assets.core.pairs.config import Negatives, PairConfig
from iterpref_assets.core.pairs.sampled import debugging_pair_id, rejected_sample, sampled_pair_id
from iterpref_assets.core.pairs.streaming import build_pair_file

PROBLEMS = pl.DataFrame(
    [{"problem_id": name, "prompt": f"Do {name}."} for name in "pq"], schema=tables.PROBLEMS
)
CONFIG = PairConfig(negatives=Negatives.PASS_RATE)


def versions(*samples: tuple[str, str, str], round_: int = 0) -> pl.DataFrame:
    """Samples as (problem, code, verdict); each is numbered within its problem."""
    rows, counts = [], {}
    for problem, code, verdict in samples:
        sample = counts[problem] = counts.get(problem, -1) + 1
        rows.append(
            {
                "trajectory_id": f"{problem}#{sample}",
                "problem_id": problem,
                "sample": sample,
                "round": round_,
                "code": code,
                "verdict": verdict,
            }
        )
    return pl.DataFrame(rows, schema=tables.VERSIONS)


def test_a_passing_sample_is_chosen_over_a_failing_one_of_the_same_problem():
    table = versions(
        ("p", "x = 1", "wrong_answer"), ("p", "x = 2", "passed"), ("q", "x = 3", "timeout")
    )
    row = build_pairs(table, PROBLEMS, CONFIG).row(0, named=True)
    assert row == {
        "pair_id": "p#1:0~0",
        "trajectory_id": "p#1",
        "problem_id": "p",
        "prompt": "Do p.",
        "chosen": "x = 2",
        "rejected": "x = 1",
        "chosen_round": 0,
        "rejected_round": 0,
        "chosen_diff_lines": [0],
        "rejected_diff_lines": [0],
        "dropped_by": None,
    }


def test_debugged_versions_are_no_samples():
    first = versions(("p", "x = 1", "wrong_answer"), ("p", "x = 2", "timeout"))
    later = versions(("p", "x = 3", "passed"), round_=1)
    assert build_pairs(pl.concat([first, later]), PROBLEMS, CONFIG).is_empty()


def test_a_program_of_which_no_answer_was_judged_is_no_negative():
    table = versions(("p", "x = 1", "refused"), ("p", "x = 2", "passed"))
    assert build_pairs(table, PROBLEMS, CONFIG).is_empty()


def test_equal_samples_give_one_pair():
    table = versions(
        ("p", "x = 1", "timeout"),
        ("p", "x = 2", "passed"),
        ("p", "x = 1", "timeout"),
        ("p", "x = 2", "passed"),
    )
    assert build_pairs(table, PROBLEMS, CONFIG)["pair_id"].to_list() == ["p#1:0~0"]


@given(st.lists(st.tuples(st.sampled_from("pq"), st.booleans()), max_size=12), st.integers(0, 9))
def test_every_program_is_in_one_pair_at_most_and_none_is_left_that_could_be(samples, seed):
    table = versions(
        *[
            (problem, f"x = {number}", "passed" if passed else "wrong_answer")
            for number, (problem, passed) in enumerate(samples)
        ]
    )
    pairs = build_pairs(table, PROBLEMS, CONFIG.model_copy(update={"seed": seed}))
    used = [*pairs["chosen"], *pairs["rejected"]]
    assert len(set(used)) == len(used)
    expected = sum(min(samples.count((name, True)), samples.count((name, False))) for name in "pq")
    assert pairs.height == expected


def test_which_samples_meet_depends_on_the_seed():
    table = versions(*[("p", f"x = {n}", "passed" if n % 2 else "wrong_answer") for n in range(12)])
    drawn = {
        tuple(build_pairs(table, PROBLEMS, CONFIG.model_copy(update={"seed": seed}))["rejected"])
        for seed in range(5)
    }
    assert len(drawn) > 1


def test_one_sample_a_problem_is_refused_with_what_to_set(tmp_path: Path):
    table = versions(("p", "x = 1", "wrong_answer"), ("q", "x = 2", "passed"))
    tables.write_table(table, tables.VERSIONS, tmp_path / "versions.parquet")
    tables.write_table(PROBLEMS, tables.PROBLEMS, tmp_path / "problems.parquet")
    files = (tmp_path / "versions.parquet", tmp_path / "problems.parquet")
    with pytest.raises(InputError, match=r"sampling\.samples_per_problem"):
        build_pair_file(*files, CONFIG, tmp_path / "out.parquet", judge=pytest.fail)
    assert not (tmp_path / "out.parquet").exists()


def test_a_pairs_name_tells_the_sample_that_was_rejected():
    assert rejected_sample(sampled_pair_id("p#3", 12, chosen_round=4), "p#3") == 12
    assert rejected_sample(debugging_pair_id("p#3", 0, 2), "p#3") is None
