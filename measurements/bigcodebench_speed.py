"""Judge the same programs with BigCodeBench's own harness and with this project; compare the time.

    python measurements/bigcodebench_speed.py --harness HARNESS --libraries FOLDER \
        --data BigCodeBench-v0.1.4.jsonl.gz [--graded NAME_eval_results.json] [--part 1/12]

HARNESS is what `pip install --no-deps --target HARNESS bigcodebench==0.2.5` fills. Both use the
same libraries and as many workers, and neither has a network. The programs are the references, or
those of a file that the harness has graded; of the tasks every twelfth, because the harness takes
seconds for each. Time here counts from the start of the sandbox, there from the first program. CPU
time is that of all processes, and hardly depends on what runs beside.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from beside_harness import judge_here, tell_apart
from bigcodebench_agreement import Graded, part_of, read_graded
from peers import run_peer
from sandbox_samples import machine
from spent import Spent

from iterpref_assets.core.evaluation.bigcodebench.data import BigCodeBenchSplit, load_bigcodebench
from iterpref_assets.core.evaluation.bigcodebench.suite import BigCodeBenchSuite
from iterpref_assets.core.evaluation.bigcodebench.tasks import calibrated, judge_program
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution


def main() -> None:
    """Run both, one after the other, and print times and differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--harness", type=Path, required=True)
    parser.add_argument("--libraries", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--graded", type=Path, help="programs in place of the references")
    parser.add_argument("--part", default="1/12", help="every twelfth, from the first")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    print(machine(), flush=True)
    data = load_bigcodebench(options.data)
    programs = [Graded(each, each.reference, "", "") for each in data.problems.values()]
    if options.graded:
        programs = read_graded(options.graded, data.problems)
    programs = part_of(programs, options.part)
    suite = BigCodeBenchSuite(data, BigCodeBenchSplit.COMPLETE, options.libraries)

    def judge(each: Graded, sandbox: Sandbox) -> Execution:
        return judge_program(each.problem, calibrated(each.problem, each.code), sandbox)

    ours = judge_here(suite, programs, judge, options.workers)
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
    tell_apart(
        [each.problem.task_id for each in programs],
        ours,
        [each == "pass" for each in theirs["statuses"]],
        Spent(theirs["seconds"], theirs["cpu_seconds"]),
    )


if __name__ == "__main__":
    main()
