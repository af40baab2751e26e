"""The page of preference pairs: every one, D- marked in y- and D+ in y+, dropped ones included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.pages.blocks import Block, Tone, heading, side_by_side, table, text
from iterpref_assets.core.pages.page import Entry, write_page
from iterpref_assets.core.pages.problems import ShownProblem, shown_problems
from iterpref_assets.core.pairs.difference import pair_lines
from iterpref_assets.core.pairs.sampled import rejected_sample

FILTERS = ("Pairs", "Source", "Made of", "D- lines")
KEPT = "kept"
_SIZES = ((0, "0"), (1, "1"), (2, "2"), (5, "3 to 5"), (10, "6 to 10"), (20, "11 to 20"))
"""The most lines of D- in each range of the filter, and its words."""


def write_pairs_page(pairs: Sequence[Path], problems: Sequence[Path], out: Path, title: str) -> int:
    """Write the page of all pairs and return how many there are.

    Args:
        pairs: tables of the columns of tables.PAIRS.
        problems: tables of tables.PROBLEMS that say which source a problem is of; where they do
            not, the start of its id does (`HumanEval/3` is of HumanEval).
        out: the HTML file.
        title: its heading.

    Raises:
        InputError: where a file is no such table.
    """
    for file in pairs:
        tables.check_table(file, tables.PAIRS)
    known = shown_problems(problems)
    facts = _facts(pairs)
    return write_page(out, title, FILTERS, _entries(pairs, known), facts)


def _entries(files: Sequence[Path], problems: Mapping[str, ShownProblem]) -> Iterator[Entry]:
    for file in files:
        for row in pl.read_parquet(file).iter_rows(named=True):
            yield _entry(row, problems)


def _entry(pair: Mapping[str, Any], problems: Mapping[str, ShownProblem]) -> Entry:
    problem = problems.get(pair["problem_id"], ShownProblem())
    dropped_by = pair["dropped_by"]
    fate = f"dropped: {dropped_by.replace('_', ' ')}" if dropped_by else KEPT
    lines = len(pair["rejected_diff_lines"])
    made_of = _made_of(pair)
    return Entry(
        name=pair["pair_id"],
        note=f"{fate} · {lines} {'line' if lines == 1 else 'lines'} in D-",
        tone=Tone.BAD if dropped_by else Tone.GOOD,
        facets=(
            [fate],
            [problem.source or pair["problem_id"].partition("/")[0]],
            [made_of],
            [_size(lines)],
        ),
        blocks=list(_blocks(pair, fate, made_of)),
    )


def _blocks(pair: Mapping[str, Any], fate: str, made_of: str) -> Iterator[Block]:
    yield heading("Pair", fate, Tone.BAD if pair["dropped_by"] else Tone.GOOD)
    yield table(
        ("", ""),
        [
            ("Problem", pair["problem_id"]),
            ("Made of", made_of),
            ("D- lines", _numbered(pair["rejected_diff_lines"])),
            ("D+ lines", _numbered(pair["chosen_diff_lines"])),
        ],
    )
    yield text("Prompt", pair["prompt"])
    yield heading("Programs")
    yield side_by_side(
        f"y-, rejected, of round {pair['rejected_round']}, with D- marked",
        f"y+, chosen, of round {pair['chosen_round']}, with D+ marked",
        pair_lines(pair),
    )


def _made_of(pair: Mapping[str, Any]) -> str:
    if rejected_sample(pair["pair_id"], pair["trajectory_id"]) is not None:
        return f"two samples, y- of round {pair['rejected_round']}"
    return f"debugging, y- of round {pair['rejected_round']}"


def _numbered(lines: Sequence[int]) -> str:
    """Line numbers as an editor counts them."""
    return ", ".join(str(line + 1) for line in lines) or "none"


def _size(lines: int) -> str:
    return next((words for most, words in _SIZES if lines <= most), "over 20")


def _facts(files: Sequence[Path]) -> Iterator[str]:
    columns = ["problem_id", "dropped_by"]
    frame = pl.concat([pl.read_parquet(file, columns=columns).select(columns) for file in files])
    kept = frame.filter(pl.col("dropped_by").is_null())
    problems = kept["problem_id"].n_unique()
    noun = "problem" if problems == 1 else "problems"
    yield f"{kept.height:,} pairs kept, of {problems:,} {noun}"
    yield f"{frame.height - kept.height:,} candidates dropped"
