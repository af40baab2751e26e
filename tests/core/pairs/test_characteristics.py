from pathlib import Path

import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.pairs.characteristics import (
    difference_sizes,
    drawn_pairs,
    duplicates,
    failures,
    feature_diversity,
    token_lengths,
)


def pair(name: str, **values: object) -> dict[str, object]:
    row = {
        "pair_id": f"{name}#0:0-1", "trajectory_id": f"{name}#0", "problem_id": name,
        "prompt": f"Do {name}.", "chosen": f"{name} = 1", "rejected": f"{name} = 2",
        "chosen_round": 1, "rejected_round": 0, "chosen_diff_lines": [0],
        "rejected_diff_lines": [0], "dropped_by": None,
    }  # fmt: skip
    return row | values


def write(folder: Path, rows: list[dict], schema: tables.Schema) -> Path:
    path = folder / "table.parquet"
    tables.write_table(pl.DataFrame(rows, schema=schema), schema, path)
    return path


def test_sizes_are_those_of_kept_pairs_alone(tmp_path):
    rows = [
        pair("a", chosen_diff_lines=[0, 1, 2]),
        pair("b", chosen_diff_lines=[]),
        pair("c", chosen_diff_lines=list(range(9)), dropped_by="equal_ast"),
    ]
    added, removed = difference_sizes(write(tmp_path, rows, tables.PAIRS))
    assert (added.name, added.values.to_list(), added.mean) == ("D+", [0, 3], 1.5)
    assert removed.values.to_list() == [1, 1]


def test_quantiles_are_values_that_occur(tmp_path):
    rows = [pair(f"p{n}", chosen_diff_lines=list(range(n))) for n in (4, 1, 3, 2)]
    added, _ = difference_sizes(write(tmp_path, rows, tables.PAIRS))
    assert [added.quantile(share) for share in (0.0, 0.5, 0.95, 1.0)] == [1, 2, 4, 4]


def test_lengths_are_counted_in_tokens(tmp_path):
    row = {
        "pair_id": "a", "prompt_ids": [1], "chosen_ids": [1, 2], "rejected_ids": [1, 2, 3],
        "chosen_mask": [True, False], "rejected_mask": [True, True, False],
    }  # fmt: skip
    found = token_lengths(write(tmp_path, [row], tables.TOKENIZED_PAIRS))
    assert {spread.name: spread.values.to_list() for spread in found} == {
        "prompt": [1], "y+": [2], "y-": [3], "y- in focus": [2],
    }  # fmt: skip


VERSIONS = pl.DataFrame(
    [
        ("a#0", "a", 0, 0, "exception", "KeyError"),
        ("a#0", "a", 0, 1, "passed", ""),
        ("a#1", "a", 1, 0, "timeout", ""),
        ("b#0", "b", 0, 0, "exception", "KeyError"),
        ("b#0", "b", 0, 1, "passed", ""),
    ],
    schema=["trajectory_id", "problem_id", "sample", "round", "verdict", "error_type"],
    orient="row",
).cast({"sample": pl.Int32, "round": pl.Int32})


def test_failures_are_named_by_exception_or_verdict(tmp_path):
    path = write(tmp_path, [pair("a"), pair("b", dropped_by="equal_ast")], tables.PAIRS)
    assert failures(path, VERSIONS).rows() == [("KeyError", 1, 2), ("timeout", 0, 1)]


def test_a_pair_of_samples_fails_as_the_rejected_sample_does(tmp_path):
    sampled = pair("a", pair_id="a#0:0~1", chosen_round=0)
    path = write(tmp_path, [sampled], tables.PAIRS)
    assert failures(path, VERSIONS).rows() == [("timeout", 1, 1), ("KeyError", 0, 2)]


def test_a_refused_version_is_no_failure(tmp_path):
    refused = VERSIONS.with_columns(pl.col("verdict").replace("timeout", "refused"))
    path = write(tmp_path, [pair("a")], tables.PAIRS)
    assert failures(path, refused).rows() == [("KeyError", 1, 2)]


def problems(folder: Path, **features: list[str]) -> list[Path]:
    rows = [{"problem_id": name, "features": row} for name, row in features.items()]
    return [write(folder, rows, tables.PROBLEMS)]


def test_diversity_counts_features_and_their_combinations(tmp_path):
    files = problems(tmp_path, p=["list", "sum"], q=["sum", "list"], r=["text"])
    found = feature_diversity(files)
    assert found.features == {"list": 2, "sum": 2, "text": 1}
    assert (found.problems, found.combinations) == (3, 2)


def test_equally_frequent_features_are_as_many_as_they_are(tmp_path):
    found = feature_diversity(problems(tmp_path, p=["list"], q=["text"]))
    assert found.effective_features == pytest.approx(2)


def test_diversity_among_some_problems_leaves_the_others_out(tmp_path):
    found = feature_diversity(problems(tmp_path, p=["list"], q=["text"]), among=["q"])
    assert found.features == {"text": 1}


def test_problems_without_features_have_no_diversity(tmp_path):
    assert feature_diversity(problems(tmp_path, p=[])).effective_features == 0.0


def test_duplicates_repeat_an_earlier_kept_pair(tmp_path):
    rows = [
        pair("a"),
        pair("b", prompt="Do a."),
        pair("c", chosen="a = 1"),
        pair("d", chosen="a = 1", rejected="a = 2"),
        pair("e", chosen="a = 1", rejected="a = 2", dropped_by="equal_ast"),
    ]
    found = duplicates(write(tmp_path, rows, tables.PAIRS))
    assert (found.prompts, found.chosen, found.pairs) == (1, 2, 1)


def test_drawn_pairs_depend_on_their_names_alone(tmp_path):
    rows = [pair(f"p{n}") for n in range(30)]
    first = drawn_pairs(write(tmp_path, rows, tables.PAIRS), 5)
    again = drawn_pairs(write(tmp_path, rows[::-1], tables.PAIRS), 5)
    assert first.equals(again)
    assert first["pair_id"].to_list() != sorted(first["pair_id"])


def test_dropped_pairs_can_be_drawn_by_their_filter(tmp_path):
    rows = [pair("a"), pair("b", dropped_by="equal_ast")]
    drawn = drawn_pairs(write(tmp_path, rows, tables.PAIRS), 5, pl.col("dropped_by") == "equal_ast")
    assert drawn["problem_id"].to_list() == ["b"]
