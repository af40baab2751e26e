"""The part of the page that says why: what training did, what D- is, which tasks changed sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from iterpref_assets.core.experiment.results import Results, error_counts
from iterpref_assets.core.experiment.statistics import Scores, paired_differences
from iterpref_assets.core.experiment.wording import ABSENT, NOT_RUN, percent
from iterpref_assets.core.lab.stronger import EXTRA
from iterpref_assets.core.reporting.markdown import table
from iterpref_assets.core.training.recipes import REFERENCE

SHOWN_ERRORS = 12
KIND_FEATURES = 2
"""Features, the most general first, that tasks are grouped by; one where these are many groups."""
MOST_KINDS = 12
"""Columns of a table that can still be read."""


FIGURES = ("chosen_logprob", "rejected_logprob", "focal_logprob")
"""What the table of log-probabilities tells."""


def curves_text(results: Results, arms: Sequence[str], drawn: Sequence[str]) -> list[str]:
    """What became of the log-probabilities that the loss reads; nothing where none is recorded.

    Args:
        results: what was exported.
        arms: each at its chosen rate.
        drawn: those of the figures, at the rate of the figures too.
    """
    chosen = {arm: curves_of(results, arm, results.chosen_rate(arm)) for arm in arms}
    recorded = {arm: curves for arm, curves in chosen.items() if curves.height}
    if not recorded:
        return []
    head = ["arm", "y+, as far as it is read", "y-, as far as it is read", "D- of y-"]
    note = (
        "Mean nats a token over the first and the last tenth of the steps, of the tokens that the "
        "loss reads; seed 0 at the chosen rate, which differs by arm. y+ is read "
        "whole, by `symmetric` its D+ alone. y- is read whole by `dpo`, `rpo`, `focused_dpo` and "
        "`sft_incorrect`, widened D- by `diff_augment`, whole or as D- in half of the pairs each "
        "by `hybrid`; by the others D- alone, so what became of the rest of y- is not measured. "
        "An arm that changes one thing reads what its recipe reads. The last steps are of other "
        "pairs than the first, some seen before.\n"
    )
    rows = [[arm, *_first_to_last(curves)] for arm, curves in recorded.items()]
    parts = ["### Log-probabilities over training\n", f"{table(head, rows)}\n{note}"]
    rate = common_rate(results, drawn)
    if rate is not None:
        at = {arm: curves_of(results, arm, rate) for arm in drawn}
        rows = [[arm, *_first_to_last(curves)] for arm, curves in at.items() if curves.height]
        parts.append(
            f"The same at {rate:g}, the highest rate that all of these arms were tried at, and "
            f"that of the figures:\n\n{table(head, rows)}"
        )
    return parts


def _first_to_last(curves: pl.DataFrame) -> list[str]:
    """The mean of each of FIGURES over the first and over the last tenth of the steps."""
    cells: list[str] = []
    for name in FIGURES:
        values = curves.filter(name=name).sort("step")["value"].to_list()
        edge = max(len(values) // 10, 1)
        first, last = values[:edge], values[-edge:]
        told = f"{sum(first) / edge:.3f} to {sum(last) / edge:.3f}" if values else ABSENT
        cells.append(told)
    return cells


def curves_of(results: Results, arm: str, rate: float | None) -> pl.DataFrame:
    """results.CURVES of an arm's seed 0 at a rate."""
    return results.curves.filter(
        pl.col("arm") == arm, pl.col("rate").eq_missing(rate), pl.col("seed") == 0
    )


def common_rate(results: Results, arms: Sequence[str]) -> float | None:
    """The highest rate with curves of seed 0 of all of `arms` that have any; None without one."""
    mine = results.curves.filter(pl.col("arm").is_in(arms), pl.col("seed") == 0)
    tried = [set(each["rate"]) for _, each in mine.select("arm", "rate").unique().group_by("arm")]
    return max(set.intersection(*tried), default=None) if tried else None


def kinds_text(results: Results) -> list[str]:
    """Which tokens D- is made of; nothing where that is not recorded."""
    rows: list[list[str]] = []
    for (pairs,), mine in results.kinds.group_by("pairs", maintain_order=True):
        focal, others = mine["focal"].sum(), mine["others"].sum()
        for row in mine.iter_rows(named=True):
            shares = [row["focal"] / max(focal, 1), row["others"] / max(others, 1)]
            rows.append([str(pairs), row["kind"], *map(percent, shares)])
    if not rows:
        return []
    note = (
        "Shares of the lexical tokens of y-, on the lines of D- and on its other lines. Sets whose "
        "D- is tokens or nodes of the syntax tree are left out: it is no lines.\n"
    )
    head = ["pairs", "kind", "of D- (%)", "of the other lines (%)"]
    return ["### What D- is made of\n", f"{table(head, rows)}\n{note}"]


