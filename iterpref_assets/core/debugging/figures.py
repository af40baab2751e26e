"""What a debugging run came to, in numbers, and what sampling alone comes to for as many calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import polars as pl
from pydantic import JsonValue

from iterpref_assets.core.answers import read_answer
from iterpref_assets.core.engines.protocol import FinishReason
from iterpref_assets.core.records import Problem
from iterpref_assets.core.sandbox.verdicts import NOT_FAILING, Verdict
from iterpref_assets.core.syntax import same_program
from iterpref_assets.core.tables import Schema

BUDGETS: Schema = {
    "method": pl.String(),
    "calls": pl.Int64(),
    "generations": pl.Int64(),
    "solved": pl.Float64(),
    "pairs": pl.Int64(),
    "calls_per_pair": pl.Float64(),
    "pairs_per_1000": pl.Float64(),
}
"""One method at one budget a row: at most `calls` of a problem (trajectory), the generations that
this took in all, the share solved, and candidate pairs; `calls_per_pair` is null without a pair."""

DEBUGGING, SAMPLING = "debugging", "sampling"
_TRAJECTORY = ["problem_id", "sample"]

_PASSED = pl.col("verdict") == Verdict.PASSED.value
_FAILED = ~pl.col("verdict").is_in([verdict.value for verdict in NOT_FAILING])


def pass_rate_by_round(versions: pl.DataFrame, trajectories: int, max_rounds: int) -> list[float]:
    """The share of trajectories solved by round r, for r = 0 to `max_rounds` (Figure 6).

    Args:
        versions: tables.VERSIONS.
        trajectories: how many were begun. One whose answers hold no program has no version, and
            counts as one that is not solved. Without any the rates are 0.
        max_rounds: debugging rounds that a trajectory was allowed.
    """
    passed = versions.filter(_PASSED)["round"]
    among = max(trajectories, 1)
    return [int((passed <= round_).sum()) / among for round_ in range(max_rounds + 1)]


def answer_figures(
    initial: pl.DataFrame,
    completions: pl.DataFrame,
    versions: pl.DataFrame,
    problems: Mapping[str, Problem],
) -> dict[str, JsonValue]:
    """How generators answered: answers without a program by kind, and programs given again.

    Args:
        initial: tables.COMPLETIONS of round 0.
        completions: tables.COMPLETIONS of debugging.
        versions: tables.VERSIONS of both.
        problems: by id, what the answers are about.

    Returns:
        `answers`, all of them; `no_program`, those without a program by kind (answers.NoProgram);
        `debugged_versions`, the versions after feedback; of these `unchanged`, equal to the version
        before but for comments and layout, and `tried_before`, equal to an earlier one.
    """
    lacks: Counter[str] = Counter()
    answers = pl.concat([initial, completions])
    columns = ("problem_id", "completion", "finish_reason")
    for name, text, reason in answers.select(columns).iter_rows():
        cut_off = reason == FinishReason.LENGTH
        if reason == FinishReason.STOP or cut_off:
            lack = read_answer(text, problems[name].entry_point, cut_off=cut_off).lack
            lacks.update([lack.value] if lack else [])
        else:
            lacks[reason] += 1
    unchanged = tried = debugged = 0
    ordered = versions.sort("trajectory_id", "round")
    for (_name,), rows in ordered.group_by(["trajectory_id"], maintain_order=True):
        codes = rows["code"].to_list()
        for number in range(1, len(codes)):
            same = [same_program(codes[number], earlier) for earlier in codes[:number]]
            unchanged += same[-1]
            tried += any(same[:-1]) and not same[-1]
        debugged += len(codes) - 1
    return {
        "answers": answers.height,
        "no_program": dict(sorted(lacks.items())),
        "debugged_versions": debugged,
        "unchanged": unchanged,
        "tried_before": tried,
    }


def compare_budgets(
    versions: pl.DataFrame, completions: pl.DataFrame, max_rounds: int
) -> pl.DataFrame:
    """Debugging against independent samples, for the same number of calls a problem (Table 5).

    Both stop as soon as they have nothing to gain: a trajectory once it passes, sampling once a
    problem has a passing and a failing sample. Sampling is known up to as many calls as there are
    samples of a problem. Every answer is a call, also one without a program, or with one tried
    before.

    Args:
        versions: tables.VERSIONS; of it `problem_id`, `sample`, `round` and `verdict` are read.
        completions: tables.COMPLETIONS of debugging; of it `problem_id`, `sample`, `round` and
            `finish_reason` are read. A trajectory whose answers hold no program is in it alone, and
            in neither where no round was allowed.
        max_rounds: debugging rounds that a trajectory was allowed.

    Returns:
        BUDGETS, debugging first, each method in order of calls; empty where nothing was run.
    """
    debugged, sampled = calls_to_solve(versions, completions)
    if debugged.is_empty():
        return pl.DataFrame(schema=BUDGETS)
    samples = debugged["sample"].n_unique()
    most = max(max_rounds + 1, int(debugged["made"].max() or 0))  # pyright: ignore[reportArgumentType]
    rows = [_spent(DEBUGGING, debugged, calls) for calls in range(1, most + 1)]
    rows += [_spent(SAMPLING, sampled, calls) for calls in range(1, samples + 1)]
    return pl.DataFrame(rows, schema=BUDGETS)


def calls_to_solve(
    versions: pl.DataFrame, completions: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Calls until something passed: of each trajectory debugged, and of each problem sampled.

    Args:
        versions: as `compare_budgets` takes it.
        completions: as `compare_budgets` takes it.

    Returns:
        `problem_id`, `made` (calls), `solved` and `paired` (calls until one passed, and until there
        was a pair; null where there was none), and of trajectories `sample`.
    """
    begun = pl.concat([versions.select(_TRAJECTORY), completions.select(_TRAJECTORY)]).unique()
    return _debugged(begun, versions, completions), _sampled(begun, versions)


