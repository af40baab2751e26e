"""Pairs that share something with a benchmark's item are dropped, whatever they are called."""

from pathlib import Path

import polars as pl
import pytest

from iterpref_assets.core import tables
from iterpref_assets.core.decontamination.items import item_of
from iterpref_assets.core.pairs.overlap import drop_overlapping

WORDS = "Write a function that counts how often each vowel occurs in a long text"
PROGRAM = "def vowels(text):\n    return sum(text.count(each) for each in 'aeiou')"
ITEM = item_of("B", "B/1", (WORDS,), entry_point="vowels", code=PROGRAM, reference=PROGRAM)
OTHER = {"prompt": "Sort.", "chosen": "def f(x):\n    return sorted(x)", "problem_id": "p"}


def dropped(folder: Path, **changes: str | None) -> str | None:
    """What drops a pair that is OTHER but for `changes`."""
    row = OTHER | {"rejected": "pass"} | changes
    file, out = folder / "built.parquet", folder / "out.parquet"
    pl.DataFrame([row], schema=tables.PAIRS).write_parquet(file)
    drop_overlapping(file, [ITEM], out)
    (name,) = tables.read_table(out, tables.PAIRS)["dropped_by"]
    return name


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": f"Please: {WORDS}."},
        {"chosen": PROGRAM.replace("text", "line")},
        {"problem_id": "b/1"},
    ],
    ids=["words", "program", "id"],
)
def test_a_pair_that_shares_something_is_dropped(tmp_path: Path, changes: dict[str, str]) -> None:
    assert dropped(tmp_path, **changes) == "benchmark_overlap"


def test_a_pair_that_shares_nothing_is_kept(tmp_path: Path) -> None:
    assert dropped(tmp_path) is None


def test_a_pair_that_another_filter_dropped_keeps_its_reason(tmp_path: Path) -> None:
    assert dropped(tmp_path, prompt=WORDS, dropped_by="equal_ast") == "equal_ast"
