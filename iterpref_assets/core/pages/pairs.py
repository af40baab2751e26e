"""The page of preference pairs: every one, D- marked in y- and D+ in y+, dropped ones included.

Behind them stand the problems of which no pair is kept, each with why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.pages.blocks import Block, Tone, heading, side_by_side, table, text
from iterpref_assets.core.pages.page import Entry, write_page
from iterpref_assets.core.pages.problems import ShownProblem, shown_problems
from iterpref_assets.core.pairs.by_problem import ProblemPairs, without_pairs
from iterpref_assets.core.pairs.difference import pair_lines
from iterpref_assets.core.pairs.sampled import rejected_sample

FILTERS = ("Pairs", "Source", "Made of", "D- lines")
KEPT, NO_PAIR = "kept", "no pair"
_SIZES = ((0, "0"), (1, "1"), (2, "2"), (5, "3 to 5"), (10, "6 to 10"), (20, "11 to 20"))
"""The most lines of D- in each range of the filter, and its words."""


def write_pairs_page(
    pairs: Sequence[Path],
    problems: Sequence[Path],
    out: Path,
    title: str,
    by_problem: Sequence[ProblemPairs] = (),
) -> int:
    """Write the page of all pairs and return how many pairs there are.

    Args:
        pairs: tables of the columns of tables.PAIRS.
        problems: tables of tables.PROBLEMS that say which source a problem is of; where they do
            not, the start of its id does (`HumanEval/3` is of HumanEval).
        out: the HTML file.
        title: its heading.
        by_problem: what became of each problem; those without a pair are shown.

    Raises:
        InputError: where a file is no such table.
    """
    for file in pairs:
        tables.check_table(file, tables.PAIRS)
    known, fates = shown_problems(problems), _fates(pairs)
    without = without_pairs(by_problem)
    entries = chain(
        _entries(pairs, known, _kept_by_problem(fates)),
        (_problem_entry(each, known) for each in without),
    )
    return write_page(out, title, FILTERS, entries, _facts(fates, without)) - len(without)


def _entries(
    files: Sequence[Path], problems: Mapping[str, ShownProblem], kept: Mapping[str, int]
) -> Iterator[Entry]:
    for file in files:
        for row in pl.read_parquet(file).iter_rows(named=True):
            yield _entry(row, problems, kept.get(row["problem_id"], 0))


def _entry(
    pair: Mapping[str, Any], problems: Mapping[str, ShownProblem], kept_of_problem: int
) -> Entry:
    source = _source(pair["problem_id"], problems)
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
            [source],
            [made_of],
            [_size(lines)],
        ),
        blocks=list(_blocks(pair, fate, made_of, kept_of_problem)),
    )


def _problem_entry(problem: ProblemPairs, problems: Mapping[str, ShownProblem]) -> Entry:
    name, prompt = problem.problem_id, problems.get(problem.problem_id, ShownProblem()).prompt
    return Entry(
        name=name,
        note=f"{NO_PAIR}: {problem.why}",
        tone=Tone.PLAIN,
        facets=([f"{NO_PAIR}: {problem.reason}"], [_source(name, problems)], [], []),
        blocks=[
            heading("Problem", NO_PAIR),
            table(("", ""), [("Why", problem.why)]),
            *([text("Prompt", prompt)] if prompt else []),
        ],
    )


def _source(problem_id: str, problems: Mapping[str, ShownProblem]) -> str:
    """The problem's source, or the start of its id where no table tells."""
    return problems.get(problem_id, ShownProblem()).source or problem_id.partition("/")[0]


def _blocks(
    pair: Mapping[str, Any], fate: str, made_of: str, kept_of_problem: int
) -> Iterator[Block]:
    yield heading("Pair", fate, Tone.BAD if pair["dropped_by"] else Tone.GOOD)
    yield table(
        ("", ""),
        [
            ("Problem", pair["problem_id"]),
            ("Kept pairs of it", f"{kept_of_problem:,}"),
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


def _fates(files: Sequence[Path]) -> pl.DataFrame:
    """Every candidate's problem and the filter that dropped it."""
    columns = ["problem_id", "dropped_by"]
    return pl.concat([pl.read_parquet(file, columns=columns).select(columns) for file in files])


def _kept_by_problem(fates: pl.DataFrame) -> dict[str, int]:
    kept = fates.filter(pl.col("dropped_by").is_null())
    return dict(kept["problem_id"].value_counts().iter_rows())


def _facts(fates: pl.DataFrame, without: Sequence[ProblemPairs]) -> Iterator[str]:
    kept = fates.filter(pl.col("dropped_by").is_null())
    yield f"{kept.height:,} pairs kept, of {_problems(kept['problem_id'].n_unique())}"
    yield f"{fates.height - kept.height:,} candidates dropped"
    if without:
        yield f"{_problems(len(without))} without a pair"


def _problems(count: int) -> str:
    return f"{count:,} {'problem' if count == 1 else 'problems'}"