def errors_text(results: Results, arms: Sequence[str]) -> str:
    """How often each arm's programs fail in every way, a row an arm."""
    counts = {arm: error_counts(results, arm) for arm in arms}
    names = sorted(
        {name for each in counts.values() for name in each},
        key=lambda name: (-counts[arms[0]].get(name, 0.0), name),
    )
    shown = names[:SHOWN_ERRORS]
    rows = [
        [arm, *(f"{each.get(name, 0.0):.1f}" for name in shown)] for arm, each in counts.items()
    ]
    note = "Failing programs by error, mean over seeds.\n"
    return f"{table(['arm', *shown], rows)}\n{note}"


def tasks_text(results: Results, arms: Sequence[str]) -> str:
    """Which kinds of tasks each arm won and lost against the reference, and how steadily."""
    base = results.matrix(REFERENCE)
    trained = [arm for arm in arms if arm != REFERENCE]
    gains = {arm: paired_differences(results.matrix(arm), base) for arm in trained}
    rows = [[arm, len(found), *_steadiness(found)] for arm, found in gains.items()]
    head = ["arm", "seeds", "won by every seed", "by some", "lost by some", "by every seed"]
    note = (
        "Tasks that an arm's models solve and the reference does not, or the other way round. Arms "
        "with other numbers of seeds cannot be compared here: with one, every seed is that one."
    )
    by_seeds = f"{table(head, rows)}\n{note}"
    if not results.tasks["features"].list.len().sum():
        return f"{by_seeds}\n"
    return f"{by_seeds} {_by_kind_text(results, base, gains)}"


def _by_kind_text(results: Results, base: Scores, gains: Mapping[str, Scores]) -> str:
    """How the reference does on each kind of task; how far each arm is from it, a row an arm."""
    places = _places_by_kind(results)
    solved = [percent(float(base[:, where].mean())) for where in places.values()]
    rows = [[f"{REFERENCE} (%)", *solved]]
    rows += [
        [arm, *(f"{100 * float(found[:, where].mean()):+.1f}" for where in places.values())]
        for arm, found in gains.items()
    ]
    head = ["arm", *(f"{kind}, {len(where)} tasks" for kind, where in places.items())]
    note = (
        "Below, pass@1 of the reference by kind of task, and each arm's minus it, in points. They "
        "have no intervals: of so few tasks, differences of some points are chance."
    )
    return f"{note}\n\n{table(head, rows)}"


def _steadiness(differences: Scores) -> list[int]:
    """Tasks won by every seed, won by some, lost by some, lost by every seed."""
    won, lost = (differences > 0).mean(axis=0), (differences < 0).mean(axis=0)
    counted = (won == 1, (won > 0) & (won < 1), (lost > 0) & (lost < 1), lost == 1)
    return [int(each.sum()) for each in counted]


def _places_by_kind(results: Results) -> dict[str, list[int]]:
    """The columns of a matrix by the most general features of their problems."""
    features = dict(results.tasks.select("problem_id", "features").iter_rows())
    of_each = [features.get(problem, []) for problem in results.problems]
    many = len({tuple(each[:KIND_FEATURES]) for each in of_each}) > MOST_KINDS
    places: dict[str, list[int]] = {}
    for place, each in enumerate(of_each):
        kind = " ".join(each[: 1 if many else KIND_FEATURES]) or "of no kind"
        places.setdefault(kind, []).append(place)
    return dict(sorted(places.items()))


def stronger_text(results: Results, arms: Sequence[str]) -> list[str]:
    """How many wrong programs pass the tests; nothing where no program was judged again."""
    if not results.scores["passed_stronger"].is_not_null().any():
        return []
    rows: list[list[str | int]] = []
    for arm in arms:
        passing = results.reported(arm).filter("passed")
        judged = passing["passed_stronger"].drop_nulls()
        wrong = int((~judged).sum())
        share = percent(wrong / len(judged)) if len(judged) else NOT_RUN
        rows.append([arm, passing.height, len(judged), wrong, share])
    note = (
        "Programs that pass a reported problem's tests and fail stronger ones: its own and "
        f"{EXTRA} more inputs of the lab's, answered by the reference solution.\n"
    )
    head = ["arm", "programs that pass", "judged again", "of these wrong", "share (%)"]
    return ["### Wrong programs that pass\n", f"{table(head, rows)}\n{note}"]
