"""Score the same samples with evalplus 0.3.1 and with this project, and compare verdicts and time.

    python benchmarks/evalplus_speed.py humaneval --data HumanEvalPlus.jsonl.gz --samples references

Two clocks. "Command" is what a user waits for: `evalplus.evaluate` against `iterpref evaluate`,
each a process of its own, the same number of workers, expected outputs already cached. "Judging"
leaves out start-up, loading and evalplus's watchdog thread, which keeps its process up to 20 s
after the last verdict: the same calls, made from this process.
Every line on which the two differ is listed with its reason: a listed fault of evalplus, or its
wall-clock limits, which is tried by asking evalplus again, alone, with limits 30 times as long.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from unittest.mock import patch

from sandbox_samples import machine

from iterpref_assets.core.evaluation.batch import judge_all
from iterpref_assets.core.evaluation.plus.benchmark import SANDBOX_PACKAGES, plus_benchmark
from iterpref_assets.core.evaluation.plus.data import PlusBenchmark, PlusData, load_plus
from iterpref_assets.core.evaluation.results import SampleResult, Statuses
from iterpref_assets.core.evaluation.samples import Sample, read_samples
from iterpref_assets.core.sandbox.sandbox import Sandbox

LONGER = 30.0


def main() -> None:
    """Run both, one after the other, and print what they took and where they differ."""
    options = _options()
    work = options.work or Path(tempfile.mkdtemp(prefix="evalplus-speed-"))
    os.environ["XDG_CACHE_HOME"] = str(work)  # before evalplus is imported: it asks only then
    data = load_plus(options.benchmark, options.data)
    samples = _samples(options.samples, data)
    tasks = len({sample.task_id for sample in samples})
    print(machine())
    print(f"{len(samples)} samples of {tasks} tasks, {options.workers} workers")
    theirs = Evalplus(data, options.data, work, options.workers, base_only=options.base_only)
    with Sandbox(options.workers, packages=SANDBOX_PACKAGES) as sandbox:  # fills the cache
        plus_benchmark(data, sandbox, work / "iterpref", options.workers)
    if not options.base_only:
        _compare_commands(options, samples, theirs, work)
    _compare_judging(options, data, samples, theirs, work)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("benchmark", type=PlusBenchmark, choices=list(PlusBenchmark))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--samples", required=True, help="a samples file, or 'references'")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--base-only", action="store_true", help="base tests, judging only")
    parser.add_argument("--work", type=Path, help="where expected outputs are kept between runs")
    return parser.parse_args()


def _samples(source: str, data: PlusData) -> list[Sample]:
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
    ours = ["-m", "iterpref_assets", "evaluate", "--benchmark", name, "--samples", str(file)]
    out = tempfile.mkdtemp(dir=work)
    (work / "samples_eval_results.json").unlink(missing_ok=True)
    theirs_seconds = _command([*evalplus, "--parallel", workers], theirs.environment)
    ours_seconds = _command(
        [*ours, "--data", str(options.data), "--out", out, "--workers", workers], {}
    )
    print(
        f"command: evalplus 0.3.1 {theirs_seconds:.1f} s, this project {ours_seconds:.1f} s: "
        f"{theirs_seconds / ours_seconds:.2f}x",
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
    data: PlusData,
    samples: list[Sample],
    theirs: Evalplus,
    work: Path,
) -> None:
    started = time.monotonic()
    evalplus_statuses = theirs.judge(samples)
    theirs_seconds = time.monotonic() - started
    with Sandbox(options.workers, packages=SANDBOX_PACKAGES) as sandbox:
        benchmark = plus_benchmark(
            data, sandbox, work / "iterpref", options.workers, base_only=options.base_only
        )
        started = time.monotonic()
        found: dict[tuple[str, int], SampleResult] = {}
        judge_all(
            benchmark,
            samples,
            sandbox,
            options.workers,
            lambda result: found.update({(result.task_id, result.sample): result}),
        )
        ours_seconds = time.monotonic() - started
    results = [found[sample.task_id, sample.sample] for sample in samples]
    print(
        f"judging: evalplus 0.3.1 {theirs_seconds:.1f} s, this project {ours_seconds:.1f} s: "
        f"{theirs_seconds / ours_seconds:.2f}x"
    )
    ended = sum(r.verdict != "timeout" for r in results)
    cpu = sum(result.cpu_seconds for result in results)
    print(f"  {ended} ended by themselves; {cpu:.1f} s of CPU time in the programs")
    print(f"  evalplus 0.3.1: {_count(evalplus_statuses)}")
    ours = [Statuses(base=r.base_status, plus=r.plus_status) for r in results]
    print(f"  this project:   {_count(ours)}")
    sys.exit(_explain(samples, results, evalplus_statuses, theirs))


class Evalplus:
    """The harness as released, with its own pool and its own expected outputs."""

    def __init__(
        self, data: PlusData, path: Path, work: Path, workers: int, *, base_only: bool
    ) -> None:
        plain = work / path.name.removesuffix(".gz")
        content = path.read_bytes()
        plain.write_bytes(gzip.decompress(content) if path.suffix == ".gz" else content)
        is_mbpp = data.benchmark is PlusBenchmark.MBPP
        variable = "MBPP_OVERRIDE_PATH" if is_mbpp else "HUMANEVAL_OVERRIDE_PATH"
        self.environment = {variable: str(plain)}
        os.environ.update(self.environment)  # before evalplus is imported
        from evalplus import evaluate
        from evalplus.data import (
            get_human_eval_plus,
            get_human_eval_plus_hash,
            get_mbpp_plus,
            get_mbpp_plus_hash,
        )

        self.name, self.workers, self.base_only = data.benchmark.value, workers, base_only
        self.problems = get_mbpp_plus() if is_mbpp else get_human_eval_plus()
        checksum = get_mbpp_plus_hash() if is_mbpp else get_human_eval_plus_hash()
        not_none = evaluate.MBPP_OUTPUT_NOT_NONE_TASKS if is_mbpp else []
        self.expected = evaluate.get_groundtruth(self.problems, checksum, not_none)

    def judge_without_hurry(self, sample: Sample) -> Statuses:
        """What it says where limits are longer and the cap of 60 s a run is lifted."""
        with patch("evalplus.eval.min", lambda _cap, total: total, create=True):
            return self.judge([sample], LONGER)[0]

    def judge(self, samples: list[Sample], longer: float = 1.0) -> list[Statuses]:
        """What it says of each sample."""
        from evalplus import config, evaluate

        with ProcessPoolExecutor(self.workers) as pool:
            futures = [
                pool.submit(
                    evaluate.check_correctness,
                    self.name,
                    sample.sample,
                    self.problems[sample.task_id],
                    sample.code,
                    self.expected[sample.task_id],
                    self.base_only,
                    True,  # stop at the first failing test, its default
                    None,
                    config.DEFAULT_MIN_TIME_LIMIT * longer,
                    config.DEFAULT_GT_TIME_LIMIT_FACTOR * longer,
                )
                for sample in samples
            ]
            found = [future.result() for future in futures]
        return [Statuses(base=each["base"][0], plus=each.get("plus", [None])[0]) for each in found]


def _count(statuses: list[Statuses]) -> str:
    base = sum(each.base == "pass" for each in statuses)
    both = sum(each.base == "pass" and each.plus in ("pass", None) for each in statuses)
    return f"{base} pass base, {both} pass both"


def _explain(
    samples: list[Sample], results: list[SampleResult], theirs: list[Statuses], evalplus: Evalplus
) -> int:
    """Print every difference with its reason; the number of those without one."""
    reasons: Counter[str] = Counter()
    for sample, result, other in zip(samples, results, theirs, strict=True):
        ours = Statuses(base=result.base_status, plus=result.plus_status)
        if _passes(ours) == _passes(other):
            continue
        if result.evalplus_status is not None and _passes(result.evalplus_status) == _passes(other):
            reason = "listed fault"
        elif _passes(evalplus.judge_without_hurry(sample)) == _passes(ours):
            reason = "wall-clock limit"
        else:
            reason = "UNEXPLAINED"
        reasons[reason] += 1
        print(f"  {sample.task_id} #{sample.sample}: evalplus {other.base}/{other.plus}, "
              f"here {ours.base}/{ours.plus} ({result.verdict}): {reason}")  # fmt: skip
    print(f"differences: {dict(reasons) or 'none'}")
    return reasons["UNEXPLAINED"]


def _passes(statuses: Statuses) -> tuple[bool, bool]:
    return statuses.base == "pass", statuses.plus == "pass"


if __name__ == "__main__":
    main()
