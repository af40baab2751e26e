"""Tasks that are benchmarks' own, known by name, and the override that lets one train on them.

This needs no benchmark file: LLMDebugger's recorded trajectories solve HumanEval and MBPP tasks
whatever is scored here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from enum import StrEnum

from iterpref_assets.core.errors import InputError
from iterpref_assets.core.records import LLMDEBUGGER


class BenchmarkSource(StrEnum):
    """Sources that hold nothing but benchmark tasks; the names of the overrides."""

    LLMDEBUGGER = LLMDEBUGGER
    """LLMDebugger's published trajectories, which solve HumanEval and MBPP."""


_BENCHMARK_ID = re.compile(r"(HumanEval|MBPP|Mbpp|BigCodeBench|LiveCodeBench)/[^#:]+")
OVERRIDE = "allow_training_on"


def is_benchmark_task(source: str, problem_id: str) -> bool:
    """Whether a problem is a benchmark's own task, by its source or its id."""
    return source in set(BenchmarkSource) or _BENCHMARK_ID.match(problem_id) is not None


def task_of(name: str) -> str:
    """The benchmark task that the id of a problem, trajectory or pair begins with, or that id."""
    match = _BENCHMARK_ID.match(name)
    return match.group() if match else name


def benchmark_tasks(ids: Iterable[str]) -> list[str]:
    """The benchmark tasks that ids of problems, trajectories or pairs begin with, sorted."""
    matches = (_BENCHMARK_ID.match(each) for each in ids)
    return sorted({match.group() for match in matches if match})


def refuse_benchmark_tasks(
    problems: Iterable[tuple[str, str]], allowed: Collection[BenchmarkSource], *, place: str
) -> None:
    """Refuse to train on benchmark tasks, unless the override names the source of every one.

    Args:
        problems: the id of each problem, or of a trajectory or pair of it, and its source.
        allowed: the overrides that are set.
        place: where the problems come from.

    Raises:
        InputError: naming the first task and its source.
    """
    refused = {
        (task_of(name), source)
        for name, source in problems
        if is_benchmark_task(source, name) and source not in allowed
    }
    if refused:
        task, source = min(refused)
        count = len({name for name, _ in refused})
        raise InputError(
            f"made of {count} benchmark tasks, {task} of the source "
            f"{source or 'unknown'!r} first: what is trained on them cannot be scored on that "
            "benchmark",
            file=place,
            field=OVERRIDE,
            remedy=_remedy(source),
        )


def _remedy(source: str) -> str:
    if source in set(BenchmarkSource):
        return f"Use other trajectories, or make the pairs with {OVERRIDE} naming {source}"
    known = ", ".join(BenchmarkSource)
    return f"Use other trajectories; {OVERRIDE} lets through tasks of {known} alone"
