"""Judge the same programs with LiveCodeBench's own runner and with this project; compare the time.

    python measurements/livecodebench_speed.py --runner CLONE --data FILE --samples FILE.jsonl \
        [--every 1] [--ended] [--rules official]

CLONE is a clone of LiveCodeBench's repository. Both have as many workers and the runner's limits.
The time here counts from the start of the sandbox, there from the first program.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from peers import run_peer
from sandbox_samples import machine

from iterpref_assets.core.evaluation.benchmark_config import LiveCodeBenchConfig
from iterpref_assets.core.evaluation.livecodebench.data import load_livecodebench
from iterpref_assets.core.evaluation.livecodebench.sources import LiveCodeBenchRules
from iterpref_assets.core.evaluation.samples import Sample, read_samples
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.sandbox.verdicts import Execution, Verdict


def main() -> None:
    """Run both, one after the other, and print times and differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runner", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--samples", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--ended", action="store_true", help="only programs that end in time here")
    parser.add_argument("--rules", type=LiveCodeBenchRules, default=LiveCodeBenchRules.OFFICIAL)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    print(machine(), flush=True)
    problems = load_livecodebench(options.data).problems
    samples = read_samples(options.samples, dict.fromkeys(problems, "")).samples[:: options.every]
    suite = LiveCodeBenchConfig(data=options.data, rules=options.rules).open()
    tasks = suite.questions(PromptStyle.CHAT)

    def timed() -> tuple[list[Execution], float]:
        started = time.monotonic()
        with suite.open_sandbox(options.workers) as sandbox:

            def judge(sample: Sample) -> Execution:
                return tasks[sample.task_id].judge(sample.code, sandbox).base

            with ThreadPoolExecutor(options.workers) as pool:
                return list(pool.map(judge, samples)), time.monotonic() - started

    ours, seconds = timed()
    if options.ended:
        late = [each.verdict is Verdict.TIMEOUT for each in ours]
        print(f"left out: {sum(late)} of {len(samples)} programs that run into the limit")
        samples = [sample for sample, each in zip(samples, late, strict=True) if not each]
        ours, seconds = timed()
    print(
        f"{len(samples)} programs, {options.rules} rules, {options.workers} workers: "
        f"{seconds:.1f} s here, {sum(each.cpu_seconds for each in ours):.1f} s of CPU time in them",
        flush=True,
    )
    given = [
        {
            "code": sample.code,
            "input_output": json.dumps(
                {
                    "inputs": [case.input for case in problems[sample.task_id].cases],
                    "outputs": [case.output for case in problems[sample.task_id].cases],
                    "fn_name": problems[sample.task_id].method or None,
                }
            ),
        }
        for sample in samples
    ]
    script = Path(__file__).with_name("livecodebench_peer.py")
    theirs = run_peer(script, [str(options.runner.resolve()), str(options.workers)], None, given)
    print(f"its own runner {theirs['seconds']:.1f} s: {theirs['seconds'] / seconds:.2f}x")
    for sample, here, there in zip(samples, ours, theirs["passed"], strict=True):
        if here.passed is not there:
            print(f"  {sample.task_id} #{sample.sample}: there {there}, here {here.verdict}")
    print(f"{sum(each.passed for each in ours)} pass here, {sum(theirs['passed'])} there")


if __name__ == "__main__":
    main()
