"""Judge the same programs with LiveCodeBench's own runner and with this project; compare the time.

    python measurements/livecodebench_speed.py --runner CLONE --data FILE --samples FILE.jsonl \
        [--every 1] [--ended] [--rules official]

CLONE is a clone of LiveCodeBench's repository. Both have as many workers and the runner's limits.
Time here counts from the start of the sandbox, there from the first program. CPU time is that of
all processes, and hardly depends on what runs beside.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from beside_harness import judge_here, tell_apart
from peers import run_peer
from sandbox_samples import machine
from spent import Spent

from iterpref_assets.core.evaluation.benchmark_config import LiveCodeBenchConfig
from iterpref_assets.core.evaluation.livecodebench.data import load_livecodebench
from iterpref_assets.core.evaluation.livecodebench.sources import LiveCodeBenchRules
from iterpref_assets.core.evaluation.samples import Sample, read_samples
from iterpref_assets.core.evaluation.tasks import PromptStyle
from iterpref_assets.core.sandbox.sandbox import Sandbox
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

    def judge(sample: Sample, sandbox: Sandbox) -> Execution:
        return tasks[sample.task_id].judge(sample.code, sandbox).base

    print(f"{options.rules} rules")
    ours = judge_here(suite, samples, judge, options.workers)
    if options.ended:
        late = [each.verdict is Verdict.TIMEOUT for each in ours.executions]
        print(f"left out: {sum(late)} of {len(samples)} programs that run into the limit")
        samples = [sample for sample, each in zip(samples, late, strict=True) if not each]
        ours = judge_here(suite, samples, judge, options.workers)
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
    names = [f"{sample.task_id} #{sample.sample}" for sample in samples]
    tell_apart(names, ours, theirs["passed"], Spent(theirs["seconds"], theirs["cpu_seconds"]))


if __name__ == "__main__":
    main()
