"""The same programs alone and beside four busy loops: the verdicts must be the same.

    python measurements/sandbox_under_load.py [--per-task 10] [--workers N]

Ends with exit code 1, and the differences, if they are not.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys

from sandbox_samples import Sample, codet_samples, machine
from sandbox_throughput import timed

from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Verdict

BUSY = 4


def burn() -> None:
    """Keep a core busy."""
    while True:
        pass


def main() -> None:
    """Parse the options, run, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-task", type=int, default=10)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    print(machine(), flush=True)
    with Sandbox(arguments.workers) as sandbox:
        samples = codet_samples(sandbox, arguments.workers, arguments.per_task)

        def judge(sample: Sample) -> Verdict:
            return sample.task.judge(sample.code, sandbox).base.verdict

        alone, seconds = timed(judge, samples, arguments.workers)
        print(f"alone: {len(samples)} programs in {seconds:.1f} s", flush=True)
        loops = [multiprocessing.Process(target=burn, daemon=True) for _ in range(BUSY)]
        for loop in loops:
            loop.start()
        busy, seconds = timed(judge, samples, arguments.workers)
        for loop in loops:
            loop.terminate()
        print(f"beside {BUSY} busy loops: {seconds:.1f} s", flush=True)
    different = [
        (sample.task.task_id, before, after)
        for sample, before, after in zip(samples, alone, busy, strict=True)
        if before is not after
    ]
    print(f"verdicts that differ: {len(different)}")
    for each in different:
        print(*each)
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
