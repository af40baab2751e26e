"""Run every reference solution of a benchmark in the sandbox; report coverage and what cannot run.

    python measurements/references.py humaneval --data HumanEvalPlus.jsonl.gz
    python measurements/references.py mbpp --data MbppPlus.jsonl.gz
    python measurements/references.py bigcodebench --data BigCodeBench-v0.1.4.jsonl.gz \
        --libraries FOLDER      (pip install --target FOLDER -r requirements/bigcodebench.txt)
    python measurements/references.py livecodebench --data FILE \
        --solutions examples/livecodebench-solutions.jsonl

The exit status is 1 where a reference solution fails for no known reason. With --work, an
interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from iterpref_assets.core.evaluation.benchmark_config import (
    BenchmarkName,
    BenchmarksConfig,
    BigCodeBenchConfig,
    EvalPlusConfig,
    LiveCodeBenchConfig,
)
from iterpref_assets.core.evaluation.references import (
    NO_REFERENCE,
    ReferenceResult,
    run_references,
)
from iterpref_assets.core.evaluation.tasks import PromptStyle


def main() -> None:
    """Run them and print what they came to."""
    options = _options()
    work = options.work or Path(tempfile.mkdtemp(prefix="references-"))
    suite = _config(options).open(options.benchmark)
    started = time.monotonic()
    with suite.open_sandbox(options.workers) as sandbox:
        tasks = suite.tasks(PromptStyle.CHAT, sandbox, work, options.workers)
        results = run_references(suite, tasks, sandbox, work, options.workers)
    print(f"{options.benchmark}: {len(results)} tasks, {time.monotonic() - started:.1f} s")
    sys.exit(_report(results))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("benchmark", type=BenchmarkName, choices=list(BenchmarkName))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--libraries", type=Path, help="folder for BigCodeBench's programs")
    parser.add_argument("--solutions", type=Path, help="solutions of LiveCodeBench's problems")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--work", type=Path, help="where results are kept between runs")
    return parser.parse_args()


def _config(options: argparse.Namespace) -> BenchmarksConfig:
    plus = EvalPlusConfig(data=options.data)
    return BenchmarksConfig(
        humaneval=plus,
        mbpp=plus,
        bigcodebench=BigCodeBenchConfig(data=options.data, libraries=options.libraries),
        livecodebench=LiveCodeBenchConfig(data=options.data, solutions=options.solutions),
    )


def _report(results: list[ReferenceResult]) -> int:
    """Print counts and reasons; 1 where a reference fails for no known reason."""
    failing = [result for result in results if result.fails]
    without = [result for result in results if result.verdict == NO_REFERENCE]
    left_out: dict[str, list[str]] = defaultdict(list)
    for result in results:
        if result.not_run:
            left_out[result.not_run].append(result.task_id)
    count = len(results) - len(without)
    runnable = count - sum(map(len, left_out.values()))
    print(f"reference solutions pass: {runnable - len(failing)} of {runnable} runnable ({count})")
    for reason, names in sorted(left_out.items(), key=lambda item: -len(item[1])):
        print(f"  not run, {reason}: {', '.join(names)}")
    for result in failing:
        print(f"  FAILS {result.task_id}: {result.verdict} {result.error_type} {result.message}")
    if without:
        print(f"  without a reference solution: {len(without)}")
    return 1 if failing else 0


if __name__ == "__main__":
    main()
