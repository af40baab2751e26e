"""How many pairs each problem has, and why a problem has none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import polars as pl

from iterpref_assets.core import tables
from iterpref_assets.core.sandbox.verdicts import NOT_FAILING, Verdict

SHOWN = 10
"""Problems that are named; the others are counted."""


class NoPair(StrEnum):
    """Why no pair of a problem is kept.

    NOT_NEW: it was dropped before sampling. UNANSWERED: no program of it was run.
    NEVER_SOLVED: no program passed, debugged or not. NEVER_FAILED: every first program passed.
    NOTHING_FAILING: some passed, and the others were refused, which is neither passing nor failing.
    NOT_REPAIRED: some passed at once, and no failing one became a passing one.
    FILTERED: there were candidates, and filters dropped each. NO_CANDIDATE: some failed, others
    were repaired, and the way that negatives are chosen makes no pair of them.
    """

    NOT_NEW = "dropped as a seed"
    UNANSWERED = "no program"
    NEVER_SOLVED = "never solved"
    NEVER_FAILED = "always solved at once"
    NOTHING_FAILING = "no failing program"
    NOT_REPAIRED = "no failing program repaired"
    FILTERED = "every candidate dropped"
    NO_CANDIDATE = "no candidate"


@dataclass(frozen=True, slots=True)
class ProblemPairs:
    """The kept pairs of one problem; where there is none, why, and what was counted."""

    problem_id: str
    kept: int
    reason: NoPair | None = None
    detail: str = ""

    @property
    def why(self) -> str:
        """The reason with what was counted; empty where there is a pair."""
        return f"{self.reason}: {self.detail}" if self.reason else ""


@dataclass(frozen=True, slots=True)
class ProblemFiles:
    """The tables that tell what became of some problems.

    Attributes:
        problems: of tables.PROBLEMS.
        versions: of tables.VERSIONS, made of them.
        pairs: of tables.PAIRS, made of those.
        dropped: of tables.DROPPED_SEEDS, the problems that were dropped before.
    """

    problems: Sequence[Path]
    versions: Sequence[Path]
    pairs: Sequence[Path]
    dropped: Sequence[Path] = ()


def pairs_by_problem(files: ProblemFiles) -> list[ProblemPairs]:
    """Every problem with its pairs, in order of problem_id."""
    problems = _read(files.problems, tables.PROBLEMS, "problem_id")
    joined = (
        problems.unique()
        .join(_tried(files.versions), on="problem_id", how="left")
        .join(_paired(files.pairs), on="problem_id", how="left")
    )
    columns = ("problem_id", "kept", "dropped", "tried", "solved", "at_once", "failed", "debugged")
    found = [_of(*row) for row in joined.select(columns).iter_rows()]
    known = {each.problem_id for each in found}
    dropped = _read(files.dropped, tables.DROPPED_SEEDS, "problem_id", "reason")
    for name, reason in dropped.unique("problem_id", maintain_order=True).iter_rows():
        if name not in known:
            found.append(ProblemPairs(name, 0, NoPair.NOT_NEW, reason.replace("_", " ")))
    return sorted(found, key=lambda each: each.problem_id)


def without_pairs(problems: Sequence[ProblemPairs]) -> list[ProblemPairs]:
    """Those of which no pair is kept."""
    return [each for each in problems if each.reason is not None]


def told(problems: Sequence[ProblemPairs], most: int) -> Iterator[str]:
    """Lines for a terminal: how many have pairs, `most` of those that have none, and of the others.

    Those without a pair come first, each with why; of more than `most` the rest is counted.
    """
    without = without_pairs(problems)
    paired = [each for each in problems if each.reason is None]
    yield f"{len(paired):,} of {len(problems):,} problems have pairs"
    yield from (f"  {each.problem_id}: no pair: {each.why}" for each in without[:most])
    if len(without) > most:
        rest = ", ".join(f"{reason} {count:,}" for reason, count in _counts(without[most:]))
        yield f"  {len(without) - most:,} more without a pair: {rest}"
    yield from (f"  {each.problem_id}: {_pairs(each.kept)}" for each in paired[:most])
    if len(paired) > most:
        pairs = sum(each.kept for each in paired[most:])
        yield f"  {len(paired) - most:,} more problems: {_pairs(pairs)}"


def _counts(without: Sequence[ProblemPairs]) -> list[tuple[NoPair, int]]:
    reasons = [each.reason for each in without]
    return [(reason, reasons.count(reason)) for reason in NoPair if reason in reasons]


def _pairs(count: int) -> str:
    return "1 pair" if count == 1 else f"{count:,} pairs"


def _of(name: str, kept: int | None, *counts: Any) -> ProblemPairs:
    """What became of one problem."""
    return ProblemPairs(name, kept) if kept else ProblemPairs(name, 0, *_why(*counts))


def _why(
    dropped: list[str] | None,
    tried: int | None,
    solved: int,
    at_once: int,
    failed: int,
    debugged: int,
) -> tuple[NoPair, str]:
    """Why no pair is kept, with what was counted; None where a table does not name the problem."""
    if dropped:
        return NoPair.FILTERED, ", ".join(dropped)
    if not tried:
        return NoPair.UNANSWERED, "the generator's answers hold none"
    first = f"{at_once} of {tried} first programs pass"
    if at_once == tried:
        return NoPair.NEVER_FAILED, first
    if not solved:
        return NoPair.NEVER_SOLVED, f"{first}, and no repair does" if debugged else first
    if not failed:
        return NoPair.NOTHING_FAILING, f"{first}, the others were refused"
    reason = NoPair.NO_CANDIDATE if solved > at_once else NoPair.NOT_REPAIRED
    return reason, f"{first}, {solved - at_once} others were repaired"


def _tried(files: Sequence[Path]) -> pl.DataFrame:
    """By problem: trajectories; of them those solved last or first, with a failure, debugged."""
    columns = ("problem_id", "trajectory_id", "round", "verdict")
    passed = pl.col("verdict") == Verdict.PASSED.value
    trajectories = (
        _read(files, tables.VERSIONS, *columns)
        .sort("trajectory_id", "round")
        .group_by("problem_id", "trajectory_id")
        .agg(
            solved=passed.last(),
            at_once=passed.first(),
            failed=(~pl.col("verdict").is_in(NOT_FAILING)).any(),
            debugged=pl.len() > 1,
        )
    )
    return trajectories.group_by("problem_id").agg(
        tried=pl.len(),
        solved=pl.col("solved").sum(),
        at_once=pl.col("at_once").sum(),
        failed=pl.col("failed").sum(),
        debugged=pl.col("debugged").sum(),
    )


def _paired(files: Sequence[Path]) -> pl.DataFrame:
    """By problem: kept pairs, and how many each filter dropped, in words."""
    pairs = _read(files, tables.PAIRS, "problem_id", "dropped_by")
    kept = pairs.group_by("problem_id").agg(kept=pl.col("dropped_by").is_null().sum())
    words = pl.col("dropped_by").str.replace_all("_", " ")
    dropped = (
        pairs.drop_nulls("dropped_by")
        .group_by("problem_id", "dropped_by")
        .len()
        .sort("problem_id", "dropped_by")
        .with_columns(words=pl.format("{} by {}", "len", words))
        .group_by("problem_id", maintain_order=True)
        .agg(dropped="words")
    )
    return kept.join(dropped, on="problem_id", how="left")


def _read(files: Sequence[Path], schema: tables.Schema, *columns: str) -> pl.DataFrame:
    empty = pl.DataFrame(schema=schema).select(columns)
    frames = [pl.read_parquet(file, columns=list(columns)).select(columns) for file in files]
    return pl.concat([empty, *frames])
