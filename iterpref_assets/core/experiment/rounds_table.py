"""Debugging against sampling at equal numbers of programs (Figure 6, Table 5)."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from iterpref_assets.core.debugging.figures import DEBUGGING, SAMPLING
from iterpref_assets.core.experiment.comparing import BOOTSTRAP, Comparison
from iterpref_assets.core.experiment.statistics import Scores, bootstrap_paired, holm, sign_flip
from iterpref_assets.core.experiment.wording import ABSENT, NOT_RUN, percent, points
from iterpref_assets.core.reporting.markdown import table

SOLVED: Mapping[str, Mapping[int, float]] = {
    DEBUGGING: {1: 0.367, 4: 0.663, 6: 0.675},
    SAMPLING: {5: 0.519},
}
"""Share of tasks that the paper's generator solves by so many programs. Rounds 4 and 5 add 1.2
points."""


def solved_by(rounds: pl.DataFrame, method: str) -> dict[int, float]:
    """The share that `method` solves by so many programs, each problem counted alike."""
    mine = rounds.filter(method=method).group_by("calls").agg(pl.col("solved").mean())
    return dict(mine.sort("calls").iter_rows())


def debugging_against_samples(rounds: pl.DataFrame) -> dict[int, Comparison]:
    """Debugging beside samples by number of programs, on the problems that both have.

    From two programs on: the first is the same answer, or one drawn alike. Every answer to a
    problem is a draw of its own, so an interval over problems holds for other draws too. p is
    corrected by Holm for these comparisons.
    """
    ours, theirs = (rounds.filter(method=method) for method in (DEBUGGING, SAMPLING))
    both = ours.join(theirs, on=["problem_id", "calls"], suffix="_samples").filter(
        pl.col("calls") > 1
    )
    by_calls = {
        calls: (mine["solved"] - mine["solved_samples"]).to_numpy()[None]
        for (calls,), mine in both.sort("calls", "problem_id").group_by(
            "calls", maintain_order=True
        )
    }
    tested = [sign_flip(differences) for differences in by_calls.values()]
    return {
        calls: _comparison(differences, p_value, adjusted)
        for (calls, differences), p_value, adjusted in zip(
            by_calls.items(), tested, holm(tested), strict=True
        )
    }


def most_programs(rounds: pl.DataFrame) -> dict[tuple[str, str], Comparison]:
    """The comparison at the largest number of programs, by the names in it; none without one."""
    by_calls = debugging_against_samples(rounds)
    return {(DEBUGGING, SAMPLING): by_calls[max(by_calls)]} if by_calls else {}


def _comparison(differences: Scores, p_value: float, adjusted: float) -> Comparison:
    return Comparison(
        DEBUGGING,
        SAMPLING,
        difference=bootstrap_paired(differences, BOOTSTRAP),
        seeds=1,
        arm_seeds=1,
        baseline_seeds=1,
        p_value=p_value,
        adjusted=adjusted,
        won=int((differences > 0).sum()),
        lost=int((differences < 0).sum()),
    )


def rounds_text(rounds: pl.DataFrame) -> str:
    """Table 5 and Figure 6 with our figures beside the paper's."""
    methods = (DEBUGGING, SAMPLING)
    here = {method: solved_by(rounds, method) for method in methods}
    compared = debugging_against_samples(rounds)
    most = max([*SOLVED[DEBUGGING], *rounds["calls"]])
    rows = [
        [
            str(calls),
            *(_told(SOLVED[method].get(calls), ABSENT) for method in methods),
            *(_told(here[method].get(calls), NOT_RUN) for method in methods),
            points(compared.get(calls)),
        ]
        for calls in range(1, most + 1)
    ]
    head = [
        *("programs", "the paper, debugging (%)", "the paper, samples (%)"),
        *("debugging here (%)", "samples here (%)", "debugging minus samples here"),
    ]
    note = (
        "Solved by so many programs. Debugging: of all first answers, each with the rounds that "
        "follow it. Samples: of problems, with so many independent answers. Differences are of the "
        "same problems, in points, with their 95% interval over problems and p of an exact paired "
        f"permutation test, corrected by Holm for the {len(compared)} of them. Equal programs are "
        "no equal cost: a round also reads the program before and its feedback. The paper compares "
        "five rounds, six programs, with five samples.\n"
    )
    return f"Table 5 and Figure 6: debugging against samples\n\n{table(head, rows)}\n{note}"


def _told(share: float | None, absent: str) -> str:
    return absent if share is None else percent(share)
