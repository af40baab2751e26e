"""From a samples file to scores, one function per kind of benchmark.

Each reads and checks its input first; only then does it start a sandbox, which has the packages
that the benchmark's programs may import.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from iterpref_assets.core.evaluation.batch import Benchmark, score_samples
from iterpref_assets.core.evaluation.bigcode.data import Split, Subset
from iterpref_assets.core.evaluation.results import DataSource, ResultSummary
from iterpref_assets.core.evaluation.samples import read_samples


@dataclass(frozen=True, slots=True)
class Run:
    """What every run is given.

    Attributes:
        samples: the samples file.
        out: the folder for results and summary.
        data: the benchmark's file, None for its official source.
        cache: where expected outputs are kept between runs.
        workers: programs run at once.
        skip_invalid: count invalid lines of the samples file instead of refusing it.
    """

    samples: Path
    out: Path
    data: Path | None
    cache: Path
    workers: int
    skip_invalid: bool


def score_plus(run: Run, name: str) -> ResultSummary:
    """Score samples on HumanEval+ ("humaneval") or MBPP+ ("mbpp")."""
    from iterpref_assets.core.evaluation.plus.benchmark import SANDBOX_PACKAGES, plus_benchmark
    from iterpref_assets.core.evaluation.plus.data import PlusBenchmark, load_plus
    from iterpref_assets.core.sandbox.sandbox import Sandbox

    data = load_plus(PlusBenchmark(name), run.data)
    prompts = {task_id: problem.prompt for task_id, problem in data.problems.items()}
    file = read_samples(run.samples, prompts, skip_invalid=run.skip_invalid)
    with Sandbox(run.workers, packages=SANDBOX_PACKAGES) as sandbox:
        benchmark = plus_benchmark(data, sandbox, run.cache, run.workers)
        return score_samples(benchmark, file, sandbox, run.out, run.workers)


def score_contests(run: Run, since: date | None, until: date | None) -> ResultSummary:
    """Score samples on LiveCodeBench's contests from `since` to `until`, both included."""
    from iterpref_assets.core.evaluation.contests.data import load_contests
    from iterpref_assets.core.evaluation.contests.tasks import contest_tasks
    from iterpref_assets.core.sandbox.sandbox import Sandbox

    data = load_contests(run.data).within(since, until)
    file = read_samples(
        run.samples, dict.fromkeys(data.problems, ""), skip_invalid=run.skip_invalid
    )
    window = f"livecodebench {since or ''}..{until or ''}"
    benchmark = Benchmark(
        DataSource(benchmark=window, sha256=data.sha256, md5=data.md5),
        {task.task_id: task for task in contest_tasks(data)},
        groups={name: p.difficulty.value for name, p in data.problems.items() if p.difficulty},
    )
    with Sandbox(run.workers) as sandbox:
        return score_samples(benchmark, file, sandbox, run.out, run.workers)


def score_bigcode(run: Run, split: Split, subset: Subset) -> ResultSummary:
    """Score samples on BigCodeBench; tasks whose reference cannot pass here are not run."""
    from iterpref_assets.core.evaluation.bigcode.data import load_bigcode
    from iterpref_assets.core.evaluation.bigcode.references import (
        open_bigcode_sandbox,
        tasks_not_run,
    )
    from iterpref_assets.core.evaluation.bigcode.tasks import bigcode_tasks

    data = load_bigcode(run.data, subset)
    prompts = {name: problem.complete_prompt for name, problem in data.problems.items()}
    file = read_samples(run.samples, prompts, skip_invalid=run.skip_invalid)
    with open_bigcode_sandbox(data, run.workers) as sandbox:
        benchmark = Benchmark(
            DataSource(
                benchmark=f"bigcodebench {subset} {split}", sha256=data.sha256, md5=data.md5
            ),
            {task.task_id: task for task in bigcode_tasks(data, split)},
            not_run=tasks_not_run(data, sandbox, run.cache, run.workers),
        )
        return score_samples(benchmark, file, sandbox, run.out, run.workers)