def _debugged(
    begun: pl.DataFrame, versions: pl.DataFrame, completions: pl.DataFrame
) -> pl.DataFrame:
    """Of each trajectory the calls made, and those until it passed, and until it had a pair."""
    asked = (
        completions.filter(pl.col("finish_reason").is_in(["stop", "length"]))
        .group_by(_TRAJECTORY)
        .agg(asked=pl.len())
    )
    verdicts = versions.group_by(_TRAJECTORY).agg(solved=_PASSED.any(), failed=_FAILED.any())
    # A trajectory that passes does so at its last call, however often its rounds asked again.
    return (
        begun.join(verdicts, on=_TRAJECTORY, how="left")
        .join(asked, on=_TRAJECTORY, how="left")
        .with_columns(made=1 + pl.col("asked").fill_null(0))
        .with_columns(solved=pl.when("solved").then("made"))
        # What passes at once, or was only refused before, has no failing version to reject.
        .with_columns(paired=pl.when(pl.col("failed")).then("solved"))
    )


def _sampled(begun: pl.DataFrame, versions: pl.DataFrame) -> pl.DataFrame:
    """Of each problem the calls made, and those until one passed, and until it had a pair."""
    number = pl.int_range(1, pl.len() + 1)
    first = versions.filter(pl.col("round") == 0).select(*_TRAJECTORY, "verdict")
    return (
        begun.join(first, on=_TRAJECTORY, how="left")
        .sort(_TRAJECTORY)
        .group_by("problem_id", maintain_order=True)
        .agg(
            made=pl.len(),
            solved=number.filter(_PASSED).min(),
            failed=number.filter(_FAILED).min(),
        )
        .with_columns(
            paired=pl.when(pl.col("solved").is_not_null() & pl.col("failed").is_not_null()).then(
                pl.max_horizontal("solved", "failed")
            )
        )
        .with_columns(made=pl.min_horizontal("made", "paired"))
    )


def _spent(method: str, items: pl.DataFrame, calls: int) -> dict[str, Any]:
    """A row of BUDGETS; `items` holds the calls made, and those until solved and until paired."""
    generations = int(items["made"].clip(upper_bound=calls).sum())
    pairs = int((items["paired"] <= calls).sum())
    return {
        "method": method,
        "calls": calls,
        "generations": generations,
        "solved": int((items["solved"] <= calls).sum()) / items.height,
        "pairs": pairs,
        "calls_per_pair": generations / pairs if pairs else None,
        "pairs_per_1000": 1000 * pairs / generations,
    }
