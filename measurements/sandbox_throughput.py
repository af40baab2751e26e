"""Programs per second through the sandbox, on CodeT's samples with HumanEval's base tests.

    python measurements/sandbox_throughput.py [--per-task 100] [--workers N] [--evalplus]

Every program runs in full isolation: a fresh fork in namespaces of its own, the seccomp filter, an
empty directory. "All" is every sample; "ending" leaves out those that "all" found to run into a
limit, and is timed on its own. "Trivial" is one small right program over and over. With --evalplus,
evalplus 0.3.1 judges all of them too, by its own pool of as many processes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from evalplus_peer import Evalplus, count_passes
from sandbox_samples import HUMANEVAL, Sample, codet_samples, machine

from iterpref_assets.core.evaluation import samples as files
from iterpref_assets.core.evaluation.evalplus.data import EvalPlusBenchmark, load_evalplus
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Verdict

_Item = TypeVar("_Item")
_LIMITS = (Verdict.TIMEOUT, Verdict.MEMORY)


def timed(
    judge: Callable[[_Item], Verdict], items: Sequence[_Item], workers: int
) -> tuple[list[Verdict], float]:
    """The verdicts in order, and the seconds they took together."""
    started = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        verdicts = list(pool.map(judge, items))
    return verdicts, time.perf_counter() - started


def main() -> None:
    """Parse the options, run, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-task", type=int, default=100)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--evalplus", action="store_true")
    arguments = parser.parse_args()
    print(machine(), flush=True)
    with Sandbox(arguments.workers) as sandbox:
        samples = codet_samples(sandbox, arguments.workers, arguments.per_task)

        def judge(sample: Sample) -> Verdict:
            return sample.task.judge(sample.code, sandbox).base.verdict

        def trivial(_: int) -> Verdict:
            run = sandbox.run_calls("def square(x):\n    return x * x\n", "square", [(3,)])
            return Verdict.PASSED if run.ending is None else run.ending

        verdicts, seconds = timed(judge, samples, arguments.workers)
        report("all", verdicts, seconds)
        ending = [each for each, got in zip(samples, verdicts, strict=True) if got not in _LIMITS]
        report("ending", *timed(judge, ending, arguments.workers))
        report("trivial", *timed(trivial, range(len(samples)), arguments.workers))
    if arguments.evalplus:
        beside_evalplus(samples, arguments.workers, len(samples) / seconds)


def beside_evalplus(samples: Sequence[Sample], workers: int, rate: float) -> None:
    """Print evalplus's rate over all samples, and how many times that `rate` is."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder  # before evalplus is imported: it asks only then
        data = load_evalplus(EvalPlusBenchmark.HUMANEVAL, HUMANEVAL)
        theirs = Evalplus(data, HUMANEVAL, Path(folder), workers, base_only=True)
        started = time.perf_counter()
        statuses = theirs.judge(
            [
                files.Sample(each.task.task_id, number, each.code)
                for number, each in enumerate(samples)
            ]
        )
        theirs_rate = len(samples) / (time.perf_counter() - started)
    print(
        f"evalplus 0.3.1, all: {theirs_rate:.0f}/s ({count_passes(statuses)}); "
        f"this project {rate / theirs_rate:.1f}x"
    )


def report(name: str, verdicts: list[Verdict], seconds: float) -> None:
    """Print one line."""
    counts = ", ".join(f"{count} {verdict}" for verdict, count in Counter(verdicts).most_common())
    rate = len(verdicts) / seconds
    print(f"{name:8} {len(verdicts):6} in {seconds:7.1f} s: {rate:6.0f}/s ({counts})", flush=True)


if __name__ == "__main__":
    main()
