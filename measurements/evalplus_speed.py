"""Score the same samples with evalplus 0.3.1 and with this project, and compare verdicts and time.

    python measurements/evalplus_speed.py humaneval --samples references \
        --data HumanEvalPlus.jsonl.gz

Two clocks. "Command" is what a user waits for: `evalplus.evaluate` against `iterpref evaluate`,
each a process of its own with what an earlier run cached; evalplus as it comes (it uses half of the
cores) and with as many workers. "Judging" leaves out start-up, loading and evalplus's watchdog
thread, which keeps its process up to 20 s after the last verdict: the same calls, made from this
process, with equal workers.
Every line on which the two differ is listed with its reason: a listed fault of evalplus, or its
wall-clock limits, which is tried by asking evalplus again, alone, with limits 30 times as long.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from evalplus_peer import UNEXPLAINED, Evalplus, count_passes, explain, judge_here
from sandbox_samples import machine

from iterpref_assets.core.evaluation.evalplus.data import (
    SANDBOX_PACKAGES,
    EvalPlusBenchmark,
    EvalPlusData,
    load_evalplus,
)
from iterpref_assets.core.evaluation.evalplus.suite import evalplus_benchmark
from iterpref_assets.core.evaluation.samples import Sample, read_samples
from iterpref_assets.core.evaluation.scores import Statuses
from iterpref_assets.core.sandbox.sandbox import Sandbox


def main() -> None:
    """Run both, one after the other, and print what they took and where they differ."""
    options = _options()
    work = options.work or Path(tempfile.mkdtemp(prefix="evalplus-speed-"))
    os.environ["XDG_CACHE_HOME"] = str(work)  # before evalplus is imported: it asks only then
    data = load_evalplus(options.benchmark, options.data)
    samples = _samples(options.samples, data)
    tasks = len({sample.task_id for sample in samples})
    print(machine())
    print(f"{len(samples)} samples of {tasks} tasks, {options.workers} workers")
    theirs = Evalplus(data, options.data, work, options.workers, base_only=options.base_only)
    if not options.base_only:
        _compare_commands(options, samples, theirs, work)
    _compare_judging(options, data, samples, theirs, work)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("benchmark", type=EvalPlusBenchmark, choices=list(EvalPlusBenchmark))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--samples", required=True, help="a samples file, or 'references'")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--base-only", action="store_true", help="base tests, judging only")
    parser.add_argument("--work", type=Path, help="where expected outputs are kept between runs")
    return parser.parse_args()


def _samples(source: str, data: EvalPlusData) -> list[Sample]:
    if source == "references":
        return [Sample(name, 0, problem.reference) for name, problem in data.problems.items()]
    prompts = {name: problem.prompt for name, problem in data.problems.items()}
    return read_samples(Path(source), prompts).samples


def _compare_commands(
    options: argparse.Namespace, samples: list[Sample], theirs: Evalplus, work: Path
) -> None:
    file, name = work / "samples.jsonl", options.benchmark.value
    lines = [json.dumps({"task_id": each.task_id, "solution": each.code}) for each in samples]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    workers = str(options.workers)
    evalplus = ["-m", "evalplus.evaluate", "--dataset", name, "--samples", str(file)]
    ours = ["-m", "iterpref_assets", "evaluate", "--benchmark", name, "--workers", workers]
    ours += ["--data", str(options.data)]
    ours += ["--samples", str(file), "--out"]
    _command([*ours, tempfile.mkdtemp(dir=work)], {})  # keeps the expected outputs
    ours_seconds = _command([*ours, tempfile.mkdtemp(dir=work)], {})
    for title, extra in (("by default", []), (f"--parallel {workers}", ["--parallel", workers])):
        (work / "samples_eval_results.json").unlink(missing_ok=True)
        theirs_seconds = _command([*evalplus, *extra], theirs.environment)
        print(
            f"command: evalplus 0.3.1 ({title}) {theirs_seconds:.1f} s, "
            f"this project {ours_seconds:.1f} s: {theirs_seconds / ours_seconds:.2f}x",
            flush=True,
        )


def _command(arguments: list[str], environment: dict[str, str]) -> float:
    """The seconds that a Python command takes."""
    started = time.monotonic()
    subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | environment,
        check=True,
        capture_output=True,
    )
    return time.monotonic() - started


def _compare_judging(
    options: argparse.Namespace,
    data: EvalPlusData,
    samples: list[Sample],
    theirs: Evalplus,
    work: Path,
) -> None:
    started = time.monotonic()
    evalplus_statuses = theirs.judge(samples)
    theirs_seconds = time.monotonic() - started
    with Sandbox(options.workers, packages=SANDBOX_PACKAGES) as sandbox:
        benchmark = evalplus_benchmark(
            data, sandbox, work / "iterpref", options.workers, base_only=options.base_only
        )
        started = time.monotonic()
        results = judge_here(benchmark, samples, sandbox, options.workers)
        ours_seconds = time.monotonic() - started
    print(
        f"judging: evalplus 0.3.1 {theirs_seconds:.1f} s, this project {ours_seconds:.1f} s: "
        f"{theirs_seconds / ours_seconds:.2f}x"
    )
    ended = sum(r.verdict != "timeout" for r in results)
    cpu = sum(result.cpu_seconds for result in results)
    print(f"  {ended} ended by themselves; {cpu:.1f} s of CPU time in the programs")
    print(f"  evalplus 0.3.1: {count_passes(evalplus_statuses)}")
    ours = [Statuses(base=r.base_status, plus=r.plus_status) for r in results]
    print(f"  this project:   {count_passes(ours)}")
    sys.exit(explain(samples, results, evalplus_statuses, theirs)[UNEXPLAINED])


if __name__ == "__main__":
    main()
