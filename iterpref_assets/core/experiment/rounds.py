"""How many training problems debugging and sampling solve, by the answers that each may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from iterpref_assets.core.debugging.figures import DEBUGGING, SAMPLING
from iterpref_assets.core.experiment.results import ROUNDS
from iterpref_assets.core.sandbox.verdicts import Verdict

_PASSED = pl.col("verdict") == Verdict.PASSED.value


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
    rows = [(DEBUGGING, calls, solved) for calls, solved in _by_rounds(debugged, max_rounds)]
    rows += [(SAMPLING, calls, solved) for calls, solved in _by_samples(sampled)]
    return pl.DataFrame(rows, schema=ROUNDS, orient="row")


def _by_rounds(debugged: Drawn, max_rounds: int) -> list[tuple[int, float]]:
    """The share of first answers that pass, or do so after so many more programs."""
    if not debugged.answers:
        return []
    passed = debugged.versions.filter(_PASSED)["round"]
    drawn = sum(debugged.answers.values())
    return [(round_ + 1, int((passed <= round_).sum()) / drawn) for round_ in range(max_rounds + 1)]


def _by_samples(sampled: Drawn) -> list[tuple[int, float]]:
    """The share of problems with a passing one among their first samples, for 1 sample and on."""
    passed = sampled.versions.filter(_PASSED, pl.col("round") == 0)
    first = passed.group_by("problem_id").agg(pl.col("sample").min())["sample"]
    fewest = min(sampled.answers.values(), default=0)
    problems = len(sampled.answers)
    return [(calls, int((first < calls).sum()) / problems) for calls in range(1, fewest + 1)]
