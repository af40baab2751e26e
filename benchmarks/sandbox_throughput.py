"""Programs per second through the sandbox, on CodeT's samples with HumanEval's base tests.

    python benchmarks/sandbox_throughput.py [--per-task 100] [--workers N]

Every program runs in full isolation: a fresh fork in namespaces of its own, the seccomp filter, an
empty directory. "All" is every sample; "ending" leaves out those that "all" found to run into a
limit, and is timed on its own. "Trivial" is one small right program over and over.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sandbox_samples import Sample, codet_samples, machine

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


def report(name: str, verdicts: list[Verdict], seconds: float) -> None:
    """Print one line."""
    counts = ", ".join(f"{count} {verdict}" for verdict, count in Counter(verdicts).most_common())
    rate = len(verdicts) / seconds
    print(f"{name:8} {len(verdicts):6} in {seconds:7.1f} s: {rate:6.0f}/s ({counts})", flush=True)


if __name__ == "__main__":
    main()
