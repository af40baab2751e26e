"""Ask LiveCodeBench's own runner and this project for a verdict on the same programs, and compare.

    python measurements/livecodebench_agreement.py --runner LiveCodeBench --data FILE
        --samples FILE.jsonl [--rules official] [--seconds 30] [--workers N]

RUNNER is a clone of LiveCodeBench's repository; of it only `lcb_runner/evaluation/testing_util.py`
is used, in processes of its own, without a sandbox: run it on programs of models that you trust.
Its limit is wall-clock time, so `--seconds` gives it more than its 6 on a busy machine. Every
difference is printed; the exit status is 1 where there is one.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty
from typing import Any

from sandbox_samples import machine

from iterpref_assets.core.evaluation.benchmark_config import LiveCodeBenchConfig
from iterpref_assets.core.evaluation.livecodebench.data import (
    LiveCodeBenchProblem,
    load_livecodebench,
)
from iterpref_assets.core.evaluation.livecodebench.sources import MAX_DIGITS, LiveCodeBenchRules
from iterpref_assets.core.evaluation.sample_scoring import RESULTS, SampleRun, score_file
from iterpref_assets.core.evaluation.samples import Sample, read_samples

PATIENCE = 5.0
"""Seconds beyond all limits together before a runner counts as hung, as the official one has it."""


def main() -> None:
    """Judge by both and print the differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runner", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--samples", type=Path, required=True)
    parser.add_argument("--rules", type=LiveCodeBenchRules, default=LiveCodeBenchRules.OFFICIAL)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    print(machine(), flush=True)
    problems = load_livecodebench(options.data).problems
    samples = read_samples(options.samples, dict.fromkeys(problems, "")).samples
    ours = _here(options.data, options.samples, options.rules, options.workers)
    theirs = _there(options.runner, problems, samples, options.seconds, options.workers)
    different = 0
    for sample, result, passed in zip(samples, ours, theirs, strict=True):
        if (result["verdict"] == "passed") is not passed:
            different += 1
            print(
                f"  {sample.task_id} #{sample.sample}: there {'passed' if passed else 'failed'}, "
                f"here {result['verdict']} {result['error_type']} {result['message'][:60]}"
            )
    passes = sum(each["verdict"] == "passed" for each in ours), sum(theirs)
    print(
        f"{options.rules} rules: {len(samples) - different} of {len(samples)} agree; "
        f"{passes[0]} pass here, {passes[1]} there"
    )
    sys.exit(bool(different))


def _here(
    data: Path, samples: Path, rules: LiveCodeBenchRules, workers: int
) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="livecodebench-agreement-") as folder:
        out = Path(folder)
        suite = LiveCodeBenchConfig(data=data, rules=rules).open()
        score_file(suite, SampleRun(samples, out, out, workers))
        return [json.loads(line) for line in (out / RESULTS).read_text().splitlines()]


def _there(
    runner: Path,
    problems: dict[str, LiveCodeBenchProblem],
    samples: list[Sample],
    seconds: int,
    workers: int,
) -> list[bool]:
    sys.path.insert(0, str(runner / "lcb_runner" / "evaluation"))
    import testing_util  # pyright: ignore[reportMissingImports]

    sys.set_int_max_str_digits(MAX_DIGITS)

    def judge(sample: Sample) -> bool:
        return _verdict(testing_util, problems[sample.task_id], sample.code, seconds)

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(judge, samples))


def _verdict(testing_util: Any, problem: LiveCodeBenchProblem, code: str, seconds: int) -> bool:
    asked = {
        "inputs": [case.input for case in problem.cases],
        "outputs": [case.output for case in problem.cases],
        "fn_name": problem.method or None,
    }
    context = multiprocessing.get_context("fork")
    said = context.Queue()

    def run() -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            sample = {"input_output": json.dumps(asked)}
            results, _ = testing_util.run_test(sample, test=code, timeout=seconds)
            said.put(all(bool(each) and each not in (-1, -2, -3, -4) for each in results))
        except BaseException:  # noqa: BLE001 - the program may raise anything, SystemExit too
            said.put(False)

    process = context.Process(target=run)
    process.start()
    try:
        return said.get(timeout=(seconds + 1) * len(problem.cases) + PATIENCE)
    except Empty:
        return False
    finally:
        process.kill()
        process.join()


if __name__ == "__main__":
    main()
