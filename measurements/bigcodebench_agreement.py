"""Judge programs that BigCodeBench's own evaluator has graded, and compare the verdicts.

    python measurements/bigcodebench_agreement.py --data BigCodeBench-v0.1.4.jsonl.gz \
        --libraries FOLDER --graded NAME_eval_results.json [--workers N]

NAME_eval_results.json is what `bigcodebench.evaluate` writes, with every program and its status.
Every difference is printed with what the evaluator kept of it. Programs of tasks whose reference
does not pass here are left out and counted: that they fail here says nothing of them. The exit
status is 1 where there is a difference.

`--both` also judges each program of a task whose tests are kept apart from it (docs/SANDBOX.md) in
one process with them, and prints where that differs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox_samples import machine

from iterpref_assets.core.evaluation.bigcodebench.data import (
    BigCodeBenchProblem,
    BigCodeBenchSplit,
    load_bigcodebench,
)
from iterpref_assets.core.evaluation.bigcodebench.proxying import why_in_process
from iterpref_assets.core.evaluation.bigcodebench.suite import BigCodeBenchSuite
from iterpref_assets.core.evaluation.bigcodebench.tasks import (
    calibrated,
    judge_apart,
    judge_beside,
    judge_program,
)
from iterpref_assets.core.sandbox.sandbox import Sandbox
from iterpref_assets.core.sandbox.verdicts import Execution


@dataclass(frozen=True)
class Graded:
    """A program with the evaluator's status and what it kept of the first failure."""

    problem: BigCodeBenchProblem
    code: str
    status: str
    failure: str


def main() -> None:
    """Judge, and print the differences."""
    options = _options()
    print(machine(), flush=True)
    data = load_bigcodebench(options.data)
    suite = BigCodeBenchSuite(data, BigCodeBenchSplit.COMPLETE, options.libraries)
    with suite.open_sandbox(options.workers) as sandbox:
        if options.references:
            programs = [Graded(p, p.reference, "pass", "") for p in data.problems.values()]
            sys.exit(_compare_ways(part_of(programs, options.part), sandbox, options.workers))
        graded = [each for path in options.graded for each in read_graded(path, data.problems)]
        graded = part_of(graded, options.part)
        different = _compare(graded, sandbox, options.workers)
        if options.both:
            _compare_ways(graded, sandbox, options.workers)
    sys.exit(bool(different))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--libraries", type=Path, required=True)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--graded", type=Path, nargs="+", help="files of the evaluator's results")
    source.add_argument(
        "--references", action="store_true", help="reference solutions, in both ways"
    )
    parser.add_argument("--part", default="1/1", help="2/4: every fourth, from the second")
    parser.add_argument("--both", action="store_true", help="judge in one process too")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


def part_of(programs: list[Graded], part: str) -> list[Graded]:
    """Of "2/4" every fourth program, from the second."""
    first, step = map(int, part.split("/"))
    return programs[first - 1 :: step]


def read_graded(path: Path, problems: dict[str, BigCodeBenchProblem]) -> list[Graded]:
    """The programs of a file that the evaluator wrote."""
    results = json.loads(path.read_text())["eval"]
    return [
        Graded(
            problems[name],
            each["solution"],
            each["status"],
            next((f"{test}: {said}" for test, said in dict(each["details"]).items()), ""),
        )
        for name, samples in results.items()
        for each in samples
    ]


def _compare(graded: Sequence[Graded], sandbox: Sandbox, workers: int) -> int:
    """How many verdicts differ from the evaluator's; each is printed."""

    def judge(each: Graded) -> Execution:
        return judge_program(each.problem, calibrated(each.problem, each.code), sandbox)

    references = {
        each.problem.task_id: replace(each, code=each.problem.reference) for each in graded
    }
    with ThreadPoolExecutor(workers) as pool:
        passing = zip(references, pool.map(judge, references.values()), strict=True)
        runnable = {name for name, execution in passing if execution.passed}
        asked, graded = len(graded), [g for g in graded if g.problem.task_id in runnable]
        started = time.monotonic()
        executions = list(pool.map(judge, graded))
    seconds = time.monotonic() - started
    counts: Counter[str] = Counter()
    for each, execution in zip(graded, executions, strict=True):
        if (each.status == "pass") is execution.passed:
            continue
        counts["passes only here" if execution.passed else "passes only there"] += 1
        there = " ".join(each.failure.split()[-30:]) if execution.passed else ""
        way = "beside" if execution.in_process else "apart"
        print(
            f"  {each.problem.task_id}: there {each.status} {there}\n"
            f"    here {execution.verdict} ({way}) {execution.message[:300]}"
        )
    print(
        f"{asked - len(graded)} of {asked} programs are of tasks that cannot run here; "
        f"{len(graded) - sum(counts.values())} of {len(graded)} agree, {dict(counts)}; "
        f"{sum(each.status == 'pass' for each in graded)} pass there, "
        f"{sum(each.passed for each in executions)} here; "
        f"{sum(not each.in_process for each in executions)} judged apart from the program; "
        f"{seconds:.1f} s, {workers} workers",
        flush=True,
    )
    return sum(counts.values())


def _compare_ways(graded: Sequence[Graded], sandbox: Sandbox, workers: int) -> int:
    """How many verdicts of tests apart differ from those of the same tests beside the program."""
    chosen = [each for each in graded if not why_in_process(each.problem)]

    def judge(each: Graded) -> tuple[Execution, Execution]:
        code = calibrated(each.problem, each.code)
        return (
            judge_apart(each.problem, code, sandbox),
            judge_beside(each.problem, code, sandbox),
        )

    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(judge, chosen))
    different = 0
    for each, (apart, beside) in zip(chosen, found, strict=True):
        if apart.passed is not beside.passed:
            different += 1
            print(
                f"  {each.problem.task_id}: apart {apart.verdict} {apart.message[:200]}\n"
                f"    beside {beside.verdict} {beside.message[:200]}"
            )
    print(
        f"tests apart from the program: {len(chosen)} of {len(graded)} programs; of these "
        f"{len(chosen) - different} have the same verdict as beside their tests"
    )
    return bool(different)


if __name__ == "__main__":
    main()
