"""Ask evalplus 0.3.1 and this project for a verdict on every real program there is, and compare.

    python measurements/evalplus_agreement.py [--files mgdebugger llmdebugger codet] [--workers N]

The programs are the samples of CodeT (16,400) and MGDebugger and every version in the LLMDebugger
trajectories whose task evalplus holds, each on the base and the plus tests. A program that occurs
in several files is judged once. Differences are listed with their reasons as in evalplus_speed.py;
the exit status is the number of those without one.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evalplus_peer import UNEXPLAINED, Evalplus, count_passes, explain, judge_here
from sandbox_samples import DATA, machine, task_named_like

from iterpref_assets.core.evaluation.evalplus.data import (
    SANDBOX_PACKAGES,
    EvalPlusBenchmark,
    EvalPlusData,
    load_evalplus,
)
from iterpref_assets.core.evaluation.evalplus.suite import evalplus_benchmark
from iterpref_assets.core.evaluation.samples import Sample
from iterpref_assets.core.evaluation.scores import Statuses
from iterpref_assets.core.sandbox.sandbox import Sandbox

BENCHMARK_FILES = {
    EvalPlusBenchmark.HUMANEVAL: "HumanEvalPlus.jsonl.gz",
    EvalPlusBenchmark.MBPP: "MbppPlus.jsonl.gz",
}


def main() -> None:
    """Compare file by file, and print the differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", nargs="+", default=["mgdebugger", "llmdebugger", "codet"])
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    print(machine(), flush=True)
    work = Path(tempfile.mkdtemp(prefix="evalplus-agreement-"))
    os.environ["XDG_CACHE_HOME"] = str(work)  # before evalplus is imported: it asks only then
    unexplained = 0
    for name, file in BENCHMARK_FILES.items():
        data = load_evalplus(name, DATA / "benchmarks" / file)
        files = [path for each in options.files for path in _program_files(name, each)]
        unexplained += _compare(data, DATA / "benchmarks" / file, files, work, options.workers)
    sys.exit(unexplained)


def _program_files(name: EvalPlusBenchmark, source: str) -> list[Path]:
    found = sorted([*DATA.glob("samples/*.gz"), *DATA.glob("trajectories/*/*.gz")])
    return [path for path in found if source in str(path) and name.value in path.name]


def _compare(data: EvalPlusData, file: Path, files: list[Path], work: Path, workers: int) -> int:
    evalplus = Evalplus(data, file, work, workers, base_only=False)
    reasons: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    with Sandbox(workers, packages=SANDBOX_PACKAGES) as sandbox:
        benchmark = evalplus_benchmark(data, sandbox, work / "iterpref", workers)
        for path in files:
            programs = [each for each in _programs(path, data) if each not in seen]
            unique = list(dict.fromkeys(programs))
            seen.update(unique)
            samples = [Sample(task, number, code) for number, (task, code) in enumerate(unique)]
            results = judge_here(benchmark, samples, sandbox, workers)
            theirs = evalplus.judge(samples)
            ours = [Statuses(base=r.base_status, plus=r.plus_status) for r in results]
            print(f"{path.name}: {len(samples)} programs not met before", flush=True)
            print(f"  evalplus 0.3.1: {count_passes(theirs)}")
            print(f"  this project:   {count_passes(ours)}")
            reasons += explain(samples, results, theirs, evalplus)
    print(f"{data.benchmark.value}: {len(seen)} programs, differences: {dict(reasons) or 'none'}")
    return reasons[UNEXPLAINED]


def _programs(path: Path, data: EvalPlusData) -> Iterator[tuple[str, str]]:
    """Each program of a file with its task, where evalplus holds the task."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield from _programs_of(json.loads(line), data)


def _programs_of(record: dict[str, Any], data: EvalPlusData) -> Iterator[tuple[str, str]]:
    if "samples" in record:
        task = task_named_like(record["prompt"], list(data.problems.values()))
        for completion in record["samples"]:
            yield task.task_id, record["prompt"] + completion
        return
    task_id = record["task_id"].replace("MBPP/", "Mbpp/")
    if task_id in data.problems:
        for code in [*record.get("implementations", ()), record["solution"]]:
            yield task_id, code


if __name__ == "__main__":
    main()
