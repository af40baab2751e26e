"""Judge the same programs with BigCodeBench's own harness and with this project; compare the time.

    python measurements/bigcodebench_speed.py --harness HARNESS --libraries FOLDER \
        --data BigCodeBench-v0.1.4.jsonl.gz [--graded NAME_eval_results.json] [--every 12]

HARNESS is what `pip install --no-deps --target HARNESS bigcodebench==0.2.5` fills. Both use the
same libraries and as many workers, and neither has a network. The programs are the references, or
those of a file that the harness has graded; of the tasks every twelfth, because the harness takes
seconds for each. The time here counts from the start of the sandbox, there from the first program.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bigcodebench_agreement import Graded, read_graded
from peers import run_peer
from sandbox_samples import machine

from iterpref_assets.core.evaluation.bigcodebench.data import BigCodeBenchSplit, load_bigcodebench
from iterpref_assets.core.evaluation.bigcodebench.suite import BigCodeBenchSuite
from iterpref_assets.core.evaluation.bigcodebench.tasks import calibrated, judge_program
from iterpref_assets.core.sandbox.verdicts import Execution


def main() -> None:
    """Run both, one after the other, and print times and differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--harness", type=Path, required=True)
    parser.add_argument("--libraries", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--graded", type=Path, help="programs in place of the references")
    parser.add_argument("--every", type=int, default=12)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    print(machine(), flush=True)
    data = load_bigcodebench(options.data)
    programs = [Graded(each, each.reference, "", "") for each in data.problems.values()]
    if options.graded:
        programs = read_graded(options.graded, data.problems)
    programs = programs[:: options.every]
    started = time.monotonic()
    suite = BigCodeBenchSuite(data, BigCodeBenchSplit.COMPLETE, options.libraries)
    with (
        suite.open_sandbox(options.workers) as sandbox,
        ThreadPoolExecutor(options.workers) as pool,
    ):

        def judge(each: Graded) -> Execution:
            return judge_program(each.problem, calibrated(each.problem, each.code), sandbox)

        ours = list(pool.map(judge, programs))
    seconds = time.monotonic() - started
    print(f"{len(programs)} programs, {options.workers} workers: {seconds:.1f} s here", flush=True)
    given = [
        {
            "code": calibrated(each.problem, each.code),
            "test": each.problem.test,
            "entry_point": each.problem.entry_point,
        }
        for each in programs
    ]
    script = Path(__file__).with_name("bigcodebench_peer.py")
    arguments = [str(options.harness.resolve()), str(options.workers)]
    theirs = run_peer(script, arguments, options.libraries, given)
    print(f"its own harness {theirs['seconds']:.1f} s: {theirs['seconds'] / seconds:.2f}x")
    for each, here, there in zip(programs, ours, theirs["statuses"], strict=True):
        if here.passed is not (there == "pass"):
            print(f"  {each.problem.task_id}: there {there}, here {here.verdict} {here.message}")
    passes = sum(each.passed for each in ours), theirs["statuses"].count("pass")
    print(f"{passes[0]} pass here, {passes[1]} there")


if __name__ == "__main__":
    main()
