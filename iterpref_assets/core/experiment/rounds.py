"""How far debugging and sampling solve each problem, by the answers that each may ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from iterpref_assets.core.debugging.figures import DEBUGGING, SAMPLING
from iterpref_assets.core.experiment.results import ROUNDS
from iterpref_assets.core.sandbox.verdicts import Verdict

_PASSED = pl.col("verdict") == Verdict.PASSED.value
_Row = tuple[str, str, int, float]


@dataclass(frozen=True)
class Drawn:
    """Answers to problems, those without a program included, which no version tells of.

    Attributes:
        versions: tables.VERSIONS of the answers with a program, and of what was debugged from them.
        answers: first answers that were drawn, by problem.
    """

    versions: pl.DataFrame
    answers: Mapping[str, int]


def solved_by_calls(debugged: Drawn, sampled: Drawn, max_rounds: int) -> pl.DataFrame:
    """ROUNDS of one debugging run and of samples of the same problems (Figure 6, Table 5).

    An answer without a program solves nothing and counts.

    Args:
        debugged: the debugging run, from its first answers on.
        sampled: what was sampled. Counted up to as many answers as every problem has.
        max_rounds: of the debugging run.
    """
    rows = [*_by_rounds(debugged, max_rounds), *_by_samples(sampled)]
    return pl.DataFrame(rows, schema=ROUNDS, orient="row")


def _by_rounds(debugged: Drawn, max_rounds: int) -> Iterator[_Row]:
    """The share of each problem's first answers that passes by so many programs."""
    passed = debugged.versions.filter(_PASSED).select("problem_id", "round")
    in_round = Counter(passed.iter_rows())
    for problem, drawn in sorted(debugged.answers.items()):
        solved = 0
        for round_ in range(max_rounds + 1):
            solved += in_round[problem, round_]
            yield DEBUGGING, problem, round_ + 1, solved / drawn


def _by_samples(sampled: Drawn) -> Iterator[_Row]:
    """Whether one of each problem's first samples passes, for 1 sample and on."""
    passed = sampled.versions.filter(_PASSED, pl.col("round") == 0)
    first = dict(passed.group_by("problem_id").agg(pl.col("sample").min()).iter_rows())
    fewest = min(sampled.answers.values(), default=0)
    for problem in sorted(sampled.answers):
        for calls in range(1, fewest + 1):
            yield SAMPLING, problem, calls, float(first.get(problem, fewest) < calls)
