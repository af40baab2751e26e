"""Training problems that share text with benchmark prompts, by word n-grams.

The usual check of code data sets: two texts overlap where they share ten words in a row, case and
punctuation aside. Benchmark prompts shorter than that are never found by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import polars as pl

WORDS = 10
"""How many words in a row are too many to share."""

OVERLAPS = {
    "problem_id": pl.String(),
    "benchmark_id": pl.String(),
    "shared": pl.String(),
}
"""One overlapping (problem, benchmark item) a row; `shared` is the first run of shared words."""

_WORD = re.compile(r"\w+")


def overlapping_problems(
    problems: pl.DataFrame, benchmark: Mapping[str, str], words: int = WORDS
) -> pl.DataFrame:
    """Problems whose prompt shares `words` words in a row with a benchmark prompt.

    Args:
        problems: at least `problem_id` and `prompt` of tables.PROBLEMS.
        benchmark: prompts by item id.
        words: the length of a shared run, in words.

    Returns:
        Columns of OVERLAPS, in order of `problems`, then of `benchmark`.
    """
    owners: dict[str, list[str]] = {}
    for item, prompt in benchmark.items():
        for gram in dict.fromkeys(_grams(prompt, words)):
            owners.setdefault(gram, []).append(item)
    order = {item: position for position, item in enumerate(benchmark)}
    rows: list[tuple[str, str, str]] = []
    for name, prompt in problems.select("problem_id", "prompt").iter_rows():
        found: dict[str, str] = {}
        for gram in _grams(prompt, words):
            for item in owners.get(gram, ()):
                found.setdefault(item, gram)
        rows += [(name, item, found[item]) for item in sorted(found, key=order.__getitem__)]
    return pl.DataFrame(rows, schema=OVERLAPS, orient="row")


def _grams(text: str, words: int) -> Iterator[str]:
    tokens = _WORD.findall(text.casefold())
    for start in range(len(tokens) - words + 1):
        yield " ".join(tokens[start : start + words])
