"""Score the same samples with evalplus 0.3.1 and with this project, and compare verdicts and time.

    python benchmarks/evalplus_speed.py humaneval --data HumanEvalPlus.jsonl.gz --samples references

Both use the same number of workers and expected outputs that were computed before the clock starts.
Every line on which the two differ is listed with its reason: a listed fault of evalplus, or its
wall-clock limits, which is tried by asking evalplus again, alone, with limits 30 times as long.
CPU time, children included, is shown beside wall time: it depends less on what else runs.
"""

from __future__ import annotations

import argparse
import gzip
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import patch

from iterpref_assets.core.evaluation.batch import Benchmark, judge_sample
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
    print(f"{len(samples)} samples of {tasks} tasks, {options.workers} workers")

    theirs = Evalplus(data, options.data, work, options.workers, base_only=options.base_only)
    clock = Clock()
    evalplus_statuses = theirs.judge(samples)
    theirs_seconds = clock.report("evalplus 0.3.1", len(samples))
    _count(evalplus_statuses)

    with Sandbox(options.workers, packages=SANDBOX_PACKAGES) as sandbox:
        benchmark = plus_benchmark(
            data, sandbox, work, options.workers, base_only=options.base_only
        )
        clock = Clock()
        results = _judge(benchmark, samples, sandbox, options.workers)
        ours_seconds = clock.report("this project", len(samples))
    statuses = [Statuses(base=r.base_status, plus=r.plus_status) for r in results]
    _count(statuses)
    ended = sum(r.verdict != "timeout" for r in results)
    cpu = sum(result.cpu_seconds for result in results)
    print(f"  {ended} ended by themselves; {cpu:.1f} s of CPU time in the programs")
    print(f"ratio: {theirs_seconds / ours_seconds:.2f}x")
    sys.exit(_explain(samples, results, evalplus_statuses, theirs))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("benchmark", type=PlusBenchmark, choices=list(PlusBenchmark))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--samples", required=True, help="a samples file, or 'references'")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--base-only", action="store_true")
    parser.add_argument("--work", type=Path, help="where expected outputs are kept between runs")
    return parser.parse_args()


def _samples(source: str, data: PlusData) -> list[Sample]:
    if source == "references":
        return [Sample(name, 0, problem.reference) for name, problem in data.problems.items()]
    prompts = {name: problem.prompt for name, problem in data.problems.items()}
    return read_samples(Path(source), prompts).samples


def _judge(
    benchmark: Benchmark[Any], samples: list[Sample], sandbox: Sandbox, workers: int
) -> list[SampleResult]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda sample: judge_sample(benchmark, sample, sandbox), samples))


class Evalplus:
    """The harness as released, with its own pool and its own expected outputs."""

    def __init__(
        self, data: PlusData, path: Path, work: Path, workers: int, *, base_only: bool
    ) -> None:
        from evalplus import evaluate
        from evalplus.data import get_human_eval_plus, get_mbpp_plus, humaneval, mbpp

        plain = work / path.name.removesuffix(".gz")
        content = path.read_bytes()
        plain.write_bytes(gzip.decompress(content) if path.suffix == ".gz" else content)
        humaneval.HUMANEVAL_OVERRIDE_PATH = mbpp.MBPP_OVERRIDE_PATH = str(plain)
        is_mbpp = data.benchmark is PlusBenchmark.MBPP
        self.name, self.workers, self.base_only = data.benchmark.value, workers, base_only
        self.problems = get_mbpp_plus() if is_mbpp else get_human_eval_plus()
        not_none = evaluate.MBPP_OUTPUT_NOT_NONE_TASKS if is_mbpp else []
        self.expected = evaluate.get_groundtruth(self.problems, data.md5, not_none)

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


class Clock:
    """Wall and CPU time since it was made; programs in the sandbox are counted elsewhere."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.monotonic(), _cpu_seconds()

    def report(self, name: str, samples: int) -> float:
        """Print what passed; the wall seconds."""
        wall, cpu = time.monotonic() - self.wall, _cpu_seconds() - self.cpu
        print(f"{name}: {wall:.1f} s wall, {samples / wall:.0f} samples/s, {cpu:.1f} s CPU")
        return wall


def _cpu_seconds() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _count(statuses: list[Statuses]) -> None:
    base = sum(each.base == "pass" for each in statuses)
    both = sum(each.base == "pass" and each.plus in ("pass", None) for each in statuses)
    print(f"  {base} pass base, {both} pass both")


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
