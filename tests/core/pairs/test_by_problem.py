"""Why a problem has no pair is told from what was tried."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iterpref_assets.core import tables
from iterpref_assets.core.pairs.by_problem import (
    NoPair,
    ProblemFiles,
    ProblemPairs,
    pairs_by_problem,
    told,
)


def read(folder: Path, *, tried: dict, pairs: dict, dropped: dict | None = None) -> list:
    """What became of the problems of `tried`: each a list of trajectories, as lists of verdicts.

    `pairs` has for each candidate of a problem what dropped it.
    """
    versions = [
        {"problem_id": name, "trajectory_id": f"{name}#{sample}", "round": number, "verdict": each}
        for name, trajectories in tried.items()
        for sample, verdicts in enumerate(trajectories)
        for number, each in enumerate(verdicts)
    ]
    rows = {
        "problems": ([{"problem_id": name} for name in tried], tables.PROBLEMS),
        "versions": (versions, tables.VERSIONS),
        "pairs": (
            [{"problem_id": n, "dropped_by": by} for n, found in pairs.items() for by in found],
            tables.PAIRS,
        ),
        "dropped": (
            [{"problem_id": n, "reason": reason} for n, reason in (dropped or {}).items()],
            tables.DROPPED_SEEDS,
        ),
    }
    for name, (content, schema) in rows.items():
        pl.DataFrame(content, schema=schema).write_parquet(folder / f"{name}.parquet")
    return pairs_by_problem(ProblemFiles(**{n: [folder / f"{n}.parquet"] for n in rows}))


FAIL, PASS = "wrong_answer", "passed"


@pytest.mark.parametrize(
    ("trajectories", "candidates", "reason", "detail"),
    [
        (
            [[FAIL, FAIL], [FAIL, "timeout"]], [], NoPair.NEVER_SOLVED,
            "0 of 2 first programs pass, and no repair does",
        ),
        ([[FAIL], ["timeout"]], [], NoPair.NEVER_SOLVED, "0 of 2 first programs pass"),
        ([[PASS], [PASS], [PASS]], [], NoPair.NEVER_FAILED, "3 of 3 first programs pass"),
        (
            [[PASS], [FAIL, FAIL], [FAIL]], [], NoPair.NOT_REPAIRED,
            "1 of 3 first programs pass, 0 others were repaired",
        ),
        (
            [[FAIL, PASS]] * 3, ["equal_ast", "only_comments", "equal_ast"], NoPair.FILTERED,
            "2 by equal ast, 1 by only comments",
        ),
        ([], [], NoPair.UNANSWERED, "the generator's answers hold none"),
        (
            [[FAIL, PASS]], [], NoPair.NO_CANDIDATE,
            "0 of 1 first programs pass, 1 others were repaired",
        ),
        (
            [["refused"], ["refused"]], [], NoPair.NEVER_SOLVED,
            "0 of 2 first programs pass",
        ),
        (
            [["refused", PASS]], [], NoPair.NOTHING_FAILING,
            "0 of 1 first programs pass, the others were refused",
        ),
        (
            [[PASS], ["refused", "refused"]], [], NoPair.NOTHING_FAILING,
            "1 of 2 first programs pass, the others were refused",
        ),
        (
            [["refused", PASS], [FAIL]], [], NoPair.NO_CANDIDATE,
            "0 of 2 first programs pass, 1 others were repaired",
        ),
    ],
)  # fmt: skip
def test_a_problem_without_a_pair_is_told_with_why(
    tmp_path, trajectories, candidates, reason, detail
) -> None:
    [found] = read(tmp_path, tried={"p": trajectories}, pairs={"p": candidates})
    assert found == ProblemPairs("p", 0, reason, detail)


def test_kept_pairs_are_counted_by_problem(tmp_path) -> None:
    tried = {"b": [[FAIL, PASS]], "a": [[FAIL, PASS], [FAIL, PASS], [FAIL, PASS]]}
    found = read(tmp_path, tried=tried, pairs={"b": [None], "a": [None, "equal_ast", None]})
    assert found == [ProblemPairs("a", 2), ProblemPairs("b", 1)]


def test_a_problem_that_was_dropped_as_a_seed_is_told_with_what_dropped_it(tmp_path) -> None:
    found = read(tmp_path, tried={}, pairs={}, dropped={"p": "reference_fails"})
    assert found == [ProblemPairs("p", 0, NoPair.NOT_NEW, "reference fails")]


def test_few_problems_are_all_named_those_without_a_pair_first() -> None:
    problems = [
        ProblemPairs("a", 5), ProblemPairs("b", 0, NoPair.NEVER_SOLVED, "0 of 8"),
        ProblemPairs("c", 1),
    ]  # fmt: skip
    assert list(told(problems, most=2)) == [
        "2 of 3 problems have pairs",
        "  b: no pair: never solved: 0 of 8",
        "  a: 5 pairs",
        "  c: 1 pair",
    ]


def test_of_many_problems_the_rest_is_counted_by_reason() -> None:
    solved = [ProblemPairs(f"s{n}", 2) for n in range(3)]
    lost = [ProblemPairs(f"n{n}", 0, NoPair.NEVER_SOLVED, "x") for n in range(3)]
    easy = [ProblemPairs("z", 0, NoPair.NEVER_FAILED, "y")]
    assert list(told([*solved, *lost, *easy], most=1)) == [
        "3 of 7 problems have pairs",
        "  n0: no pair: never solved: x",
        "  3 more without a pair: never solved 2, always solved at once 1",
        "  s0: 2 pairs",
        "  2 more problems: 4 pairs",
    ]


VERDICTS = st.sampled_from([FAIL, PASS, "timeout", "refused"])
TRIED = st.dictionaries(
    st.sampled_from("abcdef"),
    st.lists(st.lists(VERDICTS, min_size=1, max_size=3), max_size=4),
    max_size=6,
)


@given(tried=TRIED, paired=st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3)))
def test_each_problem_has_pairs_or_a_reason_and_never_both(tmp_path_factory, tried, paired) -> None:
    pairs = {name: [None] * paired.get(name, 0) for name in tried}
    found = read(tmp_path_factory.mktemp("t"), tried=tried, pairs=pairs)
    assert [each.problem_id for each in found] == sorted(tried)
    assert all((each.kept > 0) == (each.reason is None) for each in found)
    assert sum(each.kept for each in found) == sum(len(each) for each in pairs.values())
