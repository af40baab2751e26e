"""Tasks that are benchmarks' own, known by name, and the override that lets one train on them.

This needs no benchmark file: LLMDebugger's recorded trajectories solve HumanEval and MBPP tasks
whatever is scored here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from enum import StrEnum

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.pairs.llmdebugger import SOURCE as LLMDEBUGGER


class BenchmarkSource(StrEnum):
    """Sources that hold nothing but benchmark tasks; the names of the overrides."""

    LLMDEBUGGER = LLMDEBUGGER


_BENCHMARK_ID = re.compile(r"(HumanEval|MBPP|Mbpp|BigCodeBench|LiveCodeBench)/[^#:]+")
OVERRIDE = "allow_training_on"


def is_benchmark_task(source: str, problem_id: str) -> bool:
    """Whether a problem is a benchmark's own task, by its source or its id."""
    return source in set(BenchmarkSource) or _BENCHMARK_ID.match(problem_id) is not None


def benchmark_tasks(ids: Iterable[str]) -> list[str]:
    """The benchmark tasks that ids of problems, trajectories or pairs begin with, sorted."""
    matches = (_BENCHMARK_ID.match(each) for each in ids)
    return sorted({match.group() for match in matches if match})


def refuse_benchmark_tasks(ids: Iterable[str], allowed: Collection[str], *, place: str) -> None:
    """Refuse to train on pairs of benchmark tasks without a named override.

    Args:
        ids: of problems, trajectories or pairs.
        allowed: the overrides that are set, by the names of sources.
        place: where the ids come from.

    Raises:
        InputError: naming the first task.
    """
    tasks = benchmark_tasks(ids)
    if tasks and not allowed:
        raise InputError(
            f"made of {len(tasks)} benchmark tasks, {tasks[0]} first: what is trained on them "
            "cannot be scored on that benchmark",
            file=place,
            field=OVERRIDE,
            remedy=f"Use other trajectories, or make the pairs with {OVERRIDE} set to their source",
        )
