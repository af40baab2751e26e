"""evalplus 0.3.1 as released: its verdicts on samples, and why they differ from this project's."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from unittest.mock import patch

from iterpref_assets.core.evaluation.evalplus.data import EvalPlusBenchmark, EvalPlusData
from iterpref_assets.core.evaluation.sample_scoring import judge_samples
from iterpref_assets.core.evaluation.samples import Sample
from iterpref_assets.core.evaluation.scores import Score, Statuses
from iterpref_assets.core.evaluation.suite import PreparedBenchmark
from iterpref_assets.core.sandbox.sandbox import Sandbox

LONGER = 30.0
UNEXPLAINED = "UNEXPLAINED"


class Evalplus:
    """The harness as released, with its own pool and its own expected outputs."""

    def __init__(
        self, data: EvalPlusData, path: Path, work: Path, workers: int, *, base_only: bool
    ) -> None:
        plain = work / path.name.removesuffix(".gz")
        content = path.read_bytes()
        plain.write_bytes(gzip.decompress(content) if path.suffix == ".gz" else content)
        is_mbpp = data.benchmark is EvalPlusBenchmark.MBPP
        variable = "MBPP_OVERRIDE_PATH" if is_mbpp else "HUMANEVAL_OVERRIDE_PATH"
        self.environment = {variable: str(plain)}
        from evalplus import evaluate
        from evalplus.data import (
            get_human_eval_plus,
            get_human_eval_plus_hash,
            get_mbpp_plus,
            get_mbpp_plus_hash,
            humaneval,
            mbpp,
        )

        setattr(mbpp if is_mbpp else humaneval, variable, str(plain))
        self.name, self.workers, self.base_only = data.benchmark.value, workers, base_only
        self.problems = get_mbpp_plus() if is_mbpp else get_human_eval_plus()
        checksum = get_mbpp_plus_hash() if is_mbpp else get_human_eval_plus_hash()
        not_none = evaluate.MBPP_OUTPUT_NOT_NONE_TASKS if is_mbpp else []
        self.expected = evaluate.get_groundtruth(self.problems, checksum, not_none)

    def judge_without_hurry(self, sample: Sample) -> Statuses:
        """What it says where limits are longer and the cap of 60 s a run is lifted."""
        with patch("evalplus.eval.min", lambda _cap, total: total, create=True):
            return self.judge([sample], LONGER)[0]

    def judge(self, samples: Sequence[Sample], longer: float = 1.0) -> list[Statuses]:
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


def judge_here(
    benchmark: PreparedBenchmark[Sandbox], samples: Sequence[Sample], sandbox: Sandbox, workers: int
) -> list[Score]:
    """This project's results, in the order of the samples; task_id and sample tell them apart."""
    found: dict[tuple[str, int], Score] = {}

    def keep(result: Score) -> None:
        found[result.task_id, result.sample] = result

    judge_samples(benchmark, samples, sandbox, workers, keep)
    return [found[sample.task_id, sample.sample] for sample in samples]


def count_passes(statuses: Sequence[Statuses]) -> str:
    """How many programs pass the base tests, and both."""
    base = sum(each.base == "pass" for each in statuses)
    both = sum(each.base == "pass" and each.plus in ("pass", None) for each in statuses)
    return f"{base} pass base, {both} pass both"


def explain(
    samples: Sequence[Sample],
    results: Sequence[Score],
    theirs: Sequence[Statuses],
    evalplus: Evalplus,
) -> Counter[str]:
    """Print every difference with its reason; how many there are of each."""
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
            reason = UNEXPLAINED
        reasons[reason] += 1
        print(f"  {sample.task_id} #{sample.sample}: evalplus {other.base}/{other.plus}, "
              f"here {ours.base}/{ours.plus} ({result.verdict}): {reason}")  # fmt: skip
    print(f"  differences: {dict(reasons) or 'none'}", flush=True)
    return reasons


def _passes(statuses: Statuses) -> tuple[bool, bool]:
    return statuses.base == "pass", statuses.plus == "pass"
