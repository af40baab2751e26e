"""Raw seeds to kept ones: benchmark tasks and duplicates are dropped, each with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path

import polars as pl
from pydantic import Field

from iterpref_assets.core import tables
from iterpref_assets.core.decontamination.deduplication import DuplicateIndex
from iterpref_assets.core.decontamination.index import WORDS, ContaminationIndex
from iterpref_assets.core.decontamination.items import BenchmarkItem
from iterpref_assets.core.decontamination.refusal import BenchmarkSource, is_benchmark_task
from iterpref_assets.core.records import Problem, Record

HELDOUT = "held-out"
"""What stands for a benchmark's name where the held-out problems are what is shared with."""


class DropReason(StrEnum):
    """Why a seed is dropped; the first four are decontamination.index.Rule.

    BENCHMARK_TASK: it is a benchmark's own task, known by its source or id, with no benchmark file
    at hand that says which. EXACT_DUPLICATE, NEAR_DUPLICATE: an earlier seed asks for the same.
    REFERENCE_FAILS: its own reference solution fails its tests, so one of them is wrong.
    """

    TASK_ID = "task_id"
    PROMPT_WORDS = "prompt_words"
    SIGNATURE = "signature"
    REFERENCE = "reference"
    BENCHMARK_TASK = "benchmark_task"
    EXACT_DUPLICATE = "exact_duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    REFERENCE_FAILS = "reference_fails"


class SeedFilterConfig(Record):
    """What is too much to share."""

    benchmark_words: int = Field(
        default=WORDS,
        ge=3,
        description="Words in a row that a prompt may not share with a benchmark's prompt",
    )
    duplicate_words: int = Field(
        default=3, ge=1, description="Words in a run; near-duplicates share most of their runs"
    )
    duplicate_likeness: float = Field(
        default=0.8,
        gt=0,
        le=1,
        description="The share of runs (Jaccard) from which on two prompts count as the same",
    )
    benchmark_files: tuple[Path, ...] = Field(
        (), description="Benchmarks, as published, to keep clear of besides those that are scored"
    )
    allow_training_on: tuple[BenchmarkSource, ...] = Field(
        (),
        description="Sources of benchmark tasks to train on all the same; every manifest that "
        "follows records it",
    )


class SeedFilter:
    """Takes seeds in the order of their shards, and keeps what is new and no benchmark's.

    Args:
        config: what is too much to share.
        items: the benchmarks' items.
        heldout: problems to be scored on, which count as seen.
    """

    def __init__(
        self,
        config: SeedFilterConfig,
        items: Iterable[BenchmarkItem] = (),
        heldout: Iterable[Problem] = (),
    ) -> None:
        self._config = config
        self._benchmarks = ContaminationIndex(items, config.benchmark_words)
        self._seen = DuplicateIndex(config.duplicate_words, config.duplicate_likeness)
        self._heldout: set[str] = set()
        for problem in heldout:
            self._seen.add(problem)
            self._heldout.add(problem.problem_id)

    def sift(self, problems: Sequence[Problem]) -> tuple[list[Problem], pl.DataFrame]:
        """Problems to keep, in order, and tables.DROPPED_SEEDS on the others."""
        kept: list[Problem] = []
        dropped: list[dict[str, str | None]] = []
        for problem in problems:
            rows = self.contamination(problem) or self._duplication(problem)
            dropped += rows
            if not rows:
                kept.append(problem)
        frame = pl.DataFrame(dropped, schema=tables.DROPPED_SEEDS)
        return kept, frame.sort("problem_id", maintain_order=True)

    def contamination(self, problem: Problem) -> list[dict[str, str | None]]:
        """A row of tables.DROPPED_SEEDS for each benchmark item shared, unless overridden."""
        if problem.source in self._config.allow_training_on:
            return []
        rows = [
            drop_row(
                problem, overlap.rule, overlap.item.benchmark, overlap.item.item, overlap.evidence
            )
            for overlap in self._benchmarks.overlaps(problem)
        ]
        if not rows and is_benchmark_task(problem.source, problem.problem_id):
            rows.append(drop_row(problem, DropReason.BENCHMARK_TASK, problem.source, None, ""))
        return rows

    def _duplication(self, problem: Problem) -> list[dict[str, str | None]]:
        twin = self._seen.add(problem)
        if twin is None:
            return []
        reason = DropReason.EXACT_DUPLICATE if twin.is_exact else DropReason.NEAR_DUPLICATE
        benchmark = HELDOUT if twin.problem_id in self._heldout else None
        evidence = f"likeness {twin.likeness:.2f}"
        return [drop_row(problem, reason, benchmark, twin.problem_id, evidence)]


def drop_row(
    problem: Problem, reason: str, benchmark: str | None, shared_with: str | None, evidence: str
) -> dict[str, str | None]:
    """A row of tables.DROPPED_SEEDS."""
    return {
        "problem_id": problem.problem_id,
        "source": problem.source,
        "reason": DropReason(reason).value,
        "benchmark": benchmark,
        "shared_with": shared_with,
        "evidence": evidence,
    }


def drop_counts(dropped: pl.DataFrame) -> dict[str, int]:
    """How many problems each reason dropped; of several reasons the first counts."""
    first = dropped.unique("problem_id", keep="first", maintain_order=True)
    counts = Counter(first["reason"].to_list())
    return {reason.value: counts[reason] for reason in DropReason if counts[reason]}
